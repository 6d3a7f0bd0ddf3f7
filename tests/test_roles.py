"""The roles table and the groups that every database has."""

import pytest
from django.contrib.auth.models import Permission

from billing_console.roles import ROLES, VIEWED_APPS


@pytest.mark.django_db
@pytest.mark.parametrize("role", ROLES)
def test_a_group_may_see_everything_and_do_what_the_table_says(role, request):
    person = request.getfixturevalue(role)
    viewing = Permission.objects.filter(content_type__app_label__in=VIEWED_APPS, codename__startswith="view_")
    expected = {f"{row.content_type.app_label}.{row.codename}" for row in viewing} | set(ROLES[role])

    assert person.get_all_permissions() == expected


@pytest.mark.django_db
def test_somebody_without_a_role_may_do_nothing(outsider):
    assert outsider.get_all_permissions() == set()
