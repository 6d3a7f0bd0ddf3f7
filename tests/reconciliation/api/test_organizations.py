"""The service that a key belongs to, as an organization (Lago: organizations)."""

import pytest

from ingest.models import AuditRecord, Service
from reconciliation.models import WebhookEndpoint
from tests import factories
from tests.ingest.api.refusals import refused

pytestmark = pytest.mark.django_db


def put(call, **fields):
    return call("PUT", "organizations", {"organization": fields})


def test_it_is_the_keys_own_service_in_lagos_shape(call, service):
    factories.ServiceFactory()
    Service.objects.filter(pk=service.pk).update(timezone="America/Toronto", grace_hours=25)
    factories.WebhookEndpointFactory(url="https://theirs.example")
    for url in ("https://b.example", "https://a.example"):
        factories.WebhookEndpointFactory(service=service, url=url)
    answer = call("GET", "organizations").json()["organization"]
    assert (answer["lago_id"], answer["name"], answer["slug"]) == (
        str(service.public_id),
        service.name,
        service.code,
    )
    assert answer["webhook_url"] == "https://b.example"
    assert answer["webhook_urls"] == ["https://b.example", "https://a.example"]
    assert answer["timezone"] == "America/Toronto"
    assert answer["billing_configuration"]["invoice_grace_period"] == 2
    assert answer["default_currency"] is None


def test_its_name_changes_on_the_record_and_what_it_does_not_keep_is_ignored(call, service):
    answer = put(call, name="Nexa", default_currency="CAD", country="CA", timezone="UTC", email=None)
    assert answer.json()["organization"]["name"] == "Nexa"
    service.refresh_from_db()
    assert service.name == "Nexa"
    record = AuditRecord.objects.get(action="service.configure")
    assert record.actor_label.startswith("API key bc_")
    assert record.after == {"name": "Nexa"}


def test_a_time_zone_is_fixed_because_periods_begin_and_end_by_it(call, service):
    answer = put(call, name="Nexa", timezone="America/Toronto", webhook_url="https://new.example")
    assert (answer.status_code, answer.json()["code"]) == (405, "timezone_is_fixed")
    before = service.name
    service.refresh_from_db()
    assert (service.name, service.timezone) == (before, "UTC")
    assert not WebhookEndpoint.objects.exists()


def test_a_webhook_url_is_listened_at_from_then_on(call, service):
    for _ in range(2):
        answer = put(call, webhook_url="https://new.example").json()["organization"]
        assert answer["webhook_urls"] == ["https://new.example"]
    endpoint = WebhookEndpoint.objects.get()
    assert (endpoint.service, endpoint.algorithm) == (service, "jwt")


@pytest.mark.parametrize(
    ("fields", "details"),
    [
        ({"name": " "}, {"name": ["value_is_mandatory"]}),
        ({"name": "n" * 121}, {"name": ["value_is_too_long"]}),
        ({"name": "a\x00"}, {"name": ["value_is_invalid"]}),
        ({"timezone": "Mars/Olympus"}, {"timezone": ["invalid_timezone"]}),
        ({"timezone": "../../etc/passwd"}, {"timezone": ["invalid_timezone"]}),
        ({"name": "Nexa", "webhook_url": "nowhere"}, {"webhook_url": ["url_is_invalid"]}),
    ],
)
def test_what_is_wrong_is_named_and_nothing_changes(call, service, fields, details):
    assert refused(put(call, **fields)) == details
    before = service.name
    service.refresh_from_db()
    assert service.name == before
    assert not WebhookEndpoint.objects.exists()
    assert not AuditRecord.objects.exclude(action="api_key.create").exists()


def test_one_key_changes_its_own_service_alone(call):
    other = factories.ServiceFactory(name="Other")
    put(call, name="Nexa", lago_id=str(other.public_id), slug=other.code)
    other.refresh_from_db()
    assert other.name == "Other"
