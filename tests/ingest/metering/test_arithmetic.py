"""Exact arithmetic: every digit or a refusal."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.metering.arithmetic import (
    QUOTIENT_PLACES,
    ExactnessError,
    exact_difference,
    exact_product,
    exact_sum,
    quotient,
)

DECIMALS = st.decimals(
    allow_nan=False, allow_infinity=False, places=30, min_value=-(10**40), max_value=10**40
)


def test_a_sum_keeps_digits_that_pythons_own_context_would_drop():
    large, small = Decimal(10) ** 500, Decimal(10) ** -500
    assert exact_sum([large, small, -large]) == small


def test_the_sum_of_nothing_is_zero():
    assert exact_sum([]) == 0


@given(st.lists(DECIMALS), DECIMALS)
def test_sums_differences_and_products_are_those_of_fractions(amounts, other):
    total = exact_sum(amounts)
    assert Fraction(total) == sum(map(Fraction, amounts), Fraction(0))
    assert Fraction(exact_difference(total, other)) == Fraction(total) - Fraction(other)
    assert Fraction(exact_product(total, other)) == Fraction(total) * Fraction(other)


@pytest.mark.parametrize(
    "lost", [[Decimal("1e9999"), Decimal("1e-9999")], [Decimal("NaN")], [Decimal("Infinity")]]
)
def test_what_cannot_be_exact_is_refused(lost):
    with pytest.raises(ExactnessError) as refusal:
        exact_sum(lost)
    assert refusal.value.code == "not_exact"


def test_a_float_is_refused():
    with pytest.raises(TypeError):
        exact_sum([0.1])


@given(DECIMALS, DECIMALS.filter(bool))
def test_a_quotient_is_the_true_one_cut_towards_zero(dividend, divisor):
    true = Fraction(dividend) / Fraction(divisor)
    cut = Fraction(quotient(dividend, divisor))
    assert 0 <= (true - cut) * (1 if true >= 0 else -1) < Fraction(1, 10**QUOTIENT_PLACES)


def test_a_quotient_that_ends_is_exact():
    assert quotient(Decimal("51.2345"), Decimal(10)) == Decimal("5.12345")


@pytest.mark.parametrize(("dividend", "divisor"), [("1", "0"), ("NaN", "1"), ("1", "Infinity")])
def test_a_quotient_that_is_no_number_is_refused(dividend, divisor):
    with pytest.raises(ExactnessError):
        quotient(Decimal(dividend), Decimal(divisor))
