"""What holds for every address of the admin, whoever asks: looking changes nothing, and shows what it may."""

import pytest
from django.contrib import admin
from django.urls import reverse

from tests.reconciliation.admin import world

pytestmark = pytest.mark.django_db

PEOPLE = ["finance", "manager", "operator", "auditor", "outsider"]
STAFF = PEOPLE[:4]
# Django has them for objects with a page outside of the admin, and for apps that a person sees.
OF_OTHER_SITES = {"view_on_site", "app_list"}
OPEN = {"login", "logout", "jsi18n"}
FOR_SUPERUSERS = {"auth"}
ADDERS = {
    "ingest_apikey_add": {"operator"},
    "reconciliation_billedfile_add": {"finance", "operator"},
    "reconciliation_filemapping_add": {"operator"},
    "reconciliation_odooconnection_add": {"operator"},
    "reconciliation_lagoconnection_add": {"operator"},
    "reconciliation_webhookendpoint_add": {"operator"},
    # These start a run: what is added is what it reads.
    "reconciliation_stripecheck_add": {"operator"},
    "reconciliation_stripecursor_add": {"operator"},
    "reconciliation_billingsource_add": {"finance"},
    "reconciliation_claimrules_add": {"finance"},
}


@pytest.mark.parametrize("person", PEOPLE, indirect=True)
def test_looking_at_any_address_changes_no_row_and_staff_sees_every_list_and_row_and_nobody_else(
    client, person
):
    rows = world.make_rows()
    client.force_login(person)
    before = world.picture_tables()
    addresses = [(name, address) for name, address in world.list_addresses(rows) if address]

    seen = {name: client.get(address).status_code for name, address in addresses if name != "logout"}

    for name, status in seen.items():
        expected = {200, 302, 403, 405} | ({404} if name in OF_OTHER_SITES else set())
        assert status in expected, name
    assert len(addresses) > 150
    assert world.picture_tables() == before
    is_staff = person.username in STAFF
    for model in _shown_models() if is_staff else admin.site._registry:
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        for page in ("changelist", "change"):
            assert seen[f"{name}_{page}"] == (200 if is_staff else 403), (name, page)


def test_who_is_not_signed_in_is_sent_to_the_login(client):
    rows = world.make_rows()

    for name, address in world.list_addresses(rows):
        if address and name not in OPEN:
            response = client.get(address)
            assert (response.status_code, name) == (302, name)
            assert "/login/" in response["Location"], name


@pytest.mark.parametrize("person", STAFF, indirect=True)
def test_each_thing_is_added_by_those_who_may_and_nobody_adds_anything_else(client, person):
    client.force_login(person)

    for model in _shown_models():
        name = f"{model._meta.app_label}_{model._meta.model_name}_add"
        expected = 200 if person.username in ADDERS.get(name, ()) else 403
        assert client.get(reverse(f"admin:{name}")).status_code == expected, name


@pytest.mark.parametrize("person", STAFF, indirect=True)
def test_nobody_deletes_anything(client, person):
    rows = world.make_rows()
    client.force_login(person)

    for model, row_id in rows.items():
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        if model in admin.site._registry:
            address = reverse(f"admin:{name}_delete", args=[row_id])
            assert client.post(address, {"post": "yes"}).status_code == 403, name
            assert model.objects.filter(pk=row_id).exists()


def test_a_superuser_deletes_nothing_either(client, admin_user):
    rows = world.make_rows()
    client.force_login(admin_user)

    for model in _shown_models():
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        address = reverse(f"admin:{name}_delete", args=[rows[model]])
        assert client.post(address, {"post": "yes"}).status_code == 403, name


def _shown_models():
    return [model for model in admin.site._registry if model._meta.app_label not in FOR_SUPERUSERS]
