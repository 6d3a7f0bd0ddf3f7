"""A plan's base amount, whole and by days."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.rating.money import minor_unit, round_to_currency
from ingest.rating.plan_fee import PlanFeeError, rate_plan_fee


def test_a_full_period_costs_the_base_amount():
    assert rate_plan_fee(base_amount=Decimal("99.00"), billed_days=31, period_days=31) == Decimal("99.00")


def test_a_part_costs_its_share_by_days():
    share = rate_plan_fee(base_amount=Decimal("50"), billed_days=24, period_days=31)
    assert round_to_currency(share, "EUR") == Decimal("38.71")


def test_no_day_costs_nothing():
    assert rate_plan_fee(base_amount=Decimal("50"), billed_days=0, period_days=30) == 0


@pytest.mark.parametrize(("billed_days", "period_days"), [(-1, 30), (31, 30), (0, 0)])
def test_days_that_cannot_be_are_refused(billed_days, period_days):
    with pytest.raises(PlanFeeError) as refusal:
        rate_plan_fee(base_amount=Decimal(50), billed_days=billed_days, period_days=period_days)
    assert refusal.value.code == "invalid_days"


@given(
    st.decimals(0, 10**9, places=30),
    st.integers(1, 366).flatmap(lambda days: st.tuples(st.integers(0, days), st.just(days))),
    st.sampled_from(["CAD", "JPY", "KWD"]),
)
def test_the_share_rounds_as_the_true_fraction_does(base_amount, days, currency):
    billed_days, period_days = days
    share = rate_plan_fee(base_amount=base_amount, billed_days=billed_days, period_days=period_days)
    units = Fraction(base_amount) * billed_days / period_days / Fraction(minor_unit(currency))
    assert round_to_currency(share, currency) == (units + Fraction(1, 2)).__floor__() * minor_unit(currency)
