"""Fields are read exactly: no digit of a number is lost on its way."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.api.fields import EARLIEST, LATEST, FieldError, read_amount, read_timestamp
from ingest.api.rendering import render_decimal, render_millisecond

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECONDS = st.integers(int(EARLIEST), int(LATEST) - 1)
DIGITS = st.text("0123456789", max_size=60)
MOMENTS = st.datetimes(datetime(1, 1, 2), timezones=st.just(UTC))


@given(SECONDS, DIGITS)
def test_a_timestamp_of_any_precision_is_cut_to_its_microsecond(whole, fraction):
    text = f"{whole}.{fraction}"
    microseconds = floor(Fraction(Decimal(text)) * 1_000_000)
    try:
        assert read_timestamp(text) == EPOCH + timedelta(microseconds=microseconds)
    except FieldError:
        assert not EARLIEST <= Decimal(text) <= LATEST


@given(SECONDS)
def test_a_number_and_its_text_are_the_same_moment(seconds):
    assert read_timestamp(seconds) == read_timestamp(str(seconds)) == read_timestamp(f"{seconds}.0")


@given(MOMENTS)
def test_a_moment_is_rendered_as_isoformat_would(moment):
    expected = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert render_millisecond(moment) == expected


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**24), max_value=10**24))
def test_an_amount_survives_reading_and_rendering(amount):
    text = str(amount)
    if amount.as_tuple().exponent < -100:
        with pytest.raises(FieldError):
            read_amount(text)
    else:
        assert Decimal(render_decimal(read_amount(text))) == amount


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("1", "1.0"),
        ("1.50", "1.5"),
        ("1.00", "1.0"),
        ("-0.5", "-0.5"),
        ("1E+3", "1000.0"),
        ("1E-7", "0.0000001"),
    ],
)
def test_an_amount_is_rendered_as_rails_does(amount, text):
    assert render_decimal(Decimal(amount)) == text


def test_no_amount_is_rendered_as_none():
    assert render_decimal(None) is None
