"""What each aggregation means, event by event."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.metering.aggregation.contract import AggregationError, MetricRule, Span
from ingest.metering.aggregation.registry import AGGREGATIONS, aggregate
from ingest.metering.arithmetic import exact_sum
from ingest.metering.events import MeteredEvent
from ingest.metering.numeric import MAX_NUMERIC_LENGTH, read_number
from ingest.metering.rounding import Rounding

START = datetime(2026, 5, 1, tzinfo=UTC)
END = datetime(2026, 6, 1, tzinfo=UTC)


def events_of(values, at=START):
    return [
        MeteredEvent(at + timedelta(seconds=index), index, {"value": value})
        for index, value in enumerate(values)
    ]


def aggregate_may(aggregation, events, start=START):
    span = Span(start, END, 31, ZoneInfo("UTC"))
    return aggregate(rule=MetricRule(aggregation, "value"), events=events, span=span)


def figures(aggregation, events):
    usage = aggregate_may(aggregation, events)
    return usage.quantity, usage.events_count


def test_a_sum_adds_numbers_and_their_texts_alike():
    assert figures("sum_agg", events_of(["1.5", Decimal("1.5"), 2, "-0.25"])) == (Decimal("4.75"), 4)


@pytest.mark.parametrize(
    "value",
    ["5e3", "+5", ".5", "5.", " 5", "5 ", "5\n", "", "1,204.10", "foo", "NaN", "٣", None, True, [], {}],
)
@pytest.mark.parametrize("aggregation", ["sum_agg", "max_agg", "latest_agg"])
def test_what_is_no_plain_number_is_neither_aggregated_nor_counted(aggregation, value):
    assert figures(aggregation, events_of(["7", value])) == (7, 1)


def test_an_event_without_the_field_is_skipped_by_a_sum():
    nothing = MeteredEvent(START, 0, {"other": "1"})
    assert figures("sum_agg", [nothing]) == (0, 0)


def test_a_number_may_have_a_thousand_characters_and_no_more():
    longest = "9" * MAX_NUMERIC_LENGTH
    usage = figures("sum_agg", events_of([longest, longest + "9", "0.001"]))
    assert usage == (Decimal(longest + ".001"), 2)


def test_a_count_needs_no_number():
    assert figures("count_agg", events_of(["foo", None, 1])) == (3, 3)


def test_a_float_is_refused_because_it_has_lost_digits():
    with pytest.raises(TypeError, match="Decimal"):
        read_number(0.1)


def test_a_json_number_in_exponent_form_is_read_as_the_database_stores_it():
    assert read_number(Decimal("5e3")) == 5000


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
def test_the_start_is_inside_and_the_end_is_not(aggregation):
    events = [MeteredEvent(at, 0, {"value": 1}) for at in (START, END - timedelta.resolution, END)]
    assert aggregate_may(aggregation, events).events_count == 2


def test_the_start_is_compared_at_millisecond_precision():
    at = START + timedelta(microseconds=100)
    start = START + timedelta(microseconds=900)
    assert aggregate_may("count_agg", events_of([1], at=at), start=start).events_count == 1


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
def test_no_events_are_no_usage(aggregation):
    assert figures(aggregation, []) == (0, 0)


@pytest.mark.parametrize(
    ("name", "code"), [("custom_agg", "custom_aggregation_not_supported"), ("median", "unknown_aggregation")]
)
def test_an_aggregation_that_there_is_not_is_refused_and_says_so(name, code):
    with pytest.raises(AggregationError, match=r"not supported|no aggregation") as refused:
        aggregate_may(name, [])
    assert refused.value.code == code


def test_only_what_recurs_goes_by_days():
    span = Span(START, END, 31, ZoneInfo("UTC"))
    for rule in (MetricRule("sum_agg", "value"), MetricRule("max_agg", "value", is_recurring=True)):
        with pytest.raises(AggregationError):
            aggregate(rule=rule, events=[], span=span, is_prorated=True)


NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, places=12, min_value=-(10**30), max_value=10**30)
VALUES = st.lists(NUMBERS.map(lambda number: f"{number:f}") | st.text(max_size=4))


@given(VALUES, st.randoms(use_true_random=False), st.sampled_from(list(AGGREGATIONS)))
def test_the_order_of_events_does_not_change_a_result(values, random, aggregation):
    events = events_of(values)
    shuffled = random.sample(events, len(events))
    assert aggregate_may(aggregation, shuffled) == aggregate_may(aggregation, events)


@given(VALUES, VALUES, st.sampled_from(["count_agg", "sum_agg"]))
def test_usage_of_two_parts_adds_up_to_the_usage_of_the_whole(first, second, aggregation):
    parts = [aggregate_may(aggregation, events_of(values)) for values in (first, second)]
    whole = aggregate_may(aggregation, events_of(first) + events_of(second))
    assert whole.quantity == exact_sum(part.quantity for part in parts)
    assert whole.events_count == sum(part.events_count for part in parts)


@given(NUMBERS, NUMBERS)
def test_one_event_split_in_two_sums_to_the_same(first, second):
    whole = exact_sum([first, second])
    split = aggregate_may("sum_agg", events_of([first, second]))
    assert split.quantity == aggregate_may("sum_agg", events_of([whole])).quantity


def test_the_newest_is_decided_by_time_and_then_by_arrival():
    same = [MeteredEvent(START, sequence, {"value": sequence}) for sequence in (2, 3, 1)]
    older = MeteredEvent(START - timedelta(hours=1), 9, {"value": 9})
    assert figures("latest_agg", [*same, older]) == (3, 3)
    assert figures("latest_agg", [*same, MeteredEvent(END - timedelta.resolution, 0, {"value": "-4"})]) == (
        0,
        4,
    )


def test_the_largest_may_be_below_zero_and_its_first_event_carries_it():
    usage = aggregate_may("max_agg", events_of(["-7", "-2", "x", "-2"]))
    assert (usage.quantity, usage.events_count, usage.event_values) == (-2, 3, (0, -2, 0))


@pytest.mark.parametrize(
    ("aggregation", "values"),
    [("count_agg", (1, 1, 1)), ("sum_agg", (3, -1)), ("max_agg", (3, 0)), ("unique_count_agg", (1, 1, 1)),
     ("latest_agg", ()), ("weighted_sum_agg", ())],
)  # fmt: skip
def test_each_aggregation_tells_what_single_events_added(aggregation, values):
    assert aggregate_may(aggregation, events_of(["3", "word", -1])).event_values == values


@pytest.mark.parametrize(("aggregation", "cents"), [("sum_agg", "0.3"), ("count_agg", "7.3")])
def test_the_amounts_of_the_events_that_count_are_summed_exactly(aggregation, cents):
    given = [("1", "0.1"), ("2", "0.2"), ("3", None), ("word", "7")]
    events = [
        MeteredEvent(START, place, {"value": value}, amount and Decimal(amount))
        for place, (value, amount) in enumerate(given)
    ]
    assert aggregate_may(aggregation, events).precise_total_amount_cents == Decimal(cents)


def test_the_metric_rounds_what_it_gives():
    span = Span(START, END, 31, ZoneInfo("UTC"))
    rule = MetricRule("sum_agg", "value", rounding=Rounding("round", -1))
    assert aggregate(rule=rule, events=events_of(["14.9", "0.1"]), span=span).quantity == 20


def test_extreme_decimals_survive():
    long = ["9" * 500 + "." + "9" * 400, "0." + "0" * 900 + "1", "-" + "9" * 900]
    usage = aggregate_may("sum_agg", events_of(long))
    assert sum(map(Fraction, usage.event_values)) == Fraction(usage.quantity) == sum(map(Fraction, long))
    assert format(aggregate_may("max_agg", events_of(long)).quantity, "f") == long[0]
