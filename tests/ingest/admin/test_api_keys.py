"""API keys on the screen: issued and shown once, revoked for good."""

import hashlib
import re

import pytest
from django.urls import reverse

from ingest.models import ApiKey, AuditRecord
from tests import factories

pytestmark = pytest.mark.django_db

ADD = reverse("admin:ingest_apikey_add")


def test_a_new_key_is_shown_on_the_next_page_and_never_again(client, operator):
    service = factories.ServiceFactory(code="nexacloud")
    client.force_login(operator)

    page = client.post(ADD, {"service": "nexacloud", "name": "production", "scopes": ["read"]})

    key = re.search(r'<code class="secret">([^<]+)</code>', page.content.decode()).group(1)
    record = ApiKey.objects.get()
    assert (record.service, record.name) == (service, "production")
    assert record.digest == hashlib.sha256(key.encode()).hexdigest()
    assert "no-store" in page["Cache-Control"]
    for address in (
        reverse("admin:ingest_apikey_changelist"),
        reverse("admin:ingest_apikey_change", args=[record.pk]),
        reverse("admin:ingest_auditrecord_change", args=[AuditRecord.objects.get().pk]),
    ):
        assert key not in client.get(address).content.decode()


@pytest.mark.parametrize("person", ["finance", "manager", "auditor"], indirect=True)
def test_nobody_else_issues_a_key(client, person):
    factories.ServiceFactory(code="nexacloud")
    client.force_login(person)

    assert client.post(ADD, {"service": "nexacloud"}).status_code == 403
    assert not ApiKey.objects.exists()


def test_a_key_needs_a_service(client, operator):
    client.force_login(operator)

    page = client.post(ADD, {"service": "nothing", "name": "production", "scopes": ["read"]})

    assert page.status_code == 200
    assert not ApiKey.objects.exists()


def test_an_operator_revokes_a_key(client, operator):
    key = factories.ApiKeyFactory()
    client.force_login(operator)
    address = reverse("admin:ingest_apikey_revoke", args=[key.pk])
    page = reverse("admin:ingest_apikey_change", args=[key.pk])
    assert address in client.get(page).content.decode()

    client.post(address)

    key.refresh_from_db()
    assert key.revoked_at is not None
    assert AuditRecord.objects.get().actor == operator
    assert address not in client.get(page).content.decode()


@pytest.mark.parametrize("person", ["finance", "manager", "auditor"], indirect=True)
def test_nobody_else_revokes_a_key(client, person):
    key = factories.ApiKeyFactory()
    client.force_login(person)

    assert client.post(reverse("admin:ingest_apikey_revoke", args=[key.pk])).status_code == 403
    key.refresh_from_db()
    assert key.revoked_at is None


def test_a_key_is_issued_for_some_scopes_a_time_and_a_limit(client, operator):
    factories.ServiceFactory(code="nexacloud")
    client.force_login(operator)
    form = {"service": "nexacloud", "name": "sender", "scopes": ["ingest"], "days": "30", "rate_limit": "500"}

    client.post(ADD, form)

    record = ApiKey.objects.get()
    assert (record.scopes, record.rate_limit) == (["ingest"], 500)
    assert (record.expires_at - record.created_at).days in {29, 30}


@pytest.mark.parametrize("wrong", [{"scopes": []}, {"scopes": ["all"]}, {"days": "0"}, {"rate_limit": "0"}])
def test_a_wrong_form_issues_no_key(client, operator, wrong):
    factories.ServiceFactory(code="nexacloud")
    client.force_login(operator)

    assert client.post(ADD, {"service": "nexacloud", "scopes": ["read"]} | wrong).status_code == 200

    assert not ApiKey.objects.exists()


def test_an_operator_rotates_a_key_and_sees_the_new_one_once(client, operator):
    old = factories.ApiKeyFactory()
    client.force_login(operator)
    address = reverse("admin:ingest_apikey_rotate", args=[old.pk])
    page = reverse("admin:ingest_apikey_change", args=[old.pk])
    assert address in client.get(page).content.decode()
    assert client.get(address).status_code == 200
    assert ApiKey.objects.count() == 1, "looking at the form changes nothing"

    shown = client.post(address, {"overlap": "2"})

    key = re.search(r'<code class="secret">([^<]+)</code>', shown.content.decode()).group(1)
    new = ApiKey.objects.get(replaces=old)
    assert new.digest == hashlib.sha256(key.encode()).hexdigest()
    assert "no-store" in shown["Cache-Control"]
    assert AuditRecord.objects.get(action="api_key.rotate").actor == operator
    assert key not in client.get(page).content.decode()
    assert address not in client.get(page).content.decode(), "it is rotated once"
    assert "has been rotated already" in client.post(address, {"overlap": "2"}).content.decode()


def test_an_operator_limits_a_key(client, operator):
    key = factories.ApiKeyFactory()
    client.force_login(operator)
    address = reverse("admin:ingest_apikey_limit", args=[key.pk])
    assert address in client.get(reverse("admin:ingest_apikey_change", args=[key.pk])).content.decode()

    for sent, kept in (("20", 20), ("0", 20), ("", None)):
        client.post(address, {"rate_limit": sent})
        key.refresh_from_db()
        assert key.rate_limit == kept

    assert AuditRecord.objects.filter(action="api_key.limit", actor=operator).count() == 2


@pytest.mark.parametrize("person", ["finance", "manager", "auditor"], indirect=True)
@pytest.mark.parametrize("form", ["rotate", "limit"])
def test_nobody_else_rotates_or_limits_a_key(client, person, form):
    key = factories.ApiKeyFactory()
    client.force_login(person)
    address = reverse(f"admin:ingest_apikey_{form}", args=[key.pk])

    assert client.get(address).status_code == 403
    assert client.post(address, {"overlap": "0", "rate_limit": "1"}).status_code == 403
    assert address not in client.get(reverse("admin:ingest_apikey_change", args=[key.pk])).content.decode()
    assert ApiKey.objects.get().rate_limit is None
