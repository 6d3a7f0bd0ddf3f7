"""Charge filters: which one takes an event, which ones overlap."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.metering.events import property_text
from ingest.metering.filters import (
    ChargeFilter,
    buckets_of,
    find_overlaps,
    has_unknown_value,
    matches,
    pick_filter,
)

ALLOWED = {"cloud": ("aws", "gcp", "own"), "region": ("eu", "us")}
VALUES = st.dictionaries(
    st.sampled_from(["cloud", "region"]),
    st.sets(st.sampled_from(["aws", "gcp", "eu", "us"]), min_size=1).map(
        lambda chosen: tuple(sorted(chosen))
    ),
    min_size=1,
)
FILTERS = st.lists(VALUES, max_size=4).map(
    lambda drawn: [ChargeFilter(str(place), values) for place, values in enumerate(drawn)]
)
EVENTS = st.fixed_dictionaries(
    {},
    optional={
        "cloud": st.sampled_from(["aws", "gcp", "own", 7]),
        "region": st.sampled_from(["eu", "us", None]),
    },
)


def takers(filters, properties):
    return [bucket for bucket in buckets_of(filters, ALLOWED) if bucket.takes(properties)]


@given(FILTERS, EVENTS)
def test_an_event_is_in_exactly_one_bucket_unless_filters_overlap(filters, properties):
    found = len(takers(filters, properties))
    if not find_overlaps(filters, ALLOWED):
        assert found == 1
    assert found >= 1


@given(FILTERS)
def test_overlaps_are_those_pairs_that_one_event_can_be_in_both_of(filters):
    values = ("aws", "gcp", "eu", "us")
    events = [{"cloud": cloud, "region": region} for cloud in values for region in values]
    doubled = any(len(takers(filters, event)) > 1 for event in events)
    assert doubled <= bool(find_overlaps(filters, ALLOWED))


def test_more_properties_win_over_fewer_and_a_subset_over_its_whole():
    filters = [
        ChargeFilter("all", {"cloud": ("aws", "gcp")}),
        ChargeFilter("aws", {"cloud": ("aws",)}),
        ChargeFilter("aws eu", {"cloud": ("aws",), "region": ("eu",)}),
    ]
    taken = {
        (cloud, region): takers(filters, {"cloud": cloud, "region": region})[0].filter
        for cloud in ("aws", "gcp", "own")
        for region in ("eu", "us")
    }
    assert [found and found.key for found in taken.values()] == ["aws eu", "aws", "all", "all", None, None]
    assert find_overlaps(filters, ALLOWED) == []


def test_filters_on_different_properties_overlap():
    filters = [ChargeFilter("a", {"cloud": ("aws",)}), ChargeFilter("b", {"region": ("eu",)})]
    assert find_overlaps(filters, ALLOWED) == [("a", "b")]


def test_the_sentinel_stands_for_every_allowed_value():
    filters = [ChargeFilter("any", {"cloud": ("__ALL_FILTER_VALUES__",)})]
    assert takers(filters, {"cloud": "own"})[0].filter == filters[0]
    assert takers(filters, {"cloud": "ibm"})[0].filter is None


def test_on_arrival_the_filter_with_the_most_properties_is_picked():
    filters = [
        ChargeFilter("one", {"cloud": ("aws",)}),
        ChargeFilter("two", {"cloud": ("aws",), "region": ("eu",)}),
    ]
    assert pick_filter(filters, {"cloud": "aws", "region": "eu"}, ALLOWED).key == "two"
    assert pick_filter(filters, {"cloud": "aws"}, ALLOWED).key == "one"
    assert pick_filter(filters, {}, ALLOWED) is None


@pytest.mark.parametrize(("cloud", "unknown"), [("aws", False), ("ibm", True), (None, False)])
def test_a_value_that_the_metric_does_not_allow_is_seen(cloud, unknown):
    assert has_unknown_value({"cloud": cloud}, ALLOWED) is unknown


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("eu", "eu"),
        (Decimal("1.50"), "1.50"),
        (Decimal("5E+3"), "5000"),
        (True, "true"),
        ([1, "a"], '[1, "a"]'),
        ({"bb": 1, "a": None}, '{"a": null, "bb": 1}'),
        (None, None),
    ],
)
def test_a_property_reads_as_the_database_reads_it(value, text):
    assert property_text({"key": value}, "key") == text
    assert matches({"key": (text or "",)}, {"key": value}) is (text is not None)
