"""Events that say the same at the same time under two ids are told of; both stay and count."""

from datetime import UTC, datetime, timedelta

import pytest

from ingest.models import UsageEvent
from ingest.near_duplicates import count_repeats, find_near, find_runs
from tests import factories

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 9, 10, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture
def service():
    """The service that sent them."""
    return factories.ServiceFactory()


def send(service, at=NOON, **values):
    return factories.UsageEventFactory(service=service, timestamp=at, **values)


def runs(service, start=NOON - timedelta(hours=1), end=NOON + timedelta(hours=1)):
    found = find_runs(service_id=service.pk, start=start, end=end, limit=10)
    assert count_repeats(service_id=service.pk, start=start, end=end) == sum(
        r.events_count - 1 for r in found
    )
    return found


def test_the_same_within_a_second_is_a_run_and_nothing_is_dropped(service):
    first, second, third = send(service), send(service, NOON + SECOND), send(service, NOON + 2 * SECOND)
    send(service, NOON + 3 * SECOND + timedelta(microseconds=1))
    (run,) = runs(service)
    assert (run.external_subscription_id, run.code, run.happened_at) == ("sub-1", "metric_1", NOON)
    assert (run.events_count, run.events) == (3, [first.pk, second.pk, third.pk])
    assert set(find_near(second)) == {first, third}
    assert UsageEvent.objects.count() == 4


@pytest.mark.parametrize(
    "change",
    [
        {"at": NOON + SECOND + timedelta(microseconds=1)},
        {"code": "other"},
        {"external_subscription_id": "sub-2"},
        {"properties": {"value": "2.5", "more": 1}},
        {"precise_total_amount_cents": 5},
    ],
)
def test_what_differs_in_anything_but_its_id_is_another_event(service, change):
    first = send(service)
    send(service, **change)
    assert (runs(service), list(find_near(first))) == ([], [])


def test_without_a_subscription_nothing_is_billed_twice(service):
    events = [send(service, external_subscription_id=None) for _ in range(2)]
    assert (runs(service), list(find_near(events[0]))) == ([], [])


def test_a_run_is_told_when_its_last_event_is_received_and_may_begin_before(service):
    send(service)
    late = send(service, received_at=NOON + timedelta(hours=5))
    assert runs(service) == []
    (run,) = runs(service, NOON + timedelta(hours=5), NOON + timedelta(hours=6))
    assert run.events[-1] == late.pk


def test_another_service_is_no_part_of_a_run(service):
    first = send(service)
    factories.UsageEventFactory(timestamp=NOON)
    assert (runs(service), list(find_near(first))) == ([], [])
