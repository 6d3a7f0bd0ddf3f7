"""Every error is JSON in Lago's shape, at every address under /api/ (Lago: errors)."""

import pytest
from django.db import OperationalError
from django.test import Client

from ingest.models import UsageEvent
from tests.ingest.api.conftest import make_event

pytestmark = pytest.mark.django_db


def answer(response):
    assert response["Content-Type"] == "application/json"
    body = response.json()
    assert body["status"] == response.status_code
    return body


@pytest.fixture
def request_raw(key):
    """Any request with the key, whose faults are answered, not raised."""
    client = Client(raise_request_exception=False, headers={"authorization": f"Bearer {key}"})
    return client.generic


@pytest.mark.parametrize("body", [{}, {"event": None}, {"events": [make_event()]}])
def test_a_missing_event_is_a_bad_request(post, body):
    assert answer(post("events", body)) == {
        "status": 400,
        "error": "BadRequest: param is missing or the value is empty or invalid: event",
    }


@pytest.mark.parametrize("event", ["text", 12, True, [], [make_event()]])
def test_an_event_that_is_no_object_is_refused(post, event):
    assert answer(post("events", {"event": event}))["error_details"] == {"event": ["value_is_invalid"]}


@pytest.mark.parametrize("path", ["events", "events/batch"])
@pytest.mark.parametrize("body", [b"[]", b'"text"', b"12", b"null", b"true"])
def test_a_body_that_is_no_object_is_a_bad_request(post, path, body):
    assert answer(post(path, body)) == {"status": 400, "error": "BadRequest: the body is not a JSON object"}


@pytest.mark.parametrize("path", ["events", "events/batch"])
@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "Input data was truncated"),
        (b'{"event":', "Input data was truncated"),
        (b"<event/>", "JSON is malformed: invalid character (byte 0)"),
        (b'{"event":{}} x', "JSON is malformed: trailing characters (byte 14)"),
        (b"{'event':{}}", "JSON is malformed: object keys must be strings (byte 1)"),
        (b'{"event":{"timestamp":NaN}}', "JSON is malformed: invalid character (byte 22)"),
        (b'{"event":{"properties":{"a":Infinity}}}', "JSON is malformed: invalid character (byte 28)"),
        (b"\xef\xbb\xbf{}", "JSON is malformed: invalid character (byte 0)"),
    ],
)
def test_a_body_that_cannot_be_parsed_is_located(post, path, body, reason):
    assert answer(post(path, body)) == {"status": 400, "error": f"BadRequest: {reason}"}


def test_an_unknown_route_is_not_found(request_raw):
    not_found = {"status": 404, "error": "Not Found", "code": "resource_not_found"}
    paths = ("/api/v1/nothing", "/api/v1/events/", "/api/v1/", "/api/v1", "/api/", "/api")
    for path in (
        *paths,
        "/api/v2/events",
        "/api/x",
        "/api/v1/%00",
        "/api/v1/%0A",
        "/api/v1/api/v1/events",
        "/api/docs/x",
    ):
        for method in ("GET", "POST", "DELETE"):
            assert answer(request_raw(method, path)) == not_found


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_another_method_is_not_allowed(request_raw, method):
    response = request_raw(method, "/api/v1/events/batch")
    assert answer(response) == {"status": 405, "error": "Method Not Allowed", "code": "method_not_allowed"}
    assert "POST" in response["Allow"]


def test_a_body_over_the_limit_is_too_large(post, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    body = {"event": make_event(properties={"text": "x" * 1000})}
    assert answer(post("events", body)) == {
        "status": 413,
        "error": "Content Too Large",
        "code": "body_is_too_large",
    }
    assert not UsageEvent.objects.exists()


def test_a_fault_of_ours_tells_nothing_of_itself(request_raw, monkeypatch):
    def fail(**values):
        raise RuntimeError("secret detail")

    monkeypatch.setattr("ingest.intake.store_events", fail)
    body = b'{"events":[{"transaction_id":"t","code":"c"}]}'
    response = request_raw("POST", "/api/v1/events/batch", body)
    assert answer(response) == {"status": 500, "error": "Internal Server Error"}


def test_a_database_that_is_gone_is_no_fault_of_the_event(request_raw, monkeypatch):
    def fail(**values):
        raise OperationalError("the connection is lost")

    monkeypatch.setattr("ingest.intake.store_events", fail)
    body = b'{"events":[{"transaction_id":"t","code":"c"}]}'
    response = request_raw("POST", "/api/v1/events/batch", body)
    assert answer(response) == {
        "status": 503,
        "error": "Service Unavailable",
        "code": "database_unavailable",
    }


def test_a_fault_outside_any_view_is_json_under_api_and_a_page_elsewhere(request_raw, monkeypatch):
    def fail(request):
        raise RuntimeError("secret detail")

    monkeypatch.setattr("billing_console.middleware.call_view", fail)
    monkeypatch.setattr(
        "whitenoise.middleware.WhiteNoiseMiddleware.__call__", lambda self, request: fail(request)
    )
    assert answer(request_raw("POST", "/api/v1/events")) == {"status": 500, "error": "Internal Server Error"}
    page = request_raw("GET", "/admin/")
    assert (page.status_code, page["Content-Type"]) == (500, "text/html; charset=utf-8")


def test_an_unknown_host_name_is_json_under_api_and_a_page_elsewhere(request_raw):
    response = request_raw("GET", "/api/schema", headers={"host": "other.example"})
    assert answer(response) == {"status": 400, "error": "BadRequest: the request is malformed"}
    page = request_raw("GET", "/admin/", headers={"host": "other.example"})
    assert (page.status_code, page["Content-Type"]) == (400, "text/html; charset=utf-8")


def test_the_api_is_reached_by_any_host_name(request_raw):
    body = b'{"event":{"transaction_id":"t","code":"c"}}'
    assert request_raw("POST", "/api/v1/events", body, headers={"host": "other.example"}).status_code == 200
