"""Invoices: taxes rounded once for each rate, coupons spread exactly, credits after tax."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.metering.arithmetic import exact_sum
from ingest.rating.coupons import Coupon, spread_coupons
from ingest.rating.invoice import InvoiceFee, compute_invoice
from ingest.rating.minimum import rate_true_up
from ingest.rating.taxes import TaxRate

PROVINCES = {
    "ON": ["13"],
    "NS": ["14"],
    "NB": ["15"],
    "AB": ["5"],
    "QC": ["5", "9.975"],
    "abroad": [],
}


def fees_of(*amounts, rates=("13",)):
    taxes = [TaxRate(rate, Decimal(rate)) for rate in rates]
    return [InvoiceFee(str(place), Decimal(amount), taxes) for place, amount in enumerate(amounts)]


@pytest.mark.parametrize(
    ("province", "taxes", "total"),
    [
        ("ON", ["17.41"], "17.41"),
        ("NS", ["18.75"], "18.75"),
        ("NB", ["20.09"], "20.09"),
        ("AB", ["6.70"], "6.70"),
        ("QC", ["6.70", "13.36"], "20.06"),
        ("abroad", [], "0"),
    ],
)
def test_a_province_is_taxed_on_the_whole_invoice(province, taxes, total):
    invoice = compute_invoice(
        fees=fees_of("99.00", "30.86", "4.10", rates=PROVINCES[province]), currency="CAD"
    )
    assert [str(tax) for tax in invoice.taxes.by_rate.values()] == taxes
    assert invoice.tax == Decimal(total)
    assert invoice.total == Decimal("133.96") + Decimal(total)


def test_the_tax_is_the_round_of_the_sum_not_the_sum_of_the_rounds():
    invoice = compute_invoice(fees=fees_of("0.05", "0.05", "0.05"), currency="CAD")
    assert [fee.tax for fee in invoice.fees] == [Decimal("0.01")] * 3
    assert invoice.tax == Decimal("0.02")


@pytest.mark.parametrize(("currency", "tax"), [("JPY", "1"), ("CAD", "1.30"), ("KWD", "1.300")])
def test_each_currency_rounds_to_its_own_unit(currency, tax):
    assert str(compute_invoice(fees=fees_of("10"), currency=currency).tax) == tax


def test_coupons_lower_the_base_and_credit_notes_the_rest():
    invoice = compute_invoice(
        fees=fees_of("100", "50", rates=("10",)),
        currency="CAD",
        coupons=[Coupon(percent=Decimal(10)), Coupon(amount=Decimal(35), fees=frozenset({"1"}))],
        credit_notes=Decimal(1000),
        progressive_credit=Decimal(30),
    )
    assert (invoice.fees_amount, invoice.progressive_credit) == (150, 30)
    assert invoice.coupons_amount == 47
    assert (invoice.untaxed, invoice.tax, invoice.total_with_tax) == (73, Decimal("7.30"), Decimal("80.30"))
    assert (invoice.credit_notes, invoice.total) == (Decimal("80.30"), 0)


def test_what_rounding_leaves_of_a_coupon_is_spread_a_digit_at_a_time():
    fees = [(str(place), Decimal(100)) for place in range(7)]
    parts = spread_coupons(fees=fees, coupons=[Coupon(amount=Decimal(10))], currency="CAD")
    assert sorted(set(parts)) == [Decimal("1.4285714"), Decimal("1.4285715")]
    assert exact_sum(parts) == 10


CENTS = st.decimals(0, 10_000, places=2)


@given(st.lists(CENTS, min_size=1, max_size=6), st.lists(CENTS | st.none(), max_size=3))
def test_a_coupons_parts_sum_to_it_and_no_fee_falls_below_zero(amounts, coupons):
    drawn = [
        Coupon(percent=Decimal("33.333")) if amount is None else Coupon(amount=amount) for amount in coupons
    ]
    fees = [(str(place), amount) for place, amount in enumerate(amounts)]
    parts = spread_coupons(fees=fees, coupons=drawn, currency="CAD")
    assert all(0 <= part <= amount for part, amount in zip(parts, amounts, strict=True))
    assert exact_sum(parts) == exact_sum(parts).quantize(Decimal("0.01"))


@pytest.mark.parametrize(
    ("fees", "missing"), [([], "89.29"), (["80"], "9.29"), (["80", "9.29"], "0"), (["200"], "0")]
)
def test_a_minimum_is_topped_up_to_its_share_by_days(fees, missing):
    found = rate_true_up(
        minimum=Decimal(100), billed_days=25, period_days=28, fees=map(Decimal, fees), currency="CAD"
    )
    assert found == Decimal(missing)
