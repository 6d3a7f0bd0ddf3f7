"""What the properties of an event say, as text and as numbers."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.metering.events import DEEPEST, UnreadablePropertyError, property_text
from ingest.metering.numeric import read_number


def text_of(value):
    return property_text({"key": value}, "key")


def nest(levels, value=1):
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("aws", "aws"),
        ("", ""),
        (True, "true"),
        (7, "7"),
        (Decimal("1.50"), "1.50"),
        (Decimal("5e3"), "5000"),
        (Decimal("0e5000"), "0"),
        ([1, "a", None], '[1, "a", null]'),
        ({"bb": 1, "a": Decimal("0.1")}, '{"a": 0.1, "bb": 1}'),
        (None, None),
    ],
)
def test_a_property_reads_as_the_database_writes_it(value, text):
    assert text_of(value) == text


def test_an_absent_property_has_no_text():
    assert property_text({}, "key") is None


@pytest.mark.parametrize(
    "value",
    [
        Decimal("1e999999999"),
        Decimal("1e-999999999"),
        [Decimal("-1e999999999")],
        {"a": Decimal("1e999999999")},
        10**200_000,
        Decimal("NaN"),
        nest(DEEPEST),
        nest(100_000),
    ],
    ids=["huge", "tiny", "in a list", "in an object", "huge integer", "no number", "deep", "very deep"],
)
def test_what_the_database_would_not_take_is_refused_before_it_fills_the_memory(value):
    with pytest.raises(UnreadablePropertyError) as refusal:
        text_of(value)
    assert refusal.value.code == "unreadable_property"


def test_an_integer_of_more_digits_than_python_prints_is_read_in_full():
    assert text_of(10**5_000) == "1" + "0" * 5_000


def test_a_number_of_more_than_a_thousand_characters_is_none():
    for number in (Decimal("1e999999999"), Decimal("1e-999999999"), Decimal("1e-999"), 10**5_000, 10**1_000):
        assert read_number(number) is None


def test_a_number_of_a_thousand_characters_is_read():
    for number in (Decimal("1e999"), Decimal("1e-998"), -(10**998), Decimal("0e5000")):
        assert read_number(number) == number


@given(st.one_of(st.integers(), st.decimals(allow_nan=False, allow_infinity=False, places=6)))
def test_a_number_and_its_text_mean_the_same(number):
    assert read_number(number) == read_number(text_of(number)) == number
