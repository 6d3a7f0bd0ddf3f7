"""The roles table and the groups that every database has."""

import pytest
from django.contrib.auth.models import Group, Permission

from billing_console.roles import ROLES, VIEWED_APPS, synchronise_groups


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


@pytest.mark.django_db
def test_every_permission_of_the_table_exists():
    known = {
        f"{row.content_type.app_label}.{row.codename}"
        for row in Permission.objects.select_related("content_type")
    }
    assert {name for names in ROLES.values() for name in names} <= known


def test_nobody_holds_both_halves_of_a_decision():
    """A person may be in two groups; then the code and the database tell the halves apart."""
    halves = {"reconciliation.request_cutover", "reconciliation.approve_cutover"}
    assert [role for role, names in ROLES.items() if halves <= set(names)] == []
    assert set().union(*ROLES.values()) >= halves


def test_nobody_deletes_anything():
    assert [name for names in ROLES.values() for name in names if ".delete_" in name] == []


@pytest.mark.django_db
def test_synchronising_again_changes_nothing():
    before = list(
        Group.permissions.through.objects.order_by("group", "permission").values("group", "permission")
    )
    synchronise_groups()
    after = list(
        Group.permissions.through.objects.order_by("group", "permission").values("group", "permission")
    )
    assert (after, Group.objects.count()) == (before, len(ROLES))


@pytest.mark.django_db
def test_what_was_given_beside_the_table_is_taken_back_and_what_was_taken_is_given():
    finance, auditor = (Group.objects.get(name=name) for name in ("finance", "auditor"))
    approving = Permission.objects.get(codename="approve_cutover")
    finance.permissions.add(approving)
    auditor.permissions.clear()
    synchronise_groups()
    assert approving not in finance.permissions.all()
    assert auditor.permissions.filter(codename="view_auditrecord").exists()


@pytest.mark.django_db
def test_groups_that_are_not_in_the_table_are_left_alone():
    group = Group.objects.create(name="guests")
    group.permissions.add(Permission.objects.get(codename="view_service"))
    synchronise_groups()
    assert group.permissions.count() == 1
