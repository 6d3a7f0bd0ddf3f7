"""Storing events: all or none, each once, whatever happens at the same time."""

import random
import time
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
from ingest.grouping import store_event
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
        store_event(service_id=service.pk, event=make_event("c"))
    assert stored() == ["a", "c"]


@pytest.mark.django_db(transaction=True)
def test_what_was_stored_inside_a_transaction_goes_with_it():
    service = factories.ServiceFactory()
    with transaction.atomic():
        store_event(service_id=service.pk, event=make_event("a"))
        store_events(service_id=service.pk, events=make_events("b", "c"))
        transaction.set_rollback(True)
    assert stored() == []


@pytest.mark.django_db(transaction=True)
def test_what_was_stored_is_committed_when_the_call_returns(second_session):
    service = factories.ServiceFactory()
    store_events(service_id=service.pk, events=make_events("a", "b"))
    store_event(service_id=service.pk, event=make_event("c"))
    assert second_session.execute("SELECT count(*) FROM ingest_usageevent").fetchone() == (3,)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("store", ["batch", "single"])
def test_an_event_sent_by_twenty_threads_is_stored_once(store):
    service = factories.ServiceFactory()
    if store == "batch":
        calls = [lambda: store_events(service_id=service.pk, events=make_events("a", "b"))] * THREADS
    else:
        calls = [lambda: store_event(service_id=service.pk, event=make_event("a"))] * THREADS
    assert count_kinds(run_at_once(calls)) == {datetime: 1, EventsRefused: THREADS - 1}
    assert stored() == (["a", "b"] if store == "batch" else ["a"])


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


@pytest.fixture
def blocked_subscription(second_session):
    """A service one of whose events is being stored by another session, for as long as that is open."""
    service = factories.ServiceFactory()
    second_session.execute(
        "INSERT INTO ingest_usageevent"
        " (service_id, external_subscription_id, transaction_id, code, timestamp, properties)"
        " VALUES (%s, 'sub-1', 'blocked', 'api', now(), '{}')",
        [service.pk],
    )
    return service


def store_behind(second_session, service, names):
    """Stores `blocked`, which waits for the other session, then the others at once; then lets them go."""
    results = {}

    def store(name, event):
        try:
            results[name] = store_event(service_id=service.pk, event=event)
        except Exception as error:
            results[name] = error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(names) + 1) as pool:
        pool.submit(store, "blocked", make_event("blocked"))
        time.sleep(0.5)
        for name, event in names.items():
            pool.submit(store, name, event)
        time.sleep(0.5)
        second_session.rollback()
    return results


@pytest.mark.django_db(transaction=True)
def test_single_events_that_come_while_one_is_stored_are_stored_together(
    second_session, blocked_subscription
):
    names = {name: make_event(name) for name in "abcde"}
    results = store_behind(second_session, blocked_subscription, names)
    assert count_kinds(results.values()) == {datetime: 6}
    assert stored() == ["a", "b", "blocked", "c", "d", "e"]
    writers = dict(UsageEvent.objects.values_list("transaction_id", "transaction"))
    assert len(set(writers.values())) == 2
    assert {writers[name] for name in names} != {writers["blocked"]}


@pytest.mark.django_db(transaction=True)
def test_a_refused_event_takes_no_other_of_its_group_with_it(second_session, blocked_subscription):
    names = {
        "a": make_event("a"),
        "again": make_event("a"),
        "nul": make_event("nul", properties=rb'{"a":"\u0000"}'),
        "b": make_event("b"),
    }
    results = store_behind(second_session, blocked_subscription, names)
    kinds = {name: type(result) for name, result in results.items()}
    assert kinds["nul"] is EventsRefused
    assert results["nul"].refusals == {0: Refusal.UNSTORABLE_PROPERTIES}
    assert {kinds["a"], kinds["again"]} == {datetime, EventsRefused}
    assert kinds["b"] is kinds["blocked"] is datetime
    assert stored() == ["a", "b", "blocked"]


@pytest.mark.django_db(transaction=True)
def test_events_of_two_services_do_not_wait_for_one_another(second_session, blocked_subscription):
    other = factories.ServiceFactory()
    with ThreadPoolExecutor(1) as pool:

        def store_and_close():
            try:
                store_event(service_id=blocked_subscription.pk, event=make_event("blocked"))
            finally:
                connection.close()

        waiting = pool.submit(store_and_close)
        time.sleep(0.3)
        store_event(service_id=other.pk, event=make_event("blocked"))
        assert not waiting.done()
        second_session.rollback()
    waiting.result()
    assert stored() == ["blocked", "blocked"]
