"""Groups: each is measured for itself, and all of them add up where the aggregation lets them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.metering.aggregation.contract import MetricRule
from ingest.metering.arithmetic import exact_sum
from ingest.metering.grouping import group_of, measure_groups, split_by_group
from ingest.metering.rounding import Rounding
from tests.ingest.metering.measuring import MAY, NUMBERS, event, measure


def groups_of(aggregation, events, keys=("cloud",), rounding=None, recurring=False):
    rule = MetricRule(aggregation, "value", is_recurring=recurring, rounding=rounding)
    found = measure_groups(rule=rule, events=events, span=MAY, keys=keys)
    return {group: (usage.quantity, usage.events_count) for group, usage in found.items()}


def test_a_group_is_what_its_properties_say_as_text_and_none_for_what_is_missing():
    properties = {"cloud": "aws", "size": Decimal("2.0"), "on": False, "none": None}
    keys = ("size", "cloud", "missing", "on", "none")
    assert group_of(properties, keys) == ("2.0", "aws", None, "false", None)
    assert group_of(properties, ()) == ()


def test_groups_come_in_the_order_in_which_they_appear():
    events = [event("05-02", 1, cloud=cloud) for cloud in ("b", None, "a", "b")]
    assert {group: len(members) for group, members in split_by_group(events, ["cloud"]).items()} == {
        ("b",): 2,
        (None,): 1,
        ("a",): 1,
    }
    assert list(split_by_group(events, ["cloud"])) == [("b",), (None,), ("a",)]


def test_each_group_is_measured_and_rounded_for_itself():
    events = [event("05-02", "1.2", cloud=cloud) for cloud in ("aws", "aws", "gcp")]
    assert groups_of("sum_agg", events, rounding=Rounding("ceil")) == {("aws",): (3, 2), ("gcp",): (2, 1)}


def test_a_value_in_two_groups_is_two_values():
    events = [event("05-02", "one", cloud=cloud) for cloud in ("aws", "gcp", "gcp")]
    assert groups_of("unique_count_agg", events) == {("aws",): (1, 1), ("gcp",): (1, 2)}


@pytest.mark.parametrize(
    "events", [[], [event("06-02", 1, cloud="aws")], [event("05-02", "word", cloud="aws")]]
)
def test_where_nothing_counts_there_is_one_group_of_what_is_missing(events):
    assert groups_of("sum_agg", events, keys=("cloud", "size")) == {(None, None): (0, 0)}


def test_a_level_that_stands_from_before_is_a_group_s_usage_though_no_event_of_the_period_counts():
    events = [event("04-02", 3, cloud="aws"), event("05-01", 1, cloud="gcp")]
    found = groups_of("weighted_sum_agg", events, recurring=True)
    assert found == {("aws",): (3, 0), ("gcp",): (1, 1)}


def test_a_group_whose_events_do_not_count_is_none():
    events = [event("05-02", 1, cloud="aws"), event("05-02", "word", cloud="gcp")]
    assert groups_of("max_agg", events) == {("aws",): (1, 1)}


EVENTS = st.lists(
    st.builds(
        lambda day, value, cloud: event(f"05-{day:02}", value, cloud=cloud),
        st.integers(1, 31),
        NUMBERS | st.sampled_from(["word", None]),
        st.sampled_from(["aws", "gcp", None]),
    ),
    max_size=12,
)


@given(EVENTS, st.sampled_from(["count_agg", "sum_agg"]))
def test_groups_add_up_to_the_whole(events, aggregation):
    whole, groups = measure(aggregation, events), groups_of(aggregation, events).values()
    assert exact_sum(units for units, _ in groups) == whole.quantity
    assert sum(count for _, count in groups) == whole.events_count


@given(EVENTS)
def test_the_largest_of_the_groups_is_the_largest_of_all(events):
    assert (
        max(units for units, _ in groups_of("max_agg", events).values())
        == measure("max_agg", events).quantity
    )
