"""Each event has a verdict, and it is what metering makes of the event: no more, no less, and never out of date."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.fee_events import fees_of
from ingest.models import Aggregation, Usage, UsageEvent
from ingest.prices import PriceBook
from ingest.usage import measure
from ingest.verdicts import (
    COUNTING,
    OF_STORED,
    Selection,
    Verdict,
    count_by_key,
    count_verdicts,
    find_events,
    judge,
)
from ingest.windows import windows_of
from tests import factories
from tests.ingest.selling import NOW, add_charge, bill, make_subscription, post

pytestmark = pytest.mark.django_db

START, END = factories.PERIOD_START, factories.PERIOD_END
NOON = datetime(2026, 9, 10, 12, tzinfo=UTC)
LABELS = ["2026-08", "2026-09", "2026-10", "2026-11", "2026-12"]
FILTERS = [{"values": {"cloud": ["aws"]}, "properties": {"amount": "2"}}]


def verdict_of(event, now=NOW):
    return judge([event], now=now).get(event.pk)


def stray(subscription, external_id, **values):
    """An event of the service under another subscription's id."""
    return factories.UsageEventFactory(
        service=subscription.service,
        external_subscription_id=external_id,
        timestamp=NOON,
        **{"code": "api", **values},
    )


@pytest.fixture
def subscription():
    """One that sells a sum of `value` by cloud, from the start of the year."""
    subscription = make_subscription(external_id="ours")
    charge = add_charge(subscription, filters=FILTERS)
    charge.metric.filters = {"cloud": ["aws", "gcp"]}
    charge.metric.save()
    return subscription


# --- each verdict ------------------------------------------------------------------------------------------


def test_an_event_that_a_filter_takes_is_counted_and_another_by_default(subscription):
    assert verdict_of(post(subscription, NOON, properties={"value": "1", "cloud": "aws"})) == Verdict.COUNTED
    for properties in ({"value": "1", "cloud": "gcp"}, {"value": "1", "cloud": "mars"}, {"value": 1}):
        assert verdict_of(post(subscription, NOON, properties=properties)) == Verdict.FILTER_DEFAULT


def test_without_filters_nothing_is_counted_by_default():
    subscription = make_subscription()
    add_charge(subscription)
    assert verdict_of(post(subscription, NOON, "1")) == Verdict.COUNTED


def test_a_code_that_no_metric_has_and_one_that_the_plan_does_not_price_are_unmatched(subscription):
    assert verdict_of(post(subscription, NOON, "1", code="unheard")) == Verdict.UNMATCHED_CODE
    factories.MetricFactory(service=subscription.service, code="unsold")
    assert verdict_of(post(subscription, NOON, "1", code="unsold")) == Verdict.UNMATCHED_CODE


@pytest.mark.parametrize("external_id", ["unheard", None])
def test_an_event_of_no_subscription_is_unmatched(subscription, external_id):
    event = stray(subscription, external_id)
    assert verdict_of(event) == Verdict.UNMATCHED_SUBSCRIPTION


def test_a_subscription_that_was_given_up_before_it_began_is_none(subscription):
    type(subscription).objects.update(canceled_at=subscription.started_at - timedelta(days=1))
    assert verdict_of(post(subscription, NOON, "1")) == Verdict.UNMATCHED_SUBSCRIPTION


def test_what_was_used_outside_of_the_subscription_is_before_or_after_it():
    ends = datetime(2026, 9, 20, 12, 0, 0, 1500, tzinfo=UTC)
    subscription = make_subscription(started_at=NOON, terminated_at=ends)
    add_charge(subscription)
    millisecond = timedelta(milliseconds=1)
    assert verdict_of(post(subscription, NOON - millisecond, "1")) == Verdict.BEFORE_START
    assert verdict_of(post(subscription, NOON, "1")) == Verdict.COUNTED
    assert verdict_of(post(subscription, ends - millisecond, "1")) == Verdict.COUNTED
    assert verdict_of(post(subscription, ends, "1")) == Verdict.AFTER_END


def test_what_ended_before_the_console_took_the_subscription_over_is_before_its_start(subscription):
    type(subscription).objects.update(metered_from=NOON)
    assert verdict_of(post(subscription, START - timedelta(days=1), "1")) == Verdict.BEFORE_START
    # The period of that day is metered whole.
    assert verdict_of(post(subscription, START, "1")) == Verdict.FILTER_DEFAULT


@pytest.mark.parametrize("value", ["5e3", "many", True, [1], " 5"])
def test_what_is_no_plain_number_is_not_numeric(subscription, value):
    assert verdict_of(post(subscription, NOON, properties={"value": value})) == Verdict.NOT_NUMERIC


@pytest.mark.parametrize("properties", [{}, {"value": None}, {"values": 1}])
def test_without_the_metrics_field_it_is_missing(subscription, properties):
    assert verdict_of(post(subscription, NOON, properties=properties)) == Verdict.MISSING_PROPERTY


def test_what_came_after_its_period_closed_is_late(subscription):
    close = END + timedelta(hours=subscription.service.grace_hours)
    on_time = post(subscription, NOON, "1", received_at=close)
    late = post(subscription, NOON, "1", received_at=close + timedelta(seconds=1))
    assert (verdict_of(on_time), verdict_of(late)) == (Verdict.FILTER_DEFAULT, Verdict.LATE)


def test_what_is_still_to_come_is_of_the_future_until_it_is_not(subscription):
    event = post(subscription, NOON, "1", received_at=START)
    assert verdict_of(event, now=NOON - timedelta(seconds=1)) == Verdict.FUTURE
    assert verdict_of(event, now=NOON) == Verdict.FILTER_DEFAULT
    assert (
        verdict_of(post(subscription, datetime(5000, 1, 1, tzinfo=UTC), "1", received_at=START))
        == Verdict.FUTURE
    )


# --- replayed by itself ------------------------------------------------------------------------------------


def test_a_subscription_and_a_metric_that_come_later_pick_up_what_waits_for_them():
    service = factories.ServiceFactory()
    event = factories.UsageEventFactory(
        service=service, external_subscription_id="later", code="later", timestamp=NOON, quantity=None
    )
    assert verdict_of(event) == Verdict.UNMATCHED_CODE
    metric = factories.MetricFactory(service=service, code="later")
    assert verdict_of(event) == Verdict.UNMATCHED_SUBSCRIPTION
    subscription = make_subscription(service=service, external_id="later")
    assert verdict_of(event) == Verdict.UNMATCHED_CODE
    factories.ChargeFactory(plan=subscription.plan, metric=metric)
    assert verdict_of(event) == Verdict.COUNTED
    bill(service)
    usage = Usage.objects.get()
    assert (usage.quantity, usage.events_count) == (event.properties["value"] and 2.5, 1)


def test_another_services_catalogue_decides_nothing(subscription):
    theirs = factories.UsageEventFactory(external_subscription_id="ours", code="api", timestamp=NOON)
    assert verdict_of(theirs) == Verdict.UNMATCHED_CODE
    ours = post(subscription, NOON, properties={"value": "1", "cloud": "aws"})
    assert judge([ours, theirs], now=NOW) == {ours.pk: Verdict.COUNTED, theirs.pk: Verdict.UNMATCHED_CODE}


# --- counted means metered ---------------------------------------------------------------------------------

DAYS = st.datetimes(datetime(2026, 8, 1), datetime(2026, 11, 30)).map(lambda time: time.replace(tzinfo=UTC))
TERMS = st.lists(
    st.tuples(
        st.sampled_from(
            [datetime(2026, month, day, 12, tzinfo=UTC) for month in (8, 9, 10) for day in (1, 17)]
        ),
        st.sampled_from([None, 10, 40]),
        st.booleans(),
    ),
    max_size=2,
    unique_by=lambda term: term[0],
)
METRICS = st.sampled_from(
    [
        *[(name, False) for name in Aggregation.values],
        *[(name, True) for name in ("sum_agg", "unique_count_agg", "weighted_sum_agg")],
    ]
)
EVENT = st.fixed_dictionaries(
    {
        "at": st.one_of(DAYS, st.sampled_from([datetime(2026, 9, 17, 12, tzinfo=UTC), START, END])),
        "properties": st.sampled_from(
            [{}, {"value": "2"}, {"value": 3}, {"value": "x"}, {"value": None}, {"value": 1, "cloud": "aws"}]
        ),
        "code": st.sampled_from(["api", "api", "api", "unsold", "unheard"]),
        "received": st.sampled_from([0, 60]),
    }
)
INSERT = """
    INSERT INTO ingest_usageevent (service_id, external_subscription_id, transaction_id, code, timestamp,
        properties, received_at)
    VALUES (%s, 'ours', 't', %s, %s, %s::jsonb, %s) RETURNING id
"""


def sell(terms, metric):
    """Subscriptions one after the other under one id, some on plans that do not price the metric."""
    aggregation, is_recurring = metric
    service = factories.ServiceFactory()
    sold = factories.MetricFactory(
        service=service,
        code="api",
        aggregation=aggregation,
        is_recurring=is_recurring,
        filters={"cloud": ["aws"]},
    )
    factories.MetricFactory(service=service, code="unsold")
    terms = sorted(terms, key=lambda term: term[0])
    for place, (started_at, days, is_priced) in enumerate(terms):
        ends = started_at + timedelta(days=days) if days else None
        if place + 1 < len(terms):
            ends = min(ends or terms[place + 1][0], terms[place + 1][0])
        subscription = make_subscription(
            service=service, external_id="ours", started_at=started_at, terminated_at=ends
        )
        if is_priced:
            factories.ChargeFactory(plan=subscription.plan, metric=sold, filters=FILTERS)
    return service


def is_metered(service, event):
    """Whether any period has usage that the event, alone in the world, is part of."""
    for label in LABELS:
        windows = windows_of(service=service, period_label=label)
        book = PriceBook({window.plan_id for window in windows})
        if list(measure(service=service, windows=windows, book=book)):
            return True
    return False


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(terms=TERMS, metric=METRICS, event=EVENT)
def test_an_event_has_a_counting_verdict_if_and_only_if_it_is_metered(db, terms, metric, event):
    with transaction.atomic():
        service = sell(terms, metric)
        received_at = event["at"] + timedelta(days=event["received"])
        with connection.cursor() as cursor:
            properties = json.dumps(event["properties"])
            cursor.execute(INSERT, [service.pk, event["code"], event["at"], properties, received_at])
            (key,) = cursor.fetchone()
        (verdict,) = judge(UsageEvent.objects.filter(pk=key), now=datetime(2026, 12, 15, tzinfo=UTC)).values()
        assert (verdict in COUNTING) == is_metered(service, event)
        transaction.set_rollback(True)


@pytest.mark.parametrize("aggregation", [Aggregation.SUM, Aggregation.UNIQUE_COUNT, Aggregation.COUNT])
def test_the_events_of_fees_are_those_that_count(subscription, aggregation):
    metric = subscription.plan.charges.get().metric
    metric.aggregation = aggregation
    metric.save()
    for properties in ({"value": "1", "cloud": "aws"}, {"value": "1"}, {"value": "x"}, {"cloud": "aws"}, {}):
        post(subscription, NOON, properties=properties)
    post(subscription, NOON, "1", code="unheard")
    post(subscription, datetime(2025, 9, 1, tzinfo=UTC), "1")
    bill(subscription.service)
    events = list(UsageEvent.objects.all())
    verdicts = judge(events, now=NOW)
    assert len(verdicts) == len(events)
    for event in events:
        assert bool(fees_of(event)) == (verdicts[event.pk] in COUNTING), verdicts[event.pk]


# --- counted, found, told by who sent them -----------------------------------------------------------------


def test_events_are_counted_by_verdict_code_and_subscription_and_by_sender(subscription):
    key = factories.ApiKeyFactory(service=subscription.service)
    for _ in range(2):
        post(subscription, NOON, properties={"value": "1", "cloud": "aws"}, key=key)
    post(subscription, NOON, "x", key=key)
    unheard = stray(subscription, None, code="unheard")
    post(subscription, NOON, "1", received_at=NOON + timedelta(days=1))
    factories.UsageEventFactory(timestamp=NOON)
    chosen = Selection([subscription.service_id], received_from=NOON, received_to=NOON + timedelta(days=1))

    tallies = [
        (tally.verdict, tally.code, tally.external_subscription_id, tally.count)
        for tally in count_verdicts(chosen, now=NOW)
    ]
    assert tallies == [
        (Verdict.COUNTED, "api", "ours", 2),
        (Verdict.NOT_NUMERIC, "api", "ours", 1),
        (Verdict.UNMATCHED_CODE, "unheard", None, 1),
    ]
    assert count_by_key(chosen, now=NOW) == {
        key.pk: {Verdict.COUNTED: 2, Verdict.NOT_NUMERIC: 1},
        None: {Verdict.UNMATCHED_CODE: 1},
    }
    assert find_events(chosen, Verdict.UNMATCHED_CODE, now=NOW, limit=10) == [unheard.pk]
    assert len(find_events(chosen, Verdict.COUNTED, now=NOW, limit=1)) == 1


def test_every_verdict_on_what_is_stored_can_be_given():
    assert set(OF_STORED) == set(Verdict) - {Verdict.DUPLICATE}
    assert set(OF_STORED) > COUNTING


def test_judging_a_page_takes_as_many_queries_as_judging_one(subscription, django_assert_max_num_queries):
    events = [post(subscription, NOON + timedelta(minutes=minute), "1") for minute in range(20)]
    with django_assert_max_num_queries(12):
        assert len(judge(events, now=NOW)) == 20
