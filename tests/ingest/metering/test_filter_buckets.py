"""Which price takes an event: exactly one, wherever filters are ordered."""

from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.metering.filters import (
    ALL_VALUES,
    ChargeFilter,
    buckets_of,
    find_overlaps,
    has_unknown_value,
    pick_filter,
)

ALLOWED = {"cloud": ("aws", "gcp"), "region": ("eu", "us"), "size": ("1", "2")}


def filters(*values):
    """Filters named `0`, `1` and so on, in the order in which they were made."""
    return [
        ChargeFilter(str(place), {key: tuple(options.split()) for key, options in each.items()})
        for place, each in enumerate(values)
    ]


def takers(chosen, **properties):
    """The keys of the buckets that take an event; `rest` for the default one."""
    return [
        bucket.filter.key if bucket.filter else "rest"
        for bucket in buckets_of(chosen, ALLOWED)
        if bucket.takes(properties)
    ]


BROAD, NARROW, LONGER = {"cloud": "aws gcp"}, {"cloud": "aws"}, {"cloud": "aws", "region": "eu"}


@pytest.mark.parametrize(
    ("given_filters", "properties", "taken"),
    [
        ([BROAD, NARROW], {"cloud": "aws"}, ["1"]),
        ([NARROW, BROAD], {"cloud": "aws"}, ["0"]),
        ([BROAD, NARROW], {"cloud": "gcp"}, ["0"]),
        ([BROAD, LONGER], {"cloud": "aws", "region": "eu"}, ["1"]),
        ([BROAD, LONGER], {"cloud": "aws", "region": "us"}, ["0"]),
        ([LONGER, NARROW, BROAD], {"cloud": "aws", "region": "eu"}, ["0"]),
        ([NARROW, NARROW, NARROW], {"cloud": "aws"}, ["0"]),
        ([BROAD, {"cloud": "gcp aws"}], {"cloud": "aws"}, ["0"]),
        ([BROAD], {"cloud": "own"}, ["rest"]),
        ([BROAD], {}, ["rest"]),
        ([BROAD], {"cloud": None}, ["rest"]),
        ([], {"cloud": "aws"}, ["rest"]),
        ([{}], {"cloud": "aws"}, ["0"]),
        ([{}, NARROW], {"cloud": "aws"}, ["1"]),
        ([{"cloud": ""}], {"cloud": "aws"}, ["rest"]),
        ([{"cloud": ALL_VALUES}], {"cloud": "gcp"}, ["0"]),
        ([{"cloud": ALL_VALUES}], {"cloud": "own"}, ["rest"]),
        ([{"cloud": ALL_VALUES}, NARROW], {"cloud": "aws"}, ["1"]),
        ([{"unknown": ALL_VALUES}], {"unknown": "x"}, ["rest"]),
        ([{"size": "1"}], {"size": Decimal(1)}, ["0"]),
        # Not ordered: the catalogue forbids them, and says why.
        ([{"cloud": "aws gcp"}, {"cloud": "gcp own"}], {"cloud": "gcp"}, ["0", "1"]),
        ([{"cloud": "aws"}, {"region": "eu"}], {"cloud": "aws", "region": "eu"}, ["0", "1"]),
    ],
)
def test_an_event_is_taken_by_the_filter_that_says_most(given_filters, properties, taken):
    assert takers(filters(*given_filters), **properties) == taken


def test_a_bucket_tells_what_it_matches_and_what_it_leaves():
    first, second, rest = buckets_of(filters(BROAD, LONGER), ALLOWED)
    assert (first.matching, first.ignored) == ({"cloud": ("aws", "gcp")}, (second.matching,))
    assert second.ignored == ()
    assert (rest.filter, rest.matching, rest.ignored) == (None, {}, (first.matching, second.matching))


@pytest.mark.parametrize(
    ("properties", "picked"),
    [
        ({"cloud": "aws", "region": "eu"}, "2"),
        ({"cloud": "aws", "region": "us"}, "0"),
        ({"cloud": "gcp"}, "0"),
        ({"region": "eu"}, None),
        ({}, None),
    ],
)
def test_on_arrival_the_first_of_the_filters_with_most_properties_prices(properties, picked):
    found = pick_filter(filters(BROAD, NARROW, LONGER, LONGER), properties, ALLOWED)
    assert (found.key if found else None) == picked


def test_on_arrival_all_values_are_those_the_metric_allows():
    chosen = filters({"cloud": ALL_VALUES})
    assert pick_filter(chosen, {"cloud": "gcp"}, ALLOWED) is chosen[0]
    assert pick_filter(chosen, {"cloud": "own"}, ALLOWED) is None


@pytest.mark.parametrize(
    ("pair", "overlap"),
    [
        ([BROAD, NARROW], False),
        ([NARROW, NARROW], False),
        ([NARROW, LONGER], False),
        ([NARROW, {"cloud": "gcp"}], False),
        ([{"cloud": "aws", "region": "eu"}, {"cloud": "gcp", "size": "1"}], False),
        ([{"cloud": "aws gcp"}, {"cloud": "gcp own"}], True),
        ([{"cloud": "aws"}, {"region": "eu"}], True),
        ([{"cloud": "aws", "region": "eu"}, {"cloud": "aws", "size": "1"}], True),
        ([{"cloud": "aws gcp", "region": "eu"}, {"cloud": "aws", "region": "eu us"}], True),
        ([{"cloud": ALL_VALUES}, {"cloud": "aws own"}], True),
        ([{"cloud": ""}, {"region": "eu"}], False),
        ([{"unknown": ALL_VALUES}, {"region": "eu"}], False),
    ],
)
def test_filters_that_one_event_can_match_without_either_yielding_are_named(pair, overlap):
    assert find_overlaps(filters(*pair), ALLOWED) == ([("0", "1")] if overlap else [])


@pytest.mark.parametrize(
    ("properties", "is_unknown"),
    [({"cloud": "aws"}, False), ({"cloud": "own"}, True), ({"cloud": None}, False), ({}, False),
     ({"other": "x"}, False), ({"size": 2}, False), ({"size": 3}, True)],
)  # fmt: skip
def test_a_value_that_the_metric_does_not_allow_is_told(properties, is_unknown):
    assert has_unknown_value(properties, ALLOWED) is is_unknown


VALUES = {"cloud": ["aws", "gcp", "own"], "region": ["eu", "us", "mars"], "size": ["1", "2"]}
CHOICES = st.fixed_dictionaries(
    {},
    optional={
        key: st.lists(st.sampled_from([*options, ALL_VALUES]), max_size=3, unique=True).map(" ".join)
        for key, options in VALUES.items()
    },
)
EVENTS = [
    {key: value for key, value in zip(VALUES, chosen, strict=True) if value is not None}
    for chosen in product(*([None, *options] for options in VALUES.values()))
]


@given(st.lists(CHOICES, max_size=5).map(lambda values: filters(*values)))
def test_an_event_is_taken_once_exactly_where_no_two_filters_overlap(chosen):
    taken = {place: takers(chosen, **properties) for place, properties in enumerate(EVENTS)}
    assert all(taken.values())
    overlaps = find_overlaps(chosen, ALLOWED)
    if not overlaps:
        assert all(len(keys) == 1 for keys in taken.values())
    twice = {pair for keys in taken.values() for pair in product(keys, keys) if pair[0] < pair[1]}
    assert twice <= set(overlaps)
    assert all("rest" not in keys or keys == ["rest"] for keys in taken.values())


@given(st.lists(CHOICES, max_size=2).map(lambda values: filters(*values)))
def test_two_filters_overlap_only_where_some_event_is_taken_twice(chosen):
    is_twice = any(len(takers(chosen, **properties)) > 1 for properties in EVENTS)
    assert bool(find_overlaps(chosen, ALLOWED)) == is_twice
