"""What a real server sends for requests that lead nowhere: JSON, over one connection, the next one served."""

import json
from http.client import HTTPConnection

import pytest

from ingest.keys import create_key
from tests import factories
from tests.ingest.api.test_live_server import MEBIBYTE

pytestmark = pytest.mark.django_db(transaction=True)

HUGE = b"x" * 10 * MEBIBYTE


def test_every_request_that_leads_nowhere_is_answered_in_json_and_the_next_is_served(port, transactional_db):
    key = create_key(service=factories.ServiceFactory(), name="live", actor=None, rate_limit=1_000).key
    connection = HTTPConnection("127.0.0.1", port, timeout=30)

    def ask(method, path, body=b"", **headers):
        headers = {"Authorization": f"Bearer {key}", "Accept": "text/html"} | headers
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        text = response.read()
        assert response.headers["Content-Type"] == "application/json", (method, path)
        return response.status, json.loads(text).get("code") if text else None

    form = {"Content-Type": "application/x-www-form-urlencoded"}
    unknown = (404, "resource_not_found")
    assert ask("POST", "/api/v1/wallets", b"a=b", **form) == unknown
    assert ask("POST", "/api/v1", HUGE, **form) == unknown
    assert ask("POST", "/api", HUGE) == unknown
    assert ask("BREW", "/api/v1/coupons") == unknown
    assert ask("HEAD", "/api/v1/wallets") == (404, None)
    assert ask("HEAD", "/api/v1/billable_metrics") == (200, None)
    assert ask("HEAD", "/api/v1/events") == (200, None)
    assert ask("HEAD", "/api/v1/events/batch") == (405, None)
    assert ask("OPTIONS", "/api/v1/events") == (405, "method_not_allowed")
    assert ask("POST", "/api/v1/events", HUGE) == (413, "body_is_too_large")
    assert ask("POST", "/health", HUGE) == (405, "method_not_allowed")
    assert ask("GET", "/api/v1/wallets", Host="other.example") == unknown
    assert ask("GET", "/health", Host="other.example") == (200, None)
    assert ask("GET", "/api/v1/billable_metrics") == (200, None)
