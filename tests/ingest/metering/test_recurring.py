"""What recurs: history, shares by days, levels over time, each held against a slow reading of the rule."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.metering.aggregation.contract import MetricRule, Span
from ingest.metering.aggregation.weighted_sum import level_before
from ingest.metering.arithmetic import exact_sum
from ingest.metering.rounding import Rounding
from tests.ingest.metering.measuring import (
    MAY,
    NOVEMBER,
    NUMBERS,
    TORONTO,
    UTC_ZONE,
    at,
    event,
    histories,
    history,
    measure,
)

OPERATIONS = (None, "add", "remove", "remove", "other")
VALUES = st.sampled_from(["a", "b", 1, "1", None])
LATE_START = Span(at("11-10 15:30"), NOVEMBER.end, 30, TORONTO)
SPANS = st.sampled_from([NOVEMBER, LATE_START, Span(NOVEMBER.start, at("11-20 03:00"), 30, TORONTO)])


def in_time(events):
    return sorted(events, key=lambda item: (item.timestamp, item.sequence))


def ceil_at(number, places):
    return Fraction(ceil(number * 10**places), 10**places)


# --- the sum


def test_what_recurs_looks_back_without_bound():
    events = history(("01-01", 5), ("05-10", 2), ("06-02", 9))
    assert measure("sum_agg", events, recurring=True).quantity == 7
    assert measure("sum_agg", events).quantity == 2
    assert measure("unique_count_agg", events, recurring=True).quantity == 2


@pytest.mark.parametrize("aggregation", ["count_agg", "max_agg", "latest_agg"])
def test_other_aggregations_stay_in_the_period(aggregation):
    events = history(("01-01", 5), ("05-10", 2), ("06-02", 9))
    assert measure(aggregation, events, recurring=True).events_count == 1


def test_a_sum_by_days_leads_with_history_as_one_value():
    events = history(("03-01", "2.5"), ("03-02", "2.5"), ("05-16 23:00", 12), ("05-31 23:59", -4))
    usage = measure("sum_agg", events, recurring=True, prorated=True)
    assert usage.event_values == (5, 12, -4)
    assert usage.prorated_values[0] == 5
    assert [round(value * 31) for value in usage.prorated_values] == [5 * 31, 12 * 16, -4]
    assert (usage.quantity, usage.full_quantity, usage.events_count) == (Decimal("11.06452"), 13, 4)


def test_history_counts_for_the_days_of_the_span_and_the_whole_period_divides():
    span = Span(at("05-15"), at("06-01"), 31, UTC_ZONE)
    usage = measure("sum_agg", history(("03-01", 5)), span=span, recurring=True, prorated=True)
    assert usage.quantity == Decimal("2.74194")


def test_days_are_those_of_the_customer():
    late = event("11-10 04:59", 30)  # still the ninth in Toronto
    assert measure("sum_agg", [late], span=NOVEMBER, recurring=True, prorated=True).quantity == 22


def test_an_event_of_the_first_day_that_there_is_counts_as_history():
    ancient = event(datetime.min.replace(tzinfo=UTC), "a")
    for aggregation, value in (("sum_agg", 3), ("unique_count_agg", "a")):
        old = [event(ancient.timestamp, value)]
        usage = measure(aggregation, old, span=NOVEMBER, recurring=True, prorated=True)
        assert usage.quantity == usage.full_quantity


def test_the_metric_rounds_the_share_and_the_whole():
    rounding = Rounding("ceil", 0)
    usage = measure("sum_agg", history(("05-31", "1.2")), recurring=True, prorated=True, rounding=rounding)
    assert (usage.quantity, usage.full_quantity) == (1, 2)


@given(histories(NUMBERS), SPANS)
def test_a_sum_by_days_is_each_value_by_its_days(events, span):
    last = (span.end - timedelta.resolution).astimezone(TORONTO).date()
    first = span.start.astimezone(TORONTO).date()
    taken = [item for item in events if item.timestamp < span.end]
    share = sum(
        Fraction(item.properties["value"])
        * ((last - max(item.timestamp.astimezone(TORONTO).date(), first)).days + 1)
        for item in taken
    ) / Fraction(30)
    usage = measure("sum_agg", events, span=span, recurring=True, prorated=True)
    assert Fraction(usage.quantity) == ceil_at(share, 5)
    assert usage.full_quantity == exact_sum(item.properties["value"] for item in taken)
    assert exact_sum(usage.event_values) == usage.full_quantity
    assert abs(Fraction(exact_sum(usage.prorated_values)) - share) < Fraction(20, 10**20)


# --- distinct values


def test_adds_of_what_is_in_and_removes_of_what_is_not_change_nothing():
    events = history(
        ("05-02", "a", "remove"), ("05-03", "a"), ("05-04", "a"), ("05-05", "b"), ("05-06", "b", "remove"),
        ("05-07", "b", "remove"), ("05-08", "c", "anything"), ("05-09", None),
    )  # fmt: skip
    usage = measure("unique_count_agg", events)
    assert (usage.quantity, usage.events_count, usage.event_values) == (2, 7, (1, 1))


def test_a_metric_that_does_not_recur_knows_nothing_of_earlier_adds():
    events = history(("04-30", "a"), ("05-03", "a", "remove"), ("05-04", "b"))
    assert measure("unique_count_agg", events).quantity == 1


def test_at_one_instant_the_order_of_arrival_decides():
    assert measure("unique_count_agg", history(("05-02", "a"), ("05-02", "a", "remove"))).quantity == 0
    assert measure("unique_count_agg", history(("05-02", "a", "remove"), ("05-02", "a"))).quantity == 1


def test_a_day_counts_once_however_often_a_value_comes_and_goes_on_it():
    events = history(
        ("05-09 01:00", "a"), ("05-09 02:00", "a", "remove"), ("05-09 03:00", "a"), ("05-10 04:00", "a", "remove"),
        ("05-10 05:00", "a"), ("05-10 06:00", "a", "remove"),
    )  # fmt: skip
    usage = measure("unique_count_agg", events, recurring=True, prorated=True)
    assert (usage.quantity, usage.full_quantity) == (Decimal("0.06452"), 0)
    assert usage.event_values == (1, -1, 1, -1, 1, -1)
    assert [round(value * 31) for value in usage.prorated_values] == [1, 0, 1, 0, 0, 0]


def test_values_that_were_carried_in_come_first():
    events = history(
        ("05-09", "b"),
        ("04-01", "a"),
        ("05-12", "a", "remove"),
        ("03-01", "gone"),
        ("03-02", "gone", "remove"),
    )
    usage = measure("unique_count_agg", events, recurring=True, prorated=True)
    assert usage.event_values == (1, 1, -1)
    assert [round(value * 31) for value in usage.prorated_values] == [12, 23, 0]


def test_a_value_removed_at_the_very_start_has_that_day_and_one_removed_before_has_none():
    for removed, days in (("05-01 00:00", 1), ("04-30 23:59", 0)):
        events = history(("04-01", "a"), (removed, "a", "remove"))
        usage = measure("unique_count_agg", events, recurring=True, prorated=True)
        assert round(usage.quantity * 31) == days


def days_in(events, value, span):
    """The local days of the span on which the value was in, found by looking at each change in turn."""
    days, came = set(), None
    for item in [*in_time(events), None]:
        until = span.end - timedelta.resolution if item is None else item.timestamp
        is_remove = item is not None and item.properties["operation_type"] == "remove"
        if item is None or str(item.properties["value"]) == value:
            if came is not None and (item is None or is_remove) and until >= span.start:
                day = max(came, span.start).astimezone(TORONTO).date()
                while day <= until.astimezone(TORONTO).date():
                    days.add(day)
                    day += timedelta(days=1)
            if item is not None:
                came = None if is_remove else came or item.timestamp
    return days, came is not None


@given(histories(VALUES, OPERATIONS), SPANS)
def test_a_unique_count_by_days_is_the_days_on_which_each_value_was_in(events, span):
    inside = [item for item in events if item.timestamp < span.end and item.properties["value"] is not None]
    found = [days_in(inside, value, span) for value in ("a", "b", "1")]
    days = sum(len(each) for each, _ in found)
    usage = measure("unique_count_agg", events, span=span, recurring=True, prorated=True)
    assert Fraction(usage.quantity) == ceil_at(Fraction(days, 30), 5)
    assert usage.full_quantity == sum(is_in for _, is_in in found) == exact_sum(usage.event_values)
    assert usage.events_count == len(inside)
    assert round(exact_sum(usage.prorated_values) * 30) == days
    whole = measure("unique_count_agg", events, span=span, recurring=True)
    assert whole.quantity == len(whole.event_values) == usage.full_quantity


# --- the weighted sum


def test_a_level_is_weighed_by_the_time_it_stood():
    usage = measure("weighted_sum_agg", history(("05-01", 2), ("05-16 12:00", 2), ("05-16 12:00", -4)))
    assert (usage.quantity, usage.full_quantity, usage.events_count) == (1, 0, 3)


def test_the_end_is_lifted_to_the_whole_second_and_the_average_is_cut_up():
    span = Span(MAY.start, at("05-31 23:59:59.999001"), 31, UTC_ZONE)
    assert measure("weighted_sum_agg", history(("05-01", 1000)), span=span).quantity == 1000
    third = measure("weighted_sum_agg", [event("05-01", 1)], span=Span(MAY.start, at("05-02"), 3, UTC_ZONE))
    assert third.quantity == Decimal("0.33333333333333333334")


def test_the_whole_period_divides_where_the_span_is_a_part_of_it():
    span = Span(at("05-05"), MAY.end, 31, UTC_ZONE)
    usage = measure("weighted_sum_agg", [event("05-05", "2500")], span=span, recurring=True)
    assert format(usage.quantity, ".16f") == "2177.4193548387096774"


@given(histories(NUMBERS), NUMBERS, SPANS)
def test_a_weighted_sum_is_the_area_under_its_level(events, initial, span):
    inside = [item for item in in_time(events) if span.start <= item.timestamp < span.end]
    level, since, area = Fraction(initial), span.start, Fraction(0)
    for item in inside:
        area += level * Fraction((item.timestamp - since) // timedelta.resolution, 10**6)
        level, since = level + Fraction(item.properties["value"]), item.timestamp
    area += level * Fraction((span.end - since) // timedelta.resolution, 10**6)
    usage = measure("weighted_sum_agg", events, span=span, initial_level=initial)
    assert Fraction(usage.quantity) == ceil_at(area / (30 * 86_400), 20)
    assert (usage.full_quantity, usage.events_count) == (level, len(inside))


@given(histories(NUMBERS | st.just("word")), SPANS)
def test_the_level_before_stands_for_the_events_before(events, span):
    rule = MetricRule("weighted_sum_agg", "value", is_recurring=True)
    level = level_before(rule=rule, events=events, span=span)
    own = [item for item in events if item.timestamp >= span.start]
    by_level = measure("weighted_sum_agg", own, span=span, recurring=True, initial_level=level)
    assert by_level == measure("weighted_sum_agg", events, span=span, recurring=True)


def test_what_does_not_recur_begins_at_nothing():
    rule = MetricRule("weighted_sum_agg", "value")
    assert level_before(rule=rule, events=[event("04-01", 5)], span=MAY) == 0


def test_what_begins_within_a_millisecond_is_measured_and_counted_as_one():
    span = Span(MAY.start + timedelta(microseconds=900), MAY.end, 31, UTC_ZONE)
    early = [event(MAY.start + timedelta(microseconds=100), 4)]
    for recurring in (False, True):
        usage = measure("weighted_sum_agg", early, span=span, recurring=recurring)
        assert (usage.full_quantity, usage.events_count) == (4, 1)
