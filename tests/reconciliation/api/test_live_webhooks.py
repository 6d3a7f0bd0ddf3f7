"""The official client keeps webhook endpoints and the organization, and verifies what is delivered to it."""

import json

import jwt
import pytest
from django.utils import timezone
from lago_python_client import Client
from lago_python_client.exceptions import LagoApiError
from lago_python_client.models import Organization, WebhookEndpoint

from ingest.keys import create_key
from reconciliation.webhooks import announce, deliver_due
from tests import factories
from tests.reconciliation.receiver import receive

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def service(transactional_db):
    return factories.ServiceFactory()


@pytest.fixture
def lago(port, service):
    key = create_key(service=service, name="live", actor=None).key
    return Client(api_key=key, api_url=f"http://127.0.0.1:{port}")


def test_an_endpoint_is_made_read_changed_and_ended(lago, service):
    made = lago.webhook_endpoints.create(WebhookEndpoint(webhook_url="https://nexa.example", name="Nexa"))
    assert (made.signature_algo, made.name, made.event_types) == ("jwt", "Nexa", None)
    assert made.lago_organization_id == str(service.public_id)
    changed = lago.webhook_endpoints.update(
        WebhookEndpoint(signature_algo="hmac", event_types=["a.b"]), made.lago_id
    )
    assert (changed.webhook_url, changed.signature_algo) == ("https://nexa.example", "hmac")
    assert lago.webhook_endpoints.find(made.lago_id).event_types == ["a.b"]
    listed = lago.webhook_endpoints.find_all({"per_page": 5})
    assert [row.lago_id for row in listed["webhook_endpoints"]] == [made.lago_id]
    assert lago.webhook_endpoints.destroy(made.lago_id).lago_id == made.lago_id
    with pytest.raises(LagoApiError) as gone:
        lago.webhook_endpoints.find(made.lago_id)
    assert (gone.value.status_code, gone.value.response["code"]) == (404, "webhook_endpoint_not_found")


def test_what_is_delivered_is_verified_with_the_key_that_the_client_reads(lago, service, settings):
    with receive(200) as receiver:
        lago.webhook_endpoints.create(WebhookEndpoint(webhook_url=receiver.url))
        payload = {"status": "approved", "name": "Zoë & <Söhne>"}
        announce(service=service, webhook_type="cutover.approved", object_type="cutover", payload=payload)
        assert deliver_due(now=timezone.now()) == 1
    ((headers, body),) = receiver.requests
    assert headers["X-Lago-Signature-Algorithm"] == "jwt"
    pem = lago.webhooks.public_key()
    claims = jwt.decode(headers["X-Lago-Signature"], pem, algorithms=["RS256"], issuer=settings.API_URL)
    assert claims == {"data": body.decode(), "iss": settings.API_URL}
    assert json.loads(claims["data"])["cutover"] == payload


def test_the_organization_is_the_service(lago, service):
    answer = lago.organizations.update(
        Organization(default_currency="CAD", timezone="UTC", webhook_url="https://nexa.example/hooks")
    )
    assert (answer.name, answer.webhook_urls) == (service.name, ["https://nexa.example/hooks"])
