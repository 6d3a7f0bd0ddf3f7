"""The named people that every test may ask for."""

import pytest
from django.contrib.auth.models import Group

from tests import factories


def make_person(name, *roles):
    """A member of staff in the groups that the roles table keeps."""
    user = factories.UserFactory(username=name, first_name=name.capitalize())
    user.groups.set(Group.objects.filter(name__in=roles))
    return user


@pytest.fixture
def finance(db):
    """Works the queue and requests pushes and cutovers."""
    return make_person("finance", "finance")


@pytest.fixture
def manager(db):
    """Approves what another person requested."""
    return make_person("manager", "manager")


@pytest.fixture
def manager2(db):
    """The second manager."""
    return make_person("manager2", "manager")


@pytest.fixture
def finance_manager(db):
    """Both finance and manager, and so refused their own requests."""
    return make_person("finance_manager", "finance", "manager")


@pytest.fixture
def operator(db):
    """Runs, retries, keys and webhooks."""
    return make_person("operator", "operator")


@pytest.fixture
def auditor(db):
    """Looks at everything and changes nothing."""
    return make_person("auditor", "auditor")


@pytest.fixture
def outsider(db):
    """Can log in to the admin and has no role."""
    return make_person("outsider")


@pytest.fixture
def person(request, db):
    """One of the people above by name, for tests that are parametrised over roles."""
    return request.getfixturevalue(request.param)
