"""The judgement of one row, from both sides' amounts."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciliation.comparison.judgement import (
    Basis,
    Judgement,
    JudgementError,
    Outcome,
    Side,
    Status,
    basis_of,
    judge,
)
from reconciliation.comparison.tolerance import Tolerance


def side(untaxed=None, tax=None, total=None, currency="CAD"):
    return Side(*(None if text is None else Decimal(text) for text in (untaxed, tax, total)), currency)


def judge_sides(odoo, external, **facts):
    rest = {"is_linked": True, "is_stale": False, "has_other_currency": False, "tolerance": Tolerance()}
    return judge(odoo=odoo, external=external, **{**rest, **facts})


ODOO = side("100.00", "13.00", "113.00")


def test_the_basis_is_the_total_when_the_external_side_states_tax():
    judgement = judge_sides(ODOO, side("101.00", "13.13", "114.13"))
    assert judgement == Judgement(
        Basis.TOTAL, Decimal("113.00"), Decimal("114.13"), Decimal("-1.13"), Outcome.COMPARED, Status.DELTA
    )


def test_the_basis_is_untaxed_when_the_external_side_states_no_tax():
    judgement = judge_sides(ODOO, side("100.01"))
    assert judgement == Judgement(
        Basis.UNTAXED, Decimal("100.00"), Decimal("100.01"), Decimal("-0.01"), Outcome.COMPARED, Status.MATCH
    )


def test_a_total_alone_is_compared_with_the_total():
    assert judge_sides(ODOO, side(total="113.00")).delta == 0


def test_a_row_without_an_external_side_is_on_the_untaxed_basis():
    assert basis_of(None) is Basis.UNTAXED


def test_a_missing_side_is_no_zero():
    judgement = judge_sides(ODOO, None)
    assert (judgement.external_amount, judgement.delta) == (None, None)
    assert (judgement.outcome, judgement.status) == (Outcome.MISSING_EXTERNAL, Status.DELTA)


def test_zero_against_zero_is_a_match():
    assert judge_sides(side("0"), side("0")).status is Status.MATCH


def test_an_odoo_side_that_states_no_total_is_missing_where_totals_are_compared():
    judgement = judge_sides(side("100.00"), ODOO)
    assert (judgement.odoo_amount, judgement.outcome) == (None, Outcome.MISSING_ODOO)


PRECEDENCE = [
    ({"is_linked": False}, Outcome.UNLINKED),
    ({"has_other_currency": True}, Outcome.OTHER_CURRENCY),
    ({"odoo": None}, Outcome.MISSING_ODOO),
    ({"external": None}, Outcome.MISSING_EXTERNAL),
    ({"is_stale": True}, Outcome.STALE),
]


@pytest.mark.parametrize("first", range(len(PRECEDENCE) + 1))
def test_the_first_obstacle_is_the_outcome(first):
    facts = {"odoo": ODOO, "external": ODOO}
    for obstacle, _ in PRECEDENCE[first:]:
        facts.update(obstacle)
    expected = PRECEDENCE[first][1] if first < len(PRECEDENCE) else Outcome.COMPARED
    judgement = judge_sides(**facts)
    assert judgement.outcome is expected
    assert (judgement.status is Status.MATCH) == (expected is Outcome.COMPARED)


@pytest.mark.parametrize(
    "amounts",
    [(), ("1", "1"), ("1", None, "1"), (None, "1"), (None, "1", "1"), ("1", "1", "2.01")],
)
def test_a_side_states_one_amount_or_three_that_add_up(amounts):
    with pytest.raises(JudgementError) as refusal:
        side(*amounts)
    assert refusal.value.code == "inconsistent_side"


def test_two_currencies_make_no_delta():
    with pytest.raises(JudgementError) as refusal:
        judge_sides(ODOO, side("1", currency="USD"))
    assert refusal.value.code == "mixed_currencies"


AMOUNTS = st.decimals(-(10**6), 10**6, places=11)
UNTAXED = AMOUNTS.map(lambda untaxed: Side(untaxed, None, None, "CAD"))
TOTALS = AMOUNTS.map(lambda total: Side(None, None, total, "CAD"))
TAXED = st.tuples(AMOUNTS, AMOUNTS).map(lambda pair: Side(*pair, sum(pair), "CAD"))
SIDES = st.none() | UNTAXED | TOTALS | TAXED
LIMITS = st.decimals(0, 10**6, places=4)
TOLERANCES = st.builds(Tolerance, LIMITS, st.decimals(0, 1, places=4), st.none() | LIMITS)


FACTS = st.fixed_dictionaries(
    {"is_linked": st.booleans(), "is_stale": st.booleans(), "has_other_currency": st.booleans()}
)


@given(SIDES, SIDES, TOLERANCES, FACTS)
def test_a_delta_is_null_exactly_when_a_side_is_missing_and_only_compared_rows_match(
    odoo, external, tolerance, facts
):
    judgement = judge_sides(odoo, external, tolerance=tolerance, **facts)
    is_missing = judgement.odoo_amount is None or judgement.external_amount is None
    assert (judgement.delta is None) == is_missing
    if not is_missing:
        assert judgement.delta == judgement.odoo_amount - judgement.external_amount
    if judgement.status is Status.MATCH:
        assert judgement.outcome is Outcome.COMPARED
        assert abs(judgement.delta) <= tolerance.limit(judgement.external_amount)
    assert judgement.status is not Status.RESOLVED
