"""Keys on a server of several processes: what is decided once holds in each of them within moments."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db.models import F
from lago_python_client import Client
from lago_python_client.exceptions import LagoApiError, LagoRateLimitError
from lago_python_client.models import Event

from billing_console.runtime.table import WEB
from ingest.keys import create_key, limit_key, revoke_key, rotate_key
from ingest.models import RateWindow, UsageEvent
from ingest.rate_limits import WINDOW_SECONDS
from tests import factories
from tests.ingest.api.test_live_server import HTTPSession

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def issue(transactional_db):
    def issue(**values):
        return create_key(service=factories.ServiceFactory(), name="live", actor=None, **values)

    return issue


def post_at_once(port, key, count):
    """The statuses of many requests over as many connections, so that every worker answers some."""

    def post(name):
        with HTTPSession(port, key) as session:
            return session.post(str(name))

    with ThreadPoolExecutor(8) as pool:
        return Counter(pool.map(post, range(count)))


def make_event(transaction_id):
    return Event(transaction_id=transaction_id, external_subscription_id="sub-1", code="api")


def test_the_server_runs_two_workers():
    assert WEB[WEB.index("--workers") + 1] == "2"


def test_what_is_decided_about_keys_in_use_holds_in_every_worker_within_two_seconds(port, issue):
    revoked, rotated, limited = issue(), issue(), issue()
    for issued in (revoked, rotated, limited):
        assert post_at_once(port, issued.key, 40)[200] == 40
    revoke_key(key_id=revoked.record.pk, actor=None)
    limit_key(key_id=limited.record.pk, rate_limit=5, actor=None)
    new = rotate_key(key_id=rotated.record.pk, actor=None, overlap=timedelta())
    assert post_at_once(port, new.key, 40)[401] == 0, "the new key works at once"
    time.sleep(1.5)
    assert post_at_once(port, revoked.key, 40) == {401: 40}
    assert post_at_once(port, rotated.key, 40) == {401: 40}
    assert post_at_once(port, limited.key, 40)[429] == 35


def test_a_limit_is_one_for_all_workers(port, issue):
    key = issue(rate_limit=20).key
    assert post_at_once(port, key, 60) == {200: 20, 429: 40}
    assert UsageEvent.objects.count() == 20


def test_the_official_client_waits_as_it_is_told_and_loses_nothing(port, issue):
    seen = []
    lago = Client(
        api_key=issue(rate_limit=2).key, api_url=f"http://127.0.0.1:{port}", on_rate_limit_info=seen.append
    )
    for name in "ab":
        assert lago.events.create(make_event(name)).transaction_id == name
    # As if most of the window had passed.
    RateWindow.objects.update(started_at=F("started_at") - timedelta(seconds=WINDOW_SECONDS - 3))
    started = time.monotonic()
    assert lago.events.create(make_event("c")).transaction_id == "c"
    assert 1 < time.monotonic() - started < 8
    assert UsageEvent.objects.count() == 3
    with pytest.raises(LagoApiError):
        lago.billable_metrics.find("unknown")
    assert [(info.limit, info.remaining) for info in seen] == [(2, 0)]


def test_a_client_that_does_not_wait_reads_the_limit_from_its_error(port, issue):
    lago = Client(
        api_key=issue(rate_limit=1).key, api_url=f"http://127.0.0.1:{port}", retry_on_rate_limit=False
    )
    with pytest.raises(LagoApiError):
        lago.billable_metrics.find("unknown")
    with pytest.raises(LagoRateLimitError) as refused:
        lago.billable_metrics.find("unknown")
    error = refused.value
    assert (error.status_code, error.limit, error.remaining) == (429, 1, 0)
    assert 1 <= error.reset <= WINDOW_SECONDS
