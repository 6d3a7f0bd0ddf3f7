"""Whether a service may be cut over, and what is missing."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciliation.comparison.readiness import PeriodFacts, ReadinessFacts, assess, digest_of
from reconciliation.comparison.rules import Rule

TODAY = date(2026, 11, 20)


def period(label, open_deltas=0, missing=0, matched=8, resolved=2):
    return PeriodFacts(
        label, open_deltas + missing + matched + resolved, open_deltas, missing, matched, resolved
    )


READY = ReadinessFacts(
    phase="dual_run",
    effective_date=date(2026, 12, 1),
    required_clean_periods=2,
    periods=(period("2026-08", open_deltas=3), period("2026-09"), period("2026-10")),
    unlinked_customers=0,
    unpushed_fees=0,
    open_alarms=0,
)


def unmet(facts):
    return {condition.code for condition in assess(facts, today=TODAY).conditions if not condition.is_met}


def condition(facts, code):
    return next(each for each in assess(facts, today=TODAY).conditions if each.code == code)


def test_a_service_whose_newest_periods_are_clean_is_ready():
    readiness = assess(READY, today=TODAY)
    assert readiness.is_ready
    assert unmet(READY) == set()


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        ({"phase": "shadow"}, {"dual_run"}),
        ({"phase": "live"}, {"dual_run"}),
        ({"effective_date": TODAY}, {"date_ahead"}),
        ({"effective_date": date(2026, 1, 1)}, {"date_ahead"}),
        ({"unlinked_customers": 1}, {"customers_linked"}),
        ({"unpushed_fees": 4}, {"usage_pushed"}),
        ({"unmapped": ("Calls on Pro",)}, {"products_set"}),
        ({"open_alarms": 1}, {"no_alarms"}),
        ({"required_clean_periods": 3}, {"clean_periods", "no_open_deltas"}),
        ({"periods": ()}, {"clean_periods"}),
        ({"periods": (period("2026-10"),)}, {"clean_periods"}),
        (
            {"periods": (period("2026-09"), period("2026-10", open_deltas=1))},
            {"clean_periods", "no_open_deltas"},
        ),
        (
            {"periods": (period("2026-09", missing=1), period("2026-10"))},
            {"clean_periods", "nothing_missing"},
        ),
        ({"periods": (period("2026-09"), period("2026-10", matched=0, resolved=0))}, {"clean_periods"}),
    ],
)
def test_whatever_is_missing_is_told_and_blocks(change, codes):
    facts = replace(READY, **change)
    assert unmet(facts) == codes
    assert not assess(facts, today=TODAY).is_ready


def test_an_older_period_that_is_the_newest_of_another_calendar_is_judged():
    facts = replace(READY, also_judged=("2026-08",))
    assert unmet(facts) == {"no_open_deltas"}
    assert [each.label for each in facts.judged_periods] == ["2026-08", "2026-09", "2026-10"]
    assert facts.older_periods == ()


def test_open_deltas_in_older_periods_are_told_and_do_not_block():
    told = condition(READY, "older_deltas")
    assert (told.is_met, told.count, told.detail) == (True, 3, "3 open rows in 2026-08")
    told = [each.code for each in assess(READY, today=TODAY).conditions if each.is_told]
    assert told == ["older_deltas", "rules"]


def test_clean_periods_count_from_the_newest_without_a_gap():
    periods = (period("2026-07"), period("2026-08"), period("2026-09", missing=1), period("2026-10"))
    told = condition(replace(READY, periods=periods), "clean_periods")
    assert (told.count, told.detail) == (1, "1 in a row, 2 required")


def test_a_resolved_row_counts_as_clean():
    periods = (period("2026-09", matched=0, resolved=5), period("2026-10"))
    assert unmet(replace(READY, periods=periods)) == set()


def test_the_report_is_as_kept_in_the_golden_file():
    facts = replace(
        READY,
        periods=(
            period("2026-08", open_deltas=1, missing=1),
            period("2026-09", missing=1),
            period("2026-10", open_deltas=2),
        ),
        unlinked_customers=1,
        unmapped=tuple(f"Charge {number}" for number in range(7)),
        unpushed_fees=12,
        open_alarms=1,
        rules=(Rule("clean periods required", "2", "", is_loose_upwards=False),),
        loosened=("clean periods required 3 → 2 by Olga on 2026-11-19",),
    )
    golden = Path(__file__).parent / "golden" / "not_ready.json"
    kept = json.loads(golden.read_text(encoding="utf-8"))
    assert json.loads(json.dumps(assess(facts, today=TODAY).as_json())) == kept


def test_the_digest_does_not_change_overnight():
    assert assess(READY, today=TODAY).digest == assess(READY, today=date(2026, 11, 21)).digest


COUNTS = st.integers(0, 5)
FACTS = st.builds(
    ReadinessFacts,
    phase=st.sampled_from(["shadow", "dual_run", "approved", "live"]),
    effective_date=st.dates(date(2026, 11, 1), date(2026, 12, 31)),
    required_clean_periods=st.integers(1, 4),
    periods=st.lists(st.builds(PeriodFacts, st.just("2026-10"), *[COUNTS] * 6), max_size=6).map(tuple),
    unlinked_customers=COUNTS,
    unpushed_fees=COUNTS,
    open_alarms=COUNTS,
)


@given(FACTS, FACTS)
def test_other_facts_have_another_digest(facts, other):
    assert (digest_of(facts) == digest_of(other)) == (facts == other)


@given(FACTS)
def test_a_service_is_ready_exactly_when_every_condition_is_met(facts):
    readiness = assess(facts, today=TODAY)
    assert readiness.is_ready == all(condition.is_met for condition in readiness.conditions)
    if readiness.is_ready:
        assert all(each.is_clean for each in facts.judged_periods)
        assert len(facts.judged_periods) == facts.required_clean_periods
