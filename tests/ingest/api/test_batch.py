"""POST /events/batch: all or nothing, with every reason at its index (Lago: events)."""

import pytest
from django.db import connection

from ingest.models import UsageEvent
from tests import factories
from tests.ingest.api.conftest import make_event
from tests.ingest.api.refusals import refused

pytestmark = pytest.mark.django_db

TAKEN = {"transaction_id": ["value_already_exist"]}
BLANK = {"transaction_id": ["value_is_mandatory"], "code": ["value_is_mandatory"]}


def test_a_batch_is_stored_and_answered_in_its_order(post_batch, service):
    factories.MetricFactory(service=service, code="api", field_name="amount")
    names = [f"t-{number}" for number in (7, 3, 9, 1)]
    response = post_batch(*(make_event(name, properties={"amount": name[-1]}) for name in names))
    assert response.status_code == 200
    assert list(response.json()) == ["events"]
    answered = response.json()["events"]
    assert [event["transaction_id"] for event in answered] == names
    rows = {row.transaction_id: row for row in UsageEvent.objects.all()}
    assert [event["lago_id"] for event in answered] == [str(rows[name].public_id) for name in names]
    assert [rows[name].quantity for name in names] == [7, 3, 9, 1]
    assert {row.service for row in rows.values()} == {service}


def test_a_hundred_events_are_taken(post_batch):
    assert post_batch(*(make_event(f"t-{number}") for number in range(100))).status_code == 200
    assert UsageEvent.objects.count() == 100


def test_more_than_a_hundred_are_too_many(post_batch):
    events = [make_event(f"t-{number}") for number in range(101)]
    assert refused(post_batch(*events)) == {"events": ["too_many_events"]}
    assert not UsageEvent.objects.exists()


def test_the_limit_is_a_setting(post_batch, settings):
    settings.EVENTS_BATCH_MAX = 2
    assert post_batch(make_event("t-1"), make_event("t-2")).status_code == 200
    assert refused(post_batch(*[make_event()] * 3)) == {"events": ["too_many_events"]}


@pytest.mark.parametrize("body", [{}, {"events": []}, {"events": None}, {"event": make_event()}])
def test_no_events_are_refused(post, body):
    assert refused(post("events/batch", body)) == {"events": ["no_events"]}


@pytest.mark.parametrize("events", [{}, {"0": make_event()}, "text", 12, True])
def test_events_are_an_array(post, events):
    assert refused(post("events/batch", {"events": events})) == {"events": ["value_is_invalid"]}


def test_bad_events_are_named_by_their_index_and_nothing_is_stored(post_batch):
    response = post_batch(
        make_event("t-0"),
        make_event("t-1", timestamp="2024-03-15T12:00:00Z"),
        {},
        make_event("t-3"),
        make_event("t-4", code="x" * 256),
    )
    assert refused(response) == {
        "1": {"timestamp": ["invalid_format"]},
        "2": BLANK,
        "4": {"code": ["value_is_too_long"]},
    }
    assert not UsageEvent.objects.exists()


@pytest.mark.parametrize("element", [None, "text", 12, True, [], [make_event()]])
def test_an_element_that_is_no_object_is_named(post_batch, element):
    assert refused(post_batch(make_event(), element)) == {"1": {"event": ["value_is_invalid"]}}
    assert not UsageEvent.objects.exists()


def test_stored_duplicates_are_named_and_the_rest_is_not_stored(post_batch):
    post_batch(make_event("t-1"), make_event("t-3"))
    response = post_batch(*(make_event(f"t-{number}") for number in range(5)))
    assert refused(response) == {"1": TAKEN, "3": TAKEN}
    assert UsageEvent.objects.count() == 2


def test_an_event_repeated_in_a_batch_is_flagged_from_the_second_on(post_batch):
    response = post_batch(make_event("t-1"), make_event("t-2"), make_event("t-1"), make_event("t-1"))
    assert refused(response) == {"2": TAKEN, "3": TAKEN}
    assert not UsageEvent.objects.exists()


def test_a_stored_event_repeated_in_a_batch_is_flagged_each_time(post_batch):
    post_batch(make_event("t-1"))
    assert refused(post_batch(make_event("t-1"), make_event("t-1"))) == {"0": TAKEN, "1": TAKEN}


def test_the_same_id_on_two_subscriptions_is_two_events(post_batch):
    first, second = make_event("t-1"), make_event("t-1", external_subscription_id="sub-2")
    assert post_batch(first, second).status_code == 200
    assert UsageEvent.objects.count() == 2


def test_events_without_a_subscription_are_never_duplicates(post_batch):
    event = make_event("t-1", external_subscription_id=None)
    assert post_batch(event, event).status_code == 200
    assert post_batch(event).status_code == 200
    assert UsageEvent.objects.count() == 3


def test_duplicates_and_bad_events_are_named_together(post_batch):
    post_batch(make_event("t-1"))
    response = post_batch(
        make_event("t-2"),
        make_event("t-1"),
        make_event("t-3", properties=[]),
        make_event("t-2"),
        make_event("t-3"),
    )
    assert refused(response) == {"1": TAKEN, "2": {"properties": ["value_is_invalid"]}, "3": TAKEN}
    assert UsageEvent.objects.count() == 1


def test_a_batch_again_without_its_duplicates_is_taken(post_batch):
    post_batch(make_event("t-1"))
    events = [make_event(f"t-{number}") for number in range(3)]
    details = refused(post_batch(*events))
    assert (
        post_batch(*(event for at, event in enumerate(events) if str(at) not in details)).status_code == 200
    )
    assert UsageEvent.objects.count() == 3


def test_another_service_with_the_same_events_is_not_in_the_way(post_batch, service):
    for number in range(3):
        factories.UsageEventFactory(external_subscription_id="sub-1", transaction_id=f"t-{number}")
    assert post_batch(*(make_event(f"t-{number}") for number in range(3))).status_code == 200
    assert UsageEvent.objects.filter(service=service).count() == 3


def test_a_batch_is_stored_by_one_statement(post_batch):
    post_batch(*(make_event(f"t-{number}") for number in range(100)))
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT xmin::text, cmin::text FROM ingest_usageevent")
        assert len(cursor.fetchall()) == 1
