"""Currencies and the one rounding."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.rating.money import (
    EXPONENTS,
    MoneyError,
    exponent,
    from_cents,
    minor_unit,
    round_to_currency,
    to_cents,
)


@pytest.mark.parametrize(
    ("currency", "places"),
    [("CAD", 2), ("USD", 2), ("JPY", 0), ("KRW", 0), ("KWD", 3), ("BHD", 3), ("CLF", 4)],
)
def test_the_exponent_is_that_of_iso_4217(currency, places):
    assert exponent(currency) == places
    assert minor_unit(currency) == Decimal(10) ** -places


@pytest.mark.parametrize("currency", ["", "cad", "CA", "CADD", "C4D", "$"])
def test_what_is_no_currency_code_is_refused(currency):
    with pytest.raises(MoneyError) as refusal:
        exponent(currency)
    assert refusal.value.code == "invalid_currency"


@pytest.mark.parametrize(
    ("amount", "currency", "rounded"),
    [
        ("1.005", "CAD", "1.01"),
        ("-1.005", "CAD", "-1.01"),
        ("1.00499999999999999999999999999999999", "CAD", "1.00"),
        ("0.5", "JPY", "1"),
        ("-0.4", "JPY", "0"),
        ("2.0005", "KWD", "2.001"),
        ("123456789012345678901234567890.125", "USD", "123456789012345678901234567890.13"),
    ],
)
def test_rounding_is_half_away_from_zero(amount, currency, rounded):
    assert str(round_to_currency(Decimal(amount), currency)) == rounded


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        (0.1, "not_decimal"),
        (1, "not_decimal"),
        ("1.00", "not_decimal"),
        (None, "not_decimal"),
        (Decimal("NaN"), "not_finite"),
        (Decimal("sNaN"), "not_finite"),
        (Decimal("-Infinity"), "not_finite"),
        (Decimal("1e20000"), "too_large"),
    ],
)
def test_what_is_no_exact_finite_decimal_is_refused(amount, code):
    with pytest.raises(MoneyError) as refusal:
        round_to_currency(amount, "CAD")
    assert refusal.value.code == code


AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False, places=25, min_value=-(10**30), max_value=10**30)
CURRENCIES = st.sampled_from(["CAD", *EXPONENTS])


@given(AMOUNTS, CURRENCIES)
def test_a_rounded_amount_is_at_most_half_a_minor_unit_away(amount, currency):
    rounded = round_to_currency(amount, currency)
    assert abs(Fraction(rounded) - Fraction(amount)) <= Fraction(minor_unit(currency)) / 2


@given(AMOUNTS, CURRENCIES)
def test_rounding_again_changes_nothing_and_the_sign_does_not_matter(amount, currency):
    rounded = round_to_currency(amount, currency)
    assert round_to_currency(rounded, currency) == rounded
    assert round_to_currency(-amount, currency) == -rounded


@pytest.mark.parametrize(("currency", "amount"), [("CAD", "12.34"), ("JPY", "1234"), ("KWD", "1.234")])
def test_cents_are_whole_minor_units_and_back(currency, amount):
    assert from_cents(1234, currency) == Decimal(amount)
    assert str(from_cents(1234, currency)) == amount
    assert to_cents(Decimal(amount), currency) == 1234


def test_cents_of_a_finer_amount_are_rounded_half_away_from_zero():
    assert to_cents(Decimal("99.005"), "CAD") == 9901
    assert from_cents(2**63 - 1, "CAD") == Decimal("92233720368547758.07")
