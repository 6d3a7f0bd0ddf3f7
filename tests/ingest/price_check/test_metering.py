"""Questions about quantities: figures beyond those of the cases, and every bad question refused by its field."""

import json
from copy import deepcopy
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.price_check.answering import answer
from ingest.price_check.errors import PriceCheckError
from ingest.price_check.metering import KINDS

CASES = [
    case
    for case in json.loads(
        (Path(__file__).parents[1] / "cases" / "rating_cases.json").read_text(encoding="utf-8"),
        parse_float=Decimal,
    )["cases"]
    if case["kind"] in KINDS
]
MAY = {"from": "2026-05-01T00:00:00Z", "to": "2026-05-31T23:59:59.999Z"}


def event(day, value, **properties):
    return {"timestamp": f"2026-05-{day:02}T00:00:00Z", "properties": {"value": value, **properties}}


def ask(kind="aggregation", events=None, type="sum_agg", **given):
    aggregation = {name: given.pop(name) for name in ("recurring", "rounding_function") if name in given}
    case = {"id": "x", "kind": kind, "aggregation": {"type": type, **aggregation}}
    return answer({**case, "input": {"period": MAY, "events": [] if events is None else events, **given}})


def figures(asked, *names):
    return [asked[name] for name in names]


def test_every_figure_of_an_aggregation_is_there_whatever_is_asked():
    found = ask(events=[{**event(2, "1.26"), "precise_total_amount_cents": "7.5"}, event(3, "word")])
    assert found == {
        "units": "1.26",
        "events_count": 1,
        "total_units": "1.26",
        "total_aggregated_units": "1.26",
        "raw_value": "1.26",
        "running_total": [],
        "precise_total_amount_cents": "7.5",
    }


def test_the_raw_value_is_what_neither_floor_nor_rounding_touched():
    events = [event(2, "5.5"), event(3, "-2.5")]
    latest = ask(type="latest_agg", events=events)
    assert figures(latest, "units", "raw_value") == ["0", "-2.5"]
    rounded = ask(events=events, rounding_function="floor")
    assert figures(rounded, "units", "raw_value") == ["3", "3"]
    rounded = ask(type="max_agg", events=events, rounding_function="ceil")
    assert figures(rounded, "units", "raw_value") == ["6", "5.5"]


@pytest.mark.parametrize(
    ("options", "totals"),
    [
        ({}, []),
        ({"free_units_per_events": 2}, ["12", "24"]),
        ({"free_units_per_total_aggregation": "24"}, ["12", "24", "36"]),
        ({"free_units_per_total_aggregation": "1"}, ["12"]),
        ({"free_units_per_total_aggregation": "100"}, ["12", "24", "36", "48"]),
        ({"free_units_per_events": 3, "free_units_per_total_aggregation": "1"}, ["12", "24", "36"]),
    ],
)
def test_running_totals_go_as_far_as_allowances_reach(options, totals):
    events = [event(day, 12) for day in (2, 3, 4, 5)]
    assert ask(events=events, options=options)["running_total"] == totals


def test_running_totals_of_a_count_go_on_to_the_end():
    found = ask(type="count_agg", events=[event(2, 1)] * 3, options={"free_units_per_events": 1})
    assert found["running_total"] == ["1", "2", "3"]


def test_groups_have_a_breakdown_of_their_own():
    events = [event(2, 1, cloud="aws", size="s"), event(3, 2, cloud="aws", size="l"), event(4, 4)]
    found = ask(events=events, grouped_by=["cloud"], presentation_by=["size"])
    assert found["groups"] == [
        {"grouped_by": {"cloud": "aws"}, "units": "3", "events_count": 2},
        {"grouped_by": {"cloud": None}, "units": "4", "events_count": 1},
    ]
    assert found["breakdown"] == [
        {"groups": {"cloud": "aws", "size": "s"}, "units": "1"},
        {"groups": {"cloud": "aws", "size": "l"}, "units": "2"},
        {"groups": {"cloud": None, "size": None}, "units": "4"},
    ]
    assert found["total_units"] == "7"


def test_without_usage_there_is_one_group_and_no_line_of_a_breakdown():
    found = ask(events=[event(2, "word", cloud="aws")], grouped_by=["cloud"], presentation_by=["cloud"])
    assert found["groups"] == [{"grouped_by": {"cloud": None}, "units": "0", "events_count": 0}]
    assert found["breakdown"] == []


def test_one_group_can_be_asked_for_also_that_of_what_is_missing():
    events = [event(2, 1, cloud="aws"), event(4, 4)]
    assert ask(events=events, grouped_by_values={"cloud": "aws"})["units"] == "1"
    assert ask(events=events, grouped_by_values={"cloud": None})["units"] == "4"


EARLIER = {"timestamp": "2026-04-30T00:00:00Z", "properties": {"value": 4}}


@pytest.mark.parametrize(
    ("given_options", "units", "variation", "total"),
    [
        ({"recurring": True}, "5", "2", "6"),
        ({"recurring": True, "initial_value": "10"}, "11", "2", "12"),
        ({"recurring": True, "initial_value": 0}, "1", "2", "2"),
        ({}, "1", "2", "2"),
        ({"initial_value": "10"}, "11", "2", "2"),
    ],
)
def test_a_level_begins_at_what_is_given_or_at_what_earlier_events_left(
    given_options, units, variation, total
):
    halfway = {"timestamp": "2026-05-16T12:00:00Z", "properties": {"value": 2}}
    found = ask("weighted_sum", [EARLIER, halfway], type="weighted_sum_agg", **given_options)
    assert figures(found, "units", "variation", "total_aggregated_units") == [units, variation, total]
    assert found["events_count"] == 1


def test_shares_are_those_of_the_period_s_own_events():
    found = ask("prorated_sum", [EARLIER, event(31, "3.1"), {**EARLIER, "properties": {}}])
    assert figures(found, "full_units", "prorated_units", "per_event_prorated") == ["7.1", "4.1", ["0.1"]]
    word = {**EARLIER, "properties": {"value": "word"}}
    assert ask("prorated_sum", [word, event(31, 31)])["per_event_prorated"] == ["1"]


def assign(filters, **given):
    events = [{"properties": {"cloud": cloud}, "value": 1} for cloud in ("aws", "gcp", "own")]
    case = {"kind": "filter_assignment", "input": {"filters": filters, "events": events, **given}}
    return {key: bucket["units"] for key, bucket in answer(case)["buckets"].items()}


def test_the_sentinel_stands_for_what_the_metric_allows_or_else_for_all_that_is_named():
    filters = [{"id": "any", "values": {"cloud": ["__ALL_FILTER_VALUES__"]}}]
    assert assign(filters, allowed_values={"cloud": ["aws", "gcp"]}) == {"any": "2", "default": "1"}
    assert assign(filters) == {"any": "3", "default": "0"}


def test_filters_are_in_the_order_in_which_they_were_made():
    filters = [
        {"id": "second", "values": {"cloud": ["aws"]}, "created_order": 2},
        {"id": "first", "values": {"cloud": ["aws"]}, "created_order": 1},
    ]
    assert assign(filters) == {"first": "1", "second": "0", "default": "2"}


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ({"kind": "aggregation"}, "aggregation.type"),
        ({"kind": "aggregation", "aggregation": "sum_agg"}, "aggregation must be an object"),
        ({"kind": "aggregation", "aggregation": {"type": "custom_agg"}}, "not supported"),
        ({"kind": "aggregation", "aggregation": {"type": "median"}}, "median"),
        ({"kind": "aggregation", "aggregation": {"type": "sum_agg"}}, "input.period.from must be"),
        (
            {"kind": "weighted_sum", "aggregation": {"type": "sum_agg"}},
            "aggregation.type must be weighted_sum_agg",
        ),
        (
            {"kind": "metric_rounding", "aggregation": {"rounding_function": "up"}, "input": {"units": 1}},
            "round, ceil",
        ),
        ({"kind": "metric_rounding", "input": {}}, "input.units must be a number"),
        ({"kind": "metric_rounding", "input": {"units": 0.5}}, "input.units must be a decimal number"),
        (
            {"kind": "metric_rounding", "input": {"units": Decimal("1e999999999")}},
            "input.units must be a number",
        ),
        ({"kind": "period_maximum", "input": {}}, "input.event_value"),
        ({"kind": "billing_period", "input": {}}, "input.interval"),
        ({"kind": "filter_assignment", "input": {"filters": [{"values": {}}]}}, r"filters\[0\].id"),
        ({"kind": "filter_assignment", "input": {"filters": [{"id": "default"}]}}, "ids of their own"),
        ({"kind": "median"}, "kind must be one of"),
        ([], "must be an object"),
    ],
)
def test_a_bad_question_is_refused_by_its_field(question, message):
    with pytest.raises(PriceCheckError, match=message) as refusal:
        answer(question)
    assert refusal.value.code


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"events": [{"value": 1}]}, r"input.events\[0\].timestamp"),
        ({"events": [event(2, 0.5)]}, r"input.events\[0\].properties.value"),
        ({"events": [event(2, [float("nan")])]}, r"input.events\[0\].properties.value"),
        ({"events": [event(2, "\ud800")]}, r"input.events\[0\].properties.value"),
        ({"events": [event(2, 1), event(2, Decimal("1e999999999"))]}, r"input.events\[1\].properties.value"),
        ({"events": {}}, "input.events must be a list"),
        ({"grouped_by_values": {"cloud": ["aws"]}}, "input.grouped_by_values.cloud must be a text"),
        ({"matching_filters": {"cloud": "aws"}}, "input.matching_filters.cloud must be a list"),
        ({"options": {"free_units_per_events": -1}}, "must not be negative"),
        ({"period": {"from": "2026-05-02", "to": "2026-05-01"}}, "input.period.to"),
        ({"period": {"from": "2026-05-02", "to": "9999-12-31T23:59:59.999999Z"}}, "input.period"),
        ({"period": {"from": "0001-01-01T00:00:00+14:00", "to": "2026-05-01"}}, "input.period.from"),
        ({"period": {**MAY, "charges_duration_days": 0}}, "charges_duration_days"),
        ({"timezone": "Mars/Olympus"}, "input.timezone"),
    ],
)
def test_what_is_wrong_with_the_usage_is_told(options, message):
    with pytest.raises(PriceCheckError, match=message):
        ask(**options)


def test_the_first_and_the_last_instants_that_there_are_can_be_asked_about():
    ancient = {"timestamp": "0001-01-01T00:00:00Z", "properties": {"value": 3}}
    found = ask("prorated_sum", [ancient], recurring=True, timezone="America/Toronto")
    assert figures(found, "prorated_units", "full_units") == ["3", "3"]
    case = {
        "interval": "monthly",
        "billing_time": "calendar",
        "subscription_at": "0999-01-01",
        "at": "0999-05-02",
    }
    assert answer({"kind": "billing_period", "input": case})["from"] == "0999-05-01T00:00:00Z"


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**6), 10**6),
    st.sampled_from(
        [10**5_000, 0.5, float("nan"), Decimal("1e999999999"), Decimal("-1e-999999999"), Decimal("NaN")]
    ),
    st.sampled_from(["9999-12-31T23:59:59.999999Z", "0001-01-01", "\ud800", "", "9" * 1_001]),
    st.text(max_size=8),
    st.recursive(st.sampled_from([1, "a", None]), lambda inner: st.lists(inner, max_size=2), max_leaves=3),
    st.dictionaries(
        st.sampled_from(["value", "type", "from", "a"]), st.sampled_from([1, "a", None, [1]]), max_size=2
    ),
)


def paths_of(value, path=()):
    """The path to every field and item."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from paths_of(inner, (*path, key))


def break_at(case, path, junk):
    broken = deepcopy(case)
    inner = broken
    for key in path[:-1]:
        inner = inner[key]
    if junk is ...:
        del inner[path[-1]]
    else:
        inner[path[-1]] = junk
    return broken


@given(st.data())
def test_a_broken_question_is_answered_or_refused_and_nothing_else(data):
    broken = data.draw(st.sampled_from(CASES))
    for _ in range(data.draw(st.integers(1, 2))):
        paths = [path for path in paths_of(broken) if path[0] != "expected"]
        broken = break_at(broken, data.draw(st.sampled_from(paths)), data.draw(JUNK | st.just(...)))
    try:
        assert isinstance(answer(broken), dict)
    except PriceCheckError as error:
        assert (error.code, str(error)) > ("", "")  # noqa: PT017
