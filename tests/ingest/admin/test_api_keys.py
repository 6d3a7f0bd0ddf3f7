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

    page = client.post(ADD, {"service": "nexacloud", "name": "production"})

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

    page = client.post(ADD, {"service": "nothing", "name": "production"})

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
