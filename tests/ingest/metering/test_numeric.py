"""What counts as a number, however it is written."""

from decimal import Decimal

import pytest

from ingest.metering.numeric import read_number


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("5", "5"),
        (5, "5"),
        (Decimal("1E+3"), "1000"),
        (Decimal("-0.5"), "-0.5"),
        (10**999, "1" + "0" * 999),
    ],
)
def test_a_number_and_its_plain_text_mean_the_same(value, number):
    assert read_number(value) == Decimal(number)


@pytest.mark.parametrize(
    "value",
    ["5e3", "+5", ".5", " 5", None, True, [], {}, Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity")],
)
def test_anything_else_is_no_number(value):
    assert read_number(value) is None


@pytest.mark.parametrize(
    "value",
    [Decimal("1E+999999999"), Decimal("1E-999999999"), 10**5000, -(10**5000)],
    ids=["huge", "tiny", "long", "long below zero"],
)
def test_a_number_that_would_fill_the_memory_is_none_and_costs_nothing(value):
    assert read_number(value) is None


def test_a_float_has_lost_digits_already():
    with pytest.raises(TypeError):
        read_number(0.1)
