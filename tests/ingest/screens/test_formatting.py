"""How figures read: every digit, a true minus, and a mark where something was rounded away."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.screens import formatting

AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15, places=6)


@pytest.mark.parametrize(
    ("value", "currency", "text"),
    [
        ("1204.1", "CAD", "1,204.10"),
        ("-5.7", "CAD", "−5.70"),
        ("0", "CAD", "0.00"),
        ("-0", "CAD", "0.00"),
        ("1E+3", "CAD", "1,000.00"),
        ("0E-10", "CAD", "0.00"),
        ("0.0034719", "USD", "0.0034719"),
        ("1000000", "JPY", "1,000,000"),
        ("1.5", "KWD", "1.500"),
        ("0.33333333333333333333", "CAD", "0.333333333333…"),
    ],
)
def test_an_amount_has_all_its_digits_and_at_least_its_currencys(value, currency, text):
    assert formatting.format_amount(Decimal(value), currency) == text


def test_what_is_not_stated_is_a_dash_and_never_zero():
    assert formatting.format_amount(None, "CAD") == "—"
    assert formatting.format_signed(None, "CAD") == "—"
    assert formatting.format_rounded(None, "CAD") == "—"
    assert formatting.format_share(None) == "—"


@pytest.mark.parametrize(
    ("value", "text"),
    [("5.7", "+5.70"), ("-5.7", "−5.70"), ("0", "0.00"), ("0.004", "≈ 0.00"), ("2.345", "≈ +2.35")],
)
def test_a_rounded_delta_says_its_direction_and_that_it_was_rounded(value, text):
    assert formatting.format_rounded(Decimal(value), "CAD", is_signed=True) == text


@pytest.mark.parametrize(
    ("share", "text"), [("-0.004733", "−0.47 %"), ("0.1", "+10.00 %"), ("0", "0.00 %"), ("0.00004", "0.00 %")]
)
def test_a_share_is_a_signed_percentage(share, text):
    assert formatting.format_share(Decimal(share)) == text


@given(AMOUNTS)
def test_an_amount_reads_back_as_what_it_is(amount):
    text = formatting.format_amount(amount, "CAD")

    assert Decimal(text.replace(",", "").replace("−", "-")) == amount


@pytest.mark.parametrize(
    ("ago", "text"),
    [
        (timedelta(seconds=20), "just now"),
        (timedelta(minutes=12), "12 min ago"),
        (timedelta(hours=5, minutes=59), "5 h ago"),
        (timedelta(days=3), "3 d ago"),
        (timedelta(seconds=-5), "just now"),
    ],
)
def test_an_age_has_one_unit(ago, text):
    now = datetime(2026, 10, 3, tzinfo=UTC)

    assert formatting.format_ago(now - ago, now) == text


def test_what_never_was_says_so():
    assert formatting.format_ago(None) == "never"
    assert formatting.format_instant(None) == "—"


def test_a_document_cannot_break_out_of_its_page():
    assert "<script>" not in formatting.show_json({"name": "</pre><script>alert(1)</script>"})


def test_a_state_is_a_word_with_an_icon():
    badge = formatting.show_badge("Match", "good", "check_circle")

    assert "Match" in badge
    assert "check_circle" in badge
