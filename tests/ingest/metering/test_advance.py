"""What an event is billed for when it arrives: only what is above the highest level billed so far."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.metering.advance import IN_ADVANCE, billable_units, carried_level, walk_arrivals
from ingest.metering.aggregation.contract import AggregationError, MetricRule
from ingest.metering.arithmetic import exact_sum
from tests.ingest.metering.measuring import MAY, NUMBERS, event, history, measure


def walk(aggregation, events, recurring=False):
    rule = MetricRule(aggregation, "value", is_recurring=recurring)
    return list(walk_arrivals(rule=rule, events=events, span=MAY))


def units_of(*args, **options):
    return [arrival.units for arrival in walk(*args, **options)]


@pytest.mark.parametrize(
    ("level", "highest", "value", "units"),
    [("4", "10", "10", "4"), ("10", "10", "5", "5"), ("10", "10", "-3", "0"), ("7", "10", "3", "0"),
     ("0", "0", "-1", "0"), ("-5", "0", "6", "1"), ("0.1", "0.1", "0.2", "0.2")],
)  # fmt: skip
def test_units_are_what_goes_above_the_highest_level(level, highest, value, units):
    found = billable_units(level=Decimal(level), highest=Decimal(highest), value=Decimal(value))
    assert found == Decimal(units)


def test_each_event_of_a_count_is_one_unit():
    assert units_of("count_agg", history(("05-01", "a"), ("05-02", None))) == [1, 1]


def test_a_sum_that_went_down_is_billed_again_only_above_its_maximum():
    events = history(("05-01", 10), ("05-02", -6), ("05-03", "word"), ("05-04", 10), ("05-05", 1))
    assert units_of("sum_agg", events) == [10, 0, 4, 1]


def test_a_value_that_comes_again_is_billed_only_above_the_most_that_were_in():
    events = history(
        ("05-01", "a"), ("05-02", "a"), ("05-03", "a", "remove"), ("05-04", "b"), ("05-05", "c"), ("05-06", None),
        ("05-07", "d", "remove"),
    )  # fmt: skip
    assert units_of("unique_count_agg", events) == [1, 0, 0, 0, 1, 0]


def test_what_was_carried_in_was_billed_with_the_period():
    events = history(("04-01", 10), ("05-02", 5), ("06-01", 7))
    assert units_of("sum_agg", events, recurring=True) == [5]
    assert walk("sum_agg", events, recurring=True)[0].after.quantity == 15
    rule = MetricRule("sum_agg", "value", is_recurring=True)
    assert carried_level(rule=rule, events=events, span=MAY) == 10
    assert units_of("sum_agg", events) == [5]
    again = history(("04-01", "a"), ("05-02", "a"), ("05-03", "b"))
    assert units_of("unique_count_agg", again, recurring=True) == [0, 1]


def test_usage_before_and_after_differ_by_the_event():
    events = [event("05-01", 3), event("05-02", "4")]
    first, second = walk("sum_agg", events)
    assert (first.before.quantity, first.before.events_count) == (0, 0)
    assert second.before == first.after
    assert (second.after.quantity, second.after.events_count) == (7, 2)
    assert [arrival.change for arrival in (first, second)] == [3, 4]


@pytest.mark.parametrize("aggregation", ["max_agg", "latest_agg", "weighted_sum_agg", "custom_agg", "median"])
def test_other_metrics_cannot_be_billed_in_advance(aggregation):
    with pytest.raises(AggregationError) as refusal:
        walk(aggregation, [])
    assert refusal.value.code == "not_in_advance"


LINES = st.lists(
    st.tuples(
        st.integers(1, 31),
        NUMBERS | st.sampled_from(["a", "b", None]),
        st.sampled_from(["add", "remove", None]),
    ),
    max_size=12,
)


@given(LINES, st.sampled_from(IN_ADVANCE), st.booleans())
def test_what_is_billed_on_arrival_adds_up_to_the_highest_level(lines, aggregation, recurring):
    events = [
        event(f"05-{day:02}", value, sequence=place, operation_type=operation)
        for place, (day, value, operation) in enumerate(sorted(lines, key=lambda line: line[0]))
    ]
    arrivals = walk(aggregation, events, recurring=recurring)
    levels = [arrival.after.quantity for arrival in arrivals]
    assert exact_sum(arrival.units for arrival in arrivals) == max([0, *levels])
    whole = measure(aggregation, events, recurring=recurring)
    assert len(arrivals) == whole.events_count
    assert (levels[-1] if levels else 0) == whole.quantity
