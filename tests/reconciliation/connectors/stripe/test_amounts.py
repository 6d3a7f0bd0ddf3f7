"""Minor units are Stripe's own, whatever ISO 4217 says."""

from decimal import Decimal

import pytest

from reconciliation.connectors.stripe.amounts import read_amount, read_currency, read_unit_price
from reconciliation.connectors.stripe.records import BillError


@pytest.mark.parametrize(
    ("value", "currency", "amount"),
    [
        (1099, "cad", "10.99"),
        (-1099, "usd", "-10.99"),
        (500, "jpy", "500"),
        (500, "mga", "500"),
        # Without decimals, and told with two all the same.
        (500, "isk", "5.00"),
        (500, "ugx", "5.00"),
        # Without decimals in payouts alone.
        (1045, "huf", "10.45"),
        (80045, "twd", "800.45"),
        (5120, "kwd", "5.120"),
        (0, "cad", "0.00"),
    ],
)
def test_minor_units_follow_the_currency(value, currency, amount):
    assert str(read_amount(value, read_currency(currency), "amount")) == amount


@pytest.mark.parametrize("value", [None, "1099", "10,99", 10.99, True, [1099]])
def test_what_is_no_whole_number_is_refused(value):
    with pytest.raises(BillError) as refusal:
        read_amount(value, "CAD", "amount")
    assert refusal.value.code == "no_amount"


@pytest.mark.parametrize("value", [None, "", "dollar", "ca", "€", 124])
def test_what_is_no_currency_is_refused(value):
    with pytest.raises(BillError):
        read_currency(value)


def test_a_unit_price_may_have_decimals_of_a_minor_unit():
    assert read_unit_price("0.25", "CAD") == Decimal("0.0025")
    assert read_unit_price(None, "CAD") is None
    assert read_unit_price("1e5", "CAD") is None
