"""A key with a limit: told with every answer what it has left, and 429 with the seconds to wait beyond it."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ingest.keys import create_key
from ingest.models import RateWindow, UsageEvent
from ingest.rate_limits import WINDOW_SECONDS
from tests.ingest.api.conftest import make_event

pytestmark = pytest.mark.django_db

HEADERS = ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"]


@pytest.fixture
def call_limited(call, service):
    """Calls with a key that may be used three times."""
    key = create_key(service=service, name="", actor=None, scopes=["ingest"], rate_limit=3).key

    def call_limited(*request):
        return call(*request, authorization=f"Bearer {key}")

    return call_limited


def read_headers(response):
    return [response.headers.get(name) for name in HEADERS]


def test_every_answer_says_what_is_left_and_one_beyond_the_limit_is_429(call_limited):
    answers = [
        call_limited("POST", "events", {"event": make_event()}),
        call_limited("POST", "events", b"{"),
        call_limited("GET", "billable_metrics"),
        call_limited("POST", "events", {"event": make_event("t-2")}),
    ]
    assert [answer.status_code for answer in answers] == [200, 400, 403, 429]
    reset = str(WINDOW_SECONDS)
    assert [read_headers(answer) for answer in answers] == [
        ["3", "2", reset],
        ["3", "1", reset],
        ["3", "0", reset],
        ["3", "0", reset],
    ]
    assert answers[-1]["Content-Type"] == "application/json"
    assert answers[-1].json() == {
        "status": 429,
        "error": "Too Many Requests",
        "code": "rate_limit_exceeded",
    }
    assert UsageEvent.objects.get().transaction_id == "t-1"


def test_a_key_without_a_limit_is_neither_counted_nor_told_of_one(call):
    answer = call("POST", "events", {"event": make_event()})
    assert read_headers(answer) == [None, None, None]
    with CaptureQueriesContext(connection) as queries:
        assert call("POST", "events", {"event": make_event("t-2")}).status_code == 200
    assert not [query for query in queries if "ratewindow" in query["sql"]]
    assert not RateWindow.objects.exists()


def test_one_keys_limit_is_not_anothers(call, call_limited):
    for _ in range(4):
        call_limited("POST", "events", b"{")
    assert call("POST", "events", {"event": make_event()}).status_code == 200
