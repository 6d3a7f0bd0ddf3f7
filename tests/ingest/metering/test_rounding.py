"""How a metric rounds: to any precision, half away from zero."""

from decimal import Decimal
from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.metering.arithmetic import ExactnessError
from ingest.metering.rounding import Rounding

DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, places=9, min_value=-(10**25), max_value=10**25)


@pytest.mark.parametrize(
    ("function", "precision", "quantity", "rounded"),
    [
        ("round", 0, "2.5", "3"),
        ("round", 0, "-2.5", "-3"),
        ("round", 2, "0.125", "0.13"),
        ("round", -1, "15", "20"),
        ("round", -1, "-15", "-20"),
        ("ceil", 0, "2.01", "3"),
        ("ceil", 0, "-2.99", "-2"),
        ("ceil", -2, "101", "200"),
        ("ceil", 5, "0.1", "0.10000"),
        ("floor", 0, "-2.01", "-3"),
        ("floor", 2, "123.459", "123.45"),
        ("floor", -3, "999", "0"),
    ],
)
def test_a_quantity_is_rounded(function, precision, quantity, rounded):
    result = Rounding(function, precision).apply(Decimal(quantity))
    assert format(result, "f") == rounded


@pytest.mark.parametrize("function", ["round", "ceil"])
def test_zero_has_no_sign(function):
    assert format(Rounding(function).apply(Decimal("-0.1")), "f") == "0"


@pytest.mark.parametrize("quantity", [Decimal("9" * 9_990), Decimal("NaN"), Decimal("Infinity")])
def test_what_cannot_be_kept_is_refused(quantity):
    with pytest.raises(ExactnessError):
        Rounding("round", 100).apply(quantity)


@given(DECIMALS, st.integers(-12, 12))
def test_rounding_is_exact_at_any_precision(quantity, precision):
    true = Fraction(quantity) * Fraction(10) ** precision
    half_away = floor(abs(true) + Fraction(1, 2)) * (1 if true >= 0 else -1)
    for function, expected in (("round", half_away), ("ceil", ceil(true)), ("floor", floor(true))):
        rounded = Rounding(function, precision).apply(quantity)
        assert Fraction(rounded) == Fraction(expected) / Fraction(10) ** precision
