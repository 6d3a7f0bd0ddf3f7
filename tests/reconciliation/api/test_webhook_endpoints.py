"""Where a service listens, over the API: made, read, changed and ended by itself alone (Lago: webhook endpoints)."""

import pytest

from ingest.models import AuditRecord
from reconciliation.models import WebhookEndpoint
from reconciliation.secrets import decrypt
from reconciliation.webhooks import announce
from tests import factories
from tests.ingest.api.refusals import refused

pytestmark = pytest.mark.django_db

URL = "https://nexa.example/hooks"


def make(call, **fields):
    return call("POST", "webhook_endpoints", {"webhook_endpoint": {"webhook_url": URL} | fields})


def change(call, endpoint, **fields):
    path = f"webhook_endpoints/{endpoint['lago_id']}"
    return call("PUT", path, {"webhook_endpoint": fields})


def shown(answer):
    assert answer.status_code == 200
    return answer.json()["webhook_endpoint"]


def test_an_endpoint_is_created_as_in_lago_signed_by_jwt_and_told_of_everything(call, service):
    answer = shown(make(call, name=None, event_types=None, unknown=1))
    row = WebhookEndpoint.objects.get()
    assert answer == {
        "lago_id": str(row.public_id),
        "lago_organization_id": str(service.public_id),
        "webhook_url": URL,
        "signature_algo": "jwt",
        "name": None,
        "event_types": None,
        "created_at": f"{row.created_at:%Y-%m-%dT%H:%M:%SZ}",
        "hmac_key": None,
    }
    record = AuditRecord.objects.get(action="webhook_endpoint.create")
    assert record.actor_label.startswith("API key bc_")
    assert record.after["url"] == URL


def test_an_hmac_key_is_told_in_the_answer_that_made_it_and_never_again(call):
    made = shown(make(call, signature_algo="hmac", name="Billing"))
    assert decrypt(bytes(WebhookEndpoint.objects.get().secret)) == made["hmac_key"]
    assert made["hmac_key"] not in repr(list(AuditRecord.objects.values()))
    again = shown(call("GET", f"webhook_endpoints/{made['lago_id']}"))
    assert again == made | {"hmac_key": None}
    assert shown(change(call, made, signature_algo="hmac"))["hmac_key"] is None
    shown(change(call, made, signature_algo="jwt"))
    assert bytes(WebhookEndpoint.objects.get().secret) == b""
    other = shown(change(call, made, signature_algo="hmac"))["hmac_key"]
    assert other not in {made["hmac_key"], None}
    assert decrypt(bytes(WebhookEndpoint.objects.get().secret)) == other


@pytest.mark.parametrize(
    ("fields", "details"),
    [
        ({"webhook_url": None}, {"webhook_url": ["value_is_mandatory"]}),
        ({"webhook_url": " "}, {"webhook_url": ["value_is_mandatory"]}),
        ({"webhook_url": "nexa.example"}, {"webhook_url": ["url_is_invalid"]}),
        ({"webhook_url": "ftp://nexa.example"}, {"webhook_url": ["url_is_invalid"]}),
        ({"webhook_url": "https://user:word@nexa.example"}, {"webhook_url": ["url_is_invalid"]}),
        ({"webhook_url": "https://nexa.example/\na"}, {"webhook_url": ["url_is_invalid"]}),
        ({"webhook_url": "https://nexa.example/" + "日" * 400}, {"webhook_url": ["url_is_invalid"]}),
        ({"webhook_url": f"https://{'a' * 64}.example/hooks"}, {"webhook_url": ["url_is_invalid"]}),
        ({"webhook_url": "https://nexa.example/" + "a" * 10_000}, {"webhook_url": ["value_is_too_long"]}),
        ({"webhook_url": "https://a\x00b"}, {"webhook_url": ["value_is_invalid"]}),
        ({"webhook_url": {}}, {"webhook_url": ["value_is_invalid"]}),
        ({"signature_algo": "none"}, {"signature_algo": ["value_is_invalid"]}),
        ({"signature_algo": ["jwt"]}, {"signature_algo": ["value_is_invalid"]}),
        ({"name": "n" * 256}, {"name": ["value_is_too_long"]}),
        ({"event_types": "invoice.created"}, {"event_types": ["value_is_invalid"]}),
        ({"event_types": {"a": 1}}, {"event_types": ["value_is_invalid"]}),
        ({"event_types": [1, {}]}, {"event_types": ["value_is_invalid"]}),
        ({"event_types": ["t" * 65]}, {"event_types": ["value_is_too_long"]}),
        ({"event_types": ["a\x00"]}, {"event_types": ["value_is_invalid"]}),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_kept(call, fields, details):
    assert refused(make(call, **fields)) == details
    assert not WebhookEndpoint.objects.exists()
    made = shown(make(call))
    if fields.get("webhook_url") is not None or "webhook_url" not in fields:
        assert refused(change(call, made, **fields)) == details
    assert shown(call("GET", f"webhook_endpoints/{made['lago_id']}")) == made


def test_an_address_is_listened_at_once_and_there_are_ten_at_most(call):
    made = [shown(make(call, webhook_url=f"{URL}/{number}")) for number in range(10)]
    assert refused(make(call, webhook_url=f"{URL}/3")) == {"webhook_url": ["value_already_exist"]}
    assert refused(make(call)) == {"base": ["exceeded_limit"]}
    moved = change(call, made[0], webhook_url=f"{URL}/3")
    assert refused(moved) == {"webhook_url": ["value_already_exist"]}
    assert shown(change(call, made[0], webhook_url=f"{URL}/0", name="The first"))["name"] == "The first"
    page = call("GET", "webhook_endpoints?per_page=4&page=3").json()
    assert [row["webhook_url"] for row in page["webhook_endpoints"]] == [f"{URL}/1", f"{URL}/0"]
    assert (page["meta"]["total_count"], page["meta"]["next_page"]) == (10, None)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("*", None),
        (["*"], None),
        (["a.b", "*"], None),
        (["a.b", "a.b", "c.d"], ["a.b", "c.d"]),
        ([], []),
    ],
)
def test_the_types_that_it_is_told_of(call, service, sent, kept):
    made = shown(make(call, event_types=["other.type"]))
    assert shown(change(call, made, event_types=sent))["event_types"] == kept
    told = announce(service=service, webhook_type="a.b", object_type="a", payload={})
    assert len(told) == (kept is None or "a.b" in kept)


def test_ended_it_is_gone_its_address_free_and_what_waited_is_not_sent(call, service, operator):
    made = shown(make(call))
    (delivery,) = announce(service=service, webhook_type="a.b", object_type="a", payload={})
    path = f"webhook_endpoints/{made['lago_id']}"
    assert shown(call("DELETE", path)) == made
    for method, body in (("GET", b""), ("PUT", {"webhook_endpoint": {"name": "x"}}), ("DELETE", b"")):
        gone = call(method, path, body)
        assert (gone.status_code, gone.json()["code"]) == (404, "webhook_endpoint_not_found")
    delivery.refresh_from_db()
    assert (delivery.status, delivery.next_attempt_at) == ("failed", None)
    assert announce(service=service, webhook_type="a.b", object_type="a", payload={}) == []
    assert call("GET", "webhook_endpoints").json()["webhook_endpoints"] == []
    assert shown(make(call))["lago_id"] != made["lago_id"]
    assert AuditRecord.objects.filter(action="webhook_endpoint.delete").count() == 1


def test_another_services_endpoint_does_not_exist(call):
    theirs = factories.WebhookEndpointFactory(url=URL)
    path = f"webhook_endpoints/{theirs.public_id}"
    for method, body in (("GET", b""), ("PUT", {"webhook_endpoint": {"name": "Mine"}}), ("DELETE", b"")):
        gone = call(method, path, body)
        assert (gone.status_code, gone.json()["code"]) == (404, "webhook_endpoint_not_found")
    assert call("GET", "webhook_endpoints").json()["webhook_endpoints"] == []
    assert make(call).status_code == 200, "two services may listen at one address"
    theirs.refresh_from_db()
    assert (theirs.name, theirs.deleted_at) == ("", None)


@pytest.mark.parametrize(
    "lago_id", ["1", "x" * 10_000, "%F0%9F%98%80", "a/b", "1a901a90-1a90-41a9-8a90-1a901a901a90"]
)
def test_an_id_that_is_none_is_not_found(call, lago_id):
    gone = call("GET", f"webhook_endpoints/{lago_id}")
    assert (gone.status_code, gone.json()["code"]) == (404, "webhook_endpoint_not_found")


def test_a_body_without_its_root_is_a_bad_request(call):
    for body in ({}, {"webhook_endpoint": None}, {"webhook_url": URL}):
        assert call("POST", "webhook_endpoints", body).status_code == 400
    assert refused(call("POST", "webhook_endpoints", {"webhook_endpoint": []})) == {
        "webhook_endpoint": ["value_is_invalid"]
    }
