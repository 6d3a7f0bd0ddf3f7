"""How often a key may be used: counted exactly, for every process at once, in a table that no disk is waited for."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.utils import timezone

from ingest.models import RateWindow
from ingest.rate_limits import WINDOW_SECONDS, count_request
from tests import factories

pytestmark = pytest.mark.django_db


def turn_back(seconds):
    """The window began that much earlier."""
    RateWindow.objects.update(started_at=F("started_at") - timedelta(seconds=seconds))


def test_a_limit_lets_its_number_through_in_a_window():
    key = factories.ApiKeyFactory()
    taken = [count_request(key_id=key.pk, limit=3) for _ in range(5)]
    assert [allowance.is_exceeded for allowance in taken] == [False, False, False, True, True]
    assert [allowance.headers["x-ratelimit-remaining"] for allowance in taken] == ["2", "1", "0", "0", "0"]
    assert {allowance.headers["x-ratelimit-limit"] for allowance in taken} == {"3"}


def test_the_reset_is_a_number_of_seconds_to_wait_after_which_there_is_a_new_window():
    key = factories.ApiKeyFactory()
    assert count_request(key_id=key.pk, limit=1).seconds == WINDOW_SECONDS
    turn_back(WINDOW_SECONDS - 2.5)
    allowance = count_request(key_id=key.pk, limit=1)
    assert (allowance.is_exceeded, allowance.seconds) == (True, 3)
    turn_back(2.4)
    assert count_request(key_id=key.pk, limit=1).headers["x-ratelimit-reset"] == "1"
    turn_back(1)
    allowance = count_request(key_id=key.pk, limit=1)
    assert (allowance.is_exceeded, allowance.used, allowance.seconds) == (False, 1, WINDOW_SECONDS)


def test_each_key_has_its_own_window():
    first, second = factories.ApiKeyFactory(), factories.ApiKeyFactory()
    count_request(key_id=first.pk, limit=1)
    assert count_request(key_id=first.pk, limit=1).is_exceeded
    assert not count_request(key_id=second.pk, limit=1).is_exceeded


def test_a_clock_that_was_set_back_locks_nobody_out():
    key = factories.ApiKeyFactory()
    RateWindow.objects.create(key=key, started_at=timezone.now() + timedelta(hours=1), used=1_000)
    allowance = count_request(key_id=key.pk, limit=1)
    assert (allowance.is_exceeded, allowance.seconds) == (False, WINDOW_SECONDS)


def test_counting_waits_for_no_disk():
    with connection.cursor() as cursor:
        cursor.execute("SELECT relpersistence FROM pg_class WHERE relname = 'ingest_ratewindow'")
        assert cursor.fetchone() == ("u",)


@pytest.mark.django_db(transaction=True)
def test_of_many_requests_at_once_no_more_than_the_limit_pass():
    key = factories.ApiKeyFactory()

    def count(_):
        try:
            return [count_request(key_id=key.pk, limit=25).is_exceeded for _ in range(10)]
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        refused = [is_refused for share in pool.map(count, range(8)) for is_refused in share]
    assert refused.count(False) == 25
