"""A client reads JSON with a code whatever it asks for, and what we do not serve is no page either (Lago: errors)."""

import pytest
from django.test import Client

from ingest.models import Metric, UsageEvent
from tests.ingest.api.conftest import make_event

pytestmark = pytest.mark.django_db

# What Lago has below /api/v1 and the console does not serve.
UNSERVED = [
    "wallets",
    "wallets/1a90",
    "wallets/1a90/terminate",
    "wallets/1a90/wallet_transactions",
    "wallet_transactions",
    "coupons",
    "coupons/ten_off",
    "applied_coupons",
    "add_ons",
    "add_ons/setup",
    "credit_notes",
    "credit_notes/estimate",
    "credit_notes/1a90/void",
    "taxes",
    "taxes/hst",
    "payments",
    "payment_requests",
    "payment_receipts",
    "features",
    "features/seats/privileges/max",
    "billing_entities",
    "invoice_custom_sections",
    "analytics/mrr",
    "gross_revenues",
    "activity_logs",
    "api_logs",
    "customers/ada/wallets",
    "customers/ada/wallets/main/alerts",
    "customers/ada/portal_url",
    "customers/ada/applied_coupons/1a90",
    "plans/pro/entitlements",
    "subscriptions/s/entitlements/seats",
    "quotes",
    "orders",
]


@pytest.fixture
def browse():
    """Any request as a browser makes it, without a key; a form's token is asked for as on a real server."""
    client = Client(
        enforce_csrf_checks=True, raise_request_exception=False, headers={"accept": "text/html,*/*"}
    )
    return client.generic


def is_json(response, status):
    assert (response.status_code, response["Content-Type"]) == (status, "application/json")
    return response.json()


@pytest.mark.parametrize("path", UNSERVED)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_what_is_not_served_is_refused_with_a_code(call, method, path):
    answer = call(method, path, {"wallet": {}}, accept="text/html")
    assert answer.status_code in {404, 405}
    assert is_json(answer, answer.status_code)["code"]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "BREW"])
@pytest.mark.parametrize("path", ["/api", "/api/", "/api/v1", "/api/v1/", "/api/x", "/api/v2/events"])
def test_below_api_there_is_no_page_for_a_browser_either(browse, method, path):
    form = "application/x-www-form-urlencoded"
    assert is_json(browse(method, path, b"a=b", form), 404)["code"] == "resource_not_found"


def test_a_client_with_a_wrong_base_address_reads_json_and_a_browser_a_page(call, browse):
    for path in ("/lago/api/v1/events", "/v1/events", "/nothing"):
        answer = Client(enforce_csrf_checks=True).post(path, b"{}", "application/json")
        assert is_json(answer, 404)["code"] == "resource_not_found"
        assert browse("GET", path)["Content-Type"] == "text/html; charset=utf-8"
    other = Client().get("/nothing", headers={"host": "other.example", "accept": "application/json"})
    assert is_json(other, 400)["error"] == "BadRequest: the request is malformed"


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "multipart/form-data; boundary=x",
        "application/xml",
        "application/json; charset=nothing",
        "a" * 1000,
    ],
)
def test_a_body_is_json_whatever_its_content_type_says(key, content_type):
    client = Client(headers={"authorization": f"Bearer {key}", "accept": "text/html"})
    body = b'{"event":{"transaction_id":"t","code":"c"}}'
    assert is_json(client.generic("POST", "/api/v1/events", body, content_type), 200)["event"]
    assert UsageEvent.objects.count() == 1
    answer = client.generic("POST", "/api/v1/events", b"transaction_id=t&code=c", content_type)
    assert is_json(answer, 400)["error"].startswith("BadRequest: ")


def test_a_head_request_is_answered_as_a_get_without_its_body(call):
    for path, status in (("billable_metrics", 200), ("billable_metrics/none", 404), ("events/batch", 405)):
        answer = call("HEAD", path)
        assert (answer.status_code, answer["Content-Type"]) == (status, "application/json")


@pytest.mark.parametrize("accept", ["image/png", "text/html", "application/vnd.nothing", "nonsense"])
def test_the_document_is_served_or_refused_in_json(accept):
    answer = Client().get("/api/schema", headers={"accept": accept})
    assert answer.status_code == 200 or is_json(answer, 406)["code"] == "not_acceptable"
    assert is_json(Client().post("/api/schema"), 405)["code"] == "method_not_allowed"
    assert is_json(Client().get("/api/schema?format=nothing"), 404)["code"] == "resource_not_found"


def test_a_refused_write_leaves_nothing(call):
    call("POST", "wallets", {"event": make_event()})
    call("POST", "add_ons", {"billable_metric": {"code": "a"}})
    assert not UsageEvent.objects.exists()
    assert not Metric.objects.exists()
