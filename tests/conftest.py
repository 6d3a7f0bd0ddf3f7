"""The named people that every test may ask for."""

import pytest
from django.contrib.auth.models import Group
from django.db import connection

from tests import factories
from tests.databases import database
from tests.web_server import serve_test_database

# A parallel run ends when its last file does, so what takes long begins early; the demo's story first of all, as
# it loads the demo that the browser's tests have a copy of.
BEGUN_EARLY = (
    "tests/demo/test_story",
    "tests/runtime/test_console",
    "tests/peers/test_document",
    "tests/e2e/",
)


def pytest_collection_modifyitems(items):
    """Keeps the order of the tests, but for the files that take longest."""
    items.sort(
        key=lambda item: next((n for n, path in enumerate(BEGUN_EARLY) if item.nodeid.startswith(path)), 99)
    )


@pytest.fixture(scope="session")
def pristine(django_db_setup, django_db_blocker):
    """A copy of the empty test database that nothing connects to, so that it can be copied at any time."""
    with django_db_blocker.unblock():
        empty = connection.settings_dict["NAME"]
        connection.close()
        with database(f"{empty}_pristine", empty) as name:
            yield name


@pytest.fixture(scope="session")
def port(pristine, tmp_path_factory):
    """Where the web server as the console runs it answers, one for all tests that do not stop it.

    It stays connected to the tests' database, hence after the copy.
    """
    with serve_test_database(tmp_path_factory.mktemp("web")) as server:
        yield server.port


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
