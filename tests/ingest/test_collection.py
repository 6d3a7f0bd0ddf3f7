"""Storing events: all or none, each once, whatever happens at the same time."""

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier
from uuid import UUID

import msgspec
import pytest
from django.db import connection, transaction

from ingest.collection import (
    EventsRefused,
    PostedEvent,
    Refusal,
    find_refusals,
    make_public_ids,
    store_events,
)
from ingest.models import UsageEvent
from tests import factories

THREADS = 20


def make_event(transaction_id, subscription="sub-1", properties=b'{"value":"2"}'):
    return PostedEvent(
        public_id=make_public_ids(1)[0],
        transaction_id=transaction_id,
        code="api",
        external_subscription_id=subscription,
        timestamp=datetime(2026, 9, 10, tzinfo=UTC),
        properties=msgspec.Raw(properties),
    )


def make_events(*transaction_ids):
    return [make_event(transaction_id) for transaction_id in transaction_ids]


def stored():
    return sorted(UsageEvent.objects.values_list("transaction_id", flat=True))


def run_at_once(calls):
    """What each call returned or raised; every call has a thread and a session of its own."""
    barrier = Barrier(len(calls))

    def run(call):
        try:
            connection.ensure_connection()
            barrier.wait(10)
            return call()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def count_kinds(results):
    return Counter(type(result) for result in results)


def test_public_ids_are_random_uuids_of_version_4():
    drawn = [UUID(public_id) for public_id in make_public_ids(1000)]
    assert len(set(drawn)) == 1000
    assert {(public_id.version, public_id.variant) for public_id in drawn} == {(4, drawn[0].variant)}
    assert make_public_ids(0) == []


@pytest.mark.django_db
def test_a_refusal_names_every_event_that_is_to_blame():
    service = factories.ServiceFactory()
    store_events(service_id=service.pk, events=make_events("b"))
    events = [*make_events("a", "b", "c", "c"), make_event("d", properties=rb'{"a":"\u0000"}')]
    expected = {1: Refusal.DUPLICATE, 3: Refusal.DUPLICATE, 4: Refusal.UNSTORABLE_PROPERTIES}
    assert find_refusals(service_id=service.pk, events=events) == expected
    with pytest.raises(EventsRefused) as refused:
        store_events(service_id=service.pk, events=events)
    assert refused.value.refusals == expected
    assert stored() == ["b"]


@pytest.mark.django_db
def test_a_refusal_inside_a_transaction_leaves_the_transaction_usable():
    service = factories.ServiceFactory()
    with transaction.atomic():
        store_events(service_id=service.pk, events=make_events("a"))
        with pytest.raises(EventsRefused):
            store_events(service_id=service.pk, events=make_events("b", "a"))
        store_events(service_id=service.pk, events=make_events("c"))
    assert stored() == ["a", "c"]


@pytest.mark.django_db(transaction=True)
def test_what_was_stored_inside_a_transaction_goes_with_it():
    service = factories.ServiceFactory()
    with transaction.atomic():
        store_events(service_id=service.pk, events=make_events("a", "b"))
        transaction.set_rollback(True)
    assert stored() == []


@pytest.mark.django_db(transaction=True)
def test_what_was_stored_is_committed_when_the_call_returns(second_session):
    service = factories.ServiceFactory()
    store_events(service_id=service.pk, events=make_events("a", "b"))
    assert second_session.execute("SELECT count(*) FROM ingest_usageevent").fetchone() == (2,)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("names", ["a", "ab"])
def test_events_sent_by_twenty_threads_are_stored_once(names):
    service = factories.ServiceFactory()
    calls = [lambda: store_events(service_id=service.pk, events=make_events(*names))] * THREADS
    assert count_kinds(run_at_once(calls)) == {datetime: 1, EventsRefused: THREADS - 1}
    assert stored() == list(names)


@pytest.mark.django_db(transaction=True)
def test_of_overlapping_batches_in_any_order_some_are_stored_whole_and_none_deadlocks():
    service = factories.ServiceFactory()
    for turn in range(5):
        names = [f"{turn}-{number:02}" for number in range(40)]
        orders = [random.sample(names, len(names)) for _ in range(8)]
        calls = [
            lambda order=order: store_events(service_id=service.pk, events=make_events(*order))
            for order in orders
        ]
        assert count_kinds(run_at_once(calls)) == {datetime: 1, EventsRefused: 7}
        assert [name for name in stored() if name.startswith(f"{turn}-")] == names


@pytest.mark.django_db(transaction=True)
def test_of_two_batches_that_share_an_event_one_is_refused_whole():
    service = factories.ServiceFactory()
    first = lambda: store_events(service_id=service.pk, events=make_events("a", "shared", "z"))  # noqa: E731
    second = lambda: store_events(service_id=service.pk, events=make_events("y", "shared", "b"))  # noqa: E731
    assert count_kinds(run_at_once([first, second])) == {datetime: 1, EventsRefused: 1}
    assert stored() in (["a", "shared", "z"], ["b", "shared", "y"])
