"""The database measures what the pure room means: every aggregation, with filters, groups, days and single events."""

import json
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.buckets import canonical_group, name_bucket
from ingest.metering.aggregation.contract import MetricRule, Span
from ingest.metering.aggregation.registry import aggregate
from ingest.metering.events import MeteredEvent
from ingest.metering.filters import buckets_of
from ingest.metering.grouping import split_by_group
from ingest.metering.rounding import Rounding
from ingest.models import Aggregation, ChargeModel, Metric, Usage
from ingest.prices import PriceBook, filters_of
from ingest.usage import meter_period, read_usage
from ingest.windows import windows_of
from tests import factories
from tests.ingest.selling import NOW, make_subscription

pytestmark = pytest.mark.django_db

ZONE = ZoneInfo("America/Toronto")
LABEL = "2026-11"  # the month in which clocks go back there
RANGES = [
    {"from_value": 0, "to_value": 5, "per_unit_amount": "10", "flat_amount": "100"},
    {"from_value": 6, "to_value": 15, "per_unit_amount": "5.5", "flat_amount": "50"},
    {"from_value": 16, "to_value": None, "per_unit_amount": "2", "flat_amount": "0"},
]
STANDARD = (ChargeModel.STANDARD, {"amount": "1"})
GRADUATED = (ChargeModel.GRADUATED, {"graduated_ranges": RANGES})
PERCENTAGES = [
    {"rate": "1.3", "fixed_amount": "2"},
    {"rate": "1.3", "fixed_amount": "2", "free_units_per_events": 3},
    {"rate": "2", "free_units_per_total_aggregation": "7.5"},
    {"rate": "2", "fixed_amount": "1", "free_units_per_events": 2, "free_units_per_total_aggregation": "9"},
    {"rate": "10", "per_transaction_min_amount": "0.5", "per_transaction_max_amount": "1.25"},
    {"rate": "10", "free_units_per_total_aggregation": "6", "per_transaction_min_amount": "0.5"},
    {"rate": "10", "fixed_amount": "1", "free_units_per_events": 2, "per_transaction_max_amount": "2"},
]
# Aggregation, whether it recurs, how it is priced, whether by days.
ASKED = [
    *[(aggregation, False, STANDARD, False) for aggregation in Aggregation.values],
    *[(name, True, STANDARD, False) for name in ("sum_agg", "unique_count_agg", "weighted_sum_agg")],
    *[
        (name, True, price, True)
        for name in ("sum_agg", "unique_count_agg")
        for price in (STANDARD, GRADUATED)
    ],
    ("sum_agg", False, (ChargeModel.DYNAMIC, {}), False),
    *[
        (name, False, (ChargeModel.PERCENTAGE, terms), False)
        for terms in PERCENTAGES
        for name in ("count_agg", "sum_agg", "max_agg", "unique_count_agg")
    ],
]
FILTERS = [
    {"values": {"cloud": ["aws", "gcp"]}, "properties": {}},
    {"values": {"cloud": ["aws"]}, "properties": {}},
    {"values": {"cloud": ["gcp"], "region": ["__ALL_FILTER_VALUES__"]}, "properties": {}},
]
ALLOWED = {"cloud": ["aws", "gcp", "own"], "region": ["eu", "us"]}

EVENTS = st.lists(
    st.fixed_dictionaries(
        {
            "at": st.one_of(
                st.datetimes(datetime(2026, 9, 25), datetime(2026, 12, 3)),
                st.sampled_from(
                    [datetime(2026, 11, 1, 4), datetime(2026, 11, 10, 12), datetime(2026, 12, 1, 5)]
                ),
            ).map(lambda time: time.replace(tzinfo=UTC)),
            "value": st.one_of(
                st.integers(-4, 12),
                st.decimals(-3, 9, places=3).map(lambda number: f"{number:f}"),
                st.sampled_from(["a", "1.0", None, True, [1], {"b": 1, "aa": "ü"}]),
            ),
            "cloud": st.sampled_from(["aws", "gcp", "own", 7, None]),
            "region": st.sampled_from(["eu", "us", "mars", None]),
            "operation_type": st.sampled_from(["add", "remove", "remove", None]),
            "cents": st.one_of(st.none(), st.decimals(0, 100, places=4)),
        }
    ),
    max_size=18,
)
INSERT = """
    INSERT INTO ingest_usageevent (service_id, external_subscription_id, transaction_id, code, timestamp,
        properties, precise_total_amount_cents, received_at)
    VALUES (%s, 'ours', %s, 'api', %s, %s::jsonb, %s, '2026-11-01+00')
"""


def properties_of(event):
    names = {"value": "value", "cloud": "cloud", "region": "region", "operation_type": "operation_type"}
    return {key: event[name] for key, name in names.items() if event[name] is not None or name == "value"}


def sell(
    asked, *, rounding=None, filters=(), keys=(), started_at=datetime(2026, 1, 1, tzinfo=UTC), ended=None
):
    aggregation, is_recurring, (model, properties), is_prorated = asked
    subscription = make_subscription(external_id="ours", started_at=started_at, terminated_at=ended)
    subscription.customer.timezone = ZONE.key
    subscription.customer.save()
    metric = factories.MetricFactory(
        service=subscription.service,
        code="api",
        aggregation=aggregation,
        is_recurring=is_recurring,
        filters=ALLOWED,
        rounding_function=rounding.function if rounding else "",
        rounding_precision=rounding.precision if rounding else 0,
    )
    own = [{**item, "properties": properties} for item in filters]
    factories.ChargeFactory(
        plan=subscription.plan,
        metric=metric,
        model=model,
        properties={**properties, **({"pricing_group_keys": list(keys)} if keys else {})},
        filters=own,
        is_prorated=is_prorated,
    )
    return subscription


def expect(subscription, window, price_list, events):
    """By filter and group: the pure room's usage."""
    charge = subscription.plan.charges.get()
    version = charge.versions.get()
    metric = Metric.objects.get(pk=charge.metric_id)
    rounding = (
        Rounding(metric.rounding_function, metric.rounding_precision) if metric.rounding_function else None
    )
    rule = MetricRule(metric.aggregation, metric.field_name, metric.is_recurring, rounding)
    span = Span(window.counts_from, window.counts_to, window.period_days, ZONE)
    if rule.aggregation == "weighted_sum_agg" and rule.is_recurring:
        events = [event for event in events if event.timestamp >= subscription.started_at]
    found = {}
    for price in price_list.prices:
        taken = [event for event in events if price.bucket.takes(event.properties)]
        for group, members in split_by_group(taken, price.group_keys).items():
            usage = aggregate(rule=rule, events=members, span=span, is_prorated=version.is_prorated)
            seen = bool(members) and (usage.events_count or has_history(rule, members, span))
            if seen:
                key = (
                    str(price.filter_values),
                    canonical_group(dict(zip(price.group_keys, group, strict=True))),
                )
                found[key] = (price, usage)
    return found


def has_history(rule, members, span):
    """A level that only earlier events left is usage too, though none of its events is of the period."""
    whole = Span(datetime(2020, 1, 1, tzinfo=UTC), span.end, 1, ZONE)
    is_level = rule.aggregation == "weighted_sum_agg" and rule.is_recurring
    return is_level and aggregate(rule=rule, events=members, span=whole).events_count


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    events=EVENTS,
    terms=st.fixed_dictionaries(
        {
            "asked": st.sampled_from(ASKED),
            "rounding": st.sampled_from(
                [None, Rounding("round", 1), Rounding("ceil", -1), Rounding("floor", 2)]
            ),
            "filters": st.sampled_from([(), FILTERS]),
            "keys": st.sampled_from([(), ("region",), ("cloud", "region")]),
        }
    ),
    span=st.sampled_from(
        [
            (datetime(2026, 1, 1, tzinfo=UTC), None),
            (datetime(2026, 11, 10, 12, tzinfo=UTC), None),
            (datetime(2026, 10, 20, tzinfo=UTC), datetime(2026, 11, 20, 17, 30, 15, 250_000, tzinfo=UTC)),
        ]
    ),
)
def test_random_events_give_the_same_usage_and_the_same_amount(db, events, terms, span):
    with transaction.atomic():
        subscription = sell(**terms, started_at=span[0], ended=span[1])
        with connection.cursor() as cursor:
            for number, event in enumerate(events):
                row = [subscription.service_id, str(number), event["at"], json.dumps(properties_of(event))]
                cursor.execute(INSERT, [*row, event["cents"]])
        meter_period(service=subscription.service, period_label=LABEL, now=NOW)
        (window,) = windows_of(service=subscription.service, period_label=LABEL)
        prices = PriceBook({subscription.plan_id}).find(
            plan_id=subscription.plan_id, period_end=window.period.end
        )
        pure = [
            MeteredEvent(event["at"], number, json.loads(json.dumps(properties_of(event))), event["cents"])
            for number, event in enumerate(events)
        ]
        expected = expect(subscription, window, prices, pure)
        rows = {(str(row.filter_values), canonical_group(row.grouped_by)): row for row in Usage.objects.all()}
        assert rows.keys() == expected.keys()
        for key, (price, usage) in expected.items():
            row, days = rows[key], window.period_days
            assert (row.quantity, row.events_count) == (usage.quantity, usage.events_count)
            assert row.full_quantity in (usage.full_quantity, None)
            ours, theirs = (
                price.rate(read_usage(price, row, period_days=days)),
                price.rate(usage),
            )
            assert abs(ours.amount - theirs.amount) < Decimal("1e-12")
        transaction.set_rollback(True)


def test_a_filter_has_one_name_in_the_database_and_in_python():
    subscription = sell(ASKED[1], filters=FILTERS, keys=("region",))
    factories.UsageEventFactory(
        service=subscription.service,
        external_subscription_id="ours",
        code="api",
        timestamp=datetime(2026, 11, 5, tzinfo=UTC),
        properties={"value": "2", "cloud": "aws", "region": 'ü"\\ \n'},
    )
    meter_period(service=subscription.service, period_label=LABEL, now=NOW)
    row = Usage.objects.get()
    assert row.bucket == name_bucket(row.filter_values, row.grouped_by)


def test_every_event_is_in_exactly_one_bucket_of_filters_that_do_not_overlap():
    subscription = sell(ASKED[1], filters=FILTERS)
    version = subscription.plan.charges.get().versions.get()
    buckets = buckets_of(filters_of(version), {key: tuple(values) for key, values in ALLOWED.items()})
    taken = defaultdict(int)
    for cloud in ("aws", "gcp", "own", "ibm", None):
        for region in ("eu", "us", "mars", None):
            properties = {"cloud": cloud, "region": region}
            taken[sum(bucket.takes(properties) for bucket in buckets)] += 1
    assert taken == {1: 20}


def test_late_events_are_counted_and_can_be_left_out():
    subscription = sell(ASKED[1])
    close = datetime(2026, 12, 2, 5, tzinfo=UTC)
    for number, received in enumerate((close, close + timedelta(seconds=1))):
        factories.UsageEventFactory(
            service=subscription.service,
            external_subscription_id="ours",
            transaction_id=str(number),
            code="api",
            timestamp=datetime(2026, 11, 5, tzinfo=UTC),
            properties={"value": "2"},
            received_at=received,
        )
    meter_period(service=subscription.service, period_label=LABEL, now=NOW)
    row = Usage.objects.get()
    assert (row.quantity, row.events_count, row.late_events_count) == (5, 2, 1)
