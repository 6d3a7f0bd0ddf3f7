"""Numbers, times and empty values across the wire."""

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciliation.connectors.odoo import values

CENT = Decimal("0.01")


@given(st.decimals(min_value=-(10**12), max_value=10**12, places=2))
def test_an_amount_of_cents_survives_the_wires_floats(amount):
    sent = values.write_decimal(amount)
    on_the_wire = json.loads(json.dumps({"amount": float(sent)}))["amount"]
    assert values.read_money(on_the_wire, CENT) == amount


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=5))
def test_a_quantity_keeps_every_digit_that_odoo_holds(quantity):
    assert values.read_decimal(json.loads(json.dumps(float(quantity)))) == quantity


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15))
def test_a_written_decimal_is_plain_equal_and_canonical(amount):
    text = values.write_decimal(amount)
    assert "E" not in text.upper()
    assert Decimal(text) == amount
    assert text == values.write_decimal(Decimal(text))


@pytest.mark.parametrize(
    ("amount", "text"),
    [("4.10", "4.1"), ("1E+2", "100"), ("100.00", "100"), ("0.00", "0"), ("-0.00", "0"), ("-3.50", "-3.5")],
)
def test_equal_decimals_are_written_the_same(amount, text):
    assert values.write_decimal(Decimal(amount)) == text


@pytest.mark.parametrize("amount", [1.1, 1, Decimal("NaN"), Decimal("Infinity")])
def test_anything_but_a_finite_decimal_is_refused(amount):
    with pytest.raises(TypeError):
        values.write_decimal(amount)


@pytest.mark.parametrize(
    ("value", "rounding", "amount"),
    [
        (12.870000000000005, "0.01", "12.87"),
        (4.009999999999998, "0.01", "4.01"),
        (2.675, "0.01", "2.68"),
        (-2.675, "0.01", "-2.68"),
        (1234.0, "1", "1234"),
        (0.1235, "0.001", "0.124"),
    ],
)
def test_money_has_its_currencys_digits(value, rounding, amount):
    assert str(values.read_money(value, Decimal(rounding))) == amount


def test_a_negative_zero_is_zero():
    assert str(values.read_money(-0.0, CENT)) == "0.00"


def test_a_datetime_is_utc_both_ways():
    moment = datetime(2026, 11, 22, 20, 41, 2, tzinfo=UTC)
    assert values.read_datetime("2026-11-22 20:41:02") == moment
    assert values.write_datetime(moment.astimezone(timezone(timedelta(hours=-5)))) == "2026-11-22 20:41:02"


def test_a_naive_datetime_is_refused():
    with pytest.raises(ValueError, match="aware"):
        values.write_datetime(datetime(2026, 11, 22))


def test_false_is_how_odoo_says_nothing():
    assert values.read_text(False) is None
    assert values.read_text("") is None
    assert values.read_date(False) is None
    assert values.read_id(False) is None
    assert values.read_name(False) is None


def test_values_that_are_there_are_read():
    assert values.read_text("x") == "x"
    assert values.read_date("2026-11-01") == date(2026, 11, 1)
    assert (values.read_id([3, "CAD"]), values.read_name([3, "CAD"])) == (3, "CAD")


def test_a_raw_record_is_json_without_floats():
    raw = values.keep_raw({"id": 1, "name": False, "tax": 12.870000000000005, "tax_ids": [7]})
    assert raw == {"id": 1, "name": False, "tax": "12.870000000000005", "tax_ids": [7]}
    json.dumps(raw)
