"""From fees to what an invoice comes to: coupons, taxes, credits, in Lago's order (Lago: invoice)."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from ingest.metering.arithmetic import ZERO, exact_difference, exact_sum
from ingest.rating.coupons import Coupon, spread_coupons
from ingest.rating.money import round_to_currency
from ingest.rating.taxes import Taxable, Taxes, TaxRate, compute_taxes, tax_of


@dataclass(frozen=True, slots=True)
class InvoiceFee:
    """A fee as an invoice takes it: its rounded amount before tax, and the taxes on it."""

    key: str
    amount: Decimal
    rates: Sequence[TaxRate] = ()


@dataclass(frozen=True, slots=True)
class InvoicedFee:
    """A fee with what coupons took off, and its tax, rounded for display."""

    key: str
    amount: Decimal
    coupons: Decimal
    tax: Decimal


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice's sums, in the currency's main unit; `total` is what is left to pay."""

    fees: tuple[InvoicedFee, ...]
    fees_amount: Decimal
    progressive_credit: Decimal
    coupons_amount: Decimal
    untaxed: Decimal
    taxes: Taxes
    total_with_tax: Decimal
    credit_notes: Decimal
    total: Decimal

    @property
    def tax(self) -> Decimal:
        """The tax in all: the rounded sum of the unrounded taxes."""
        return self.taxes.total


def compute_invoice(
    *,
    fees: Sequence[InvoiceFee],
    currency: str,
    coupons: Sequence[Coupon] = (),
    credit_notes: Decimal = ZERO,
    progressive_credit: Decimal = ZERO,
) -> Invoice:
    """The fees less earlier progressive invoices and coupons, then tax, then credit notes up to the total.

    Coupons lower the base of the tax, credit notes do not; nothing is rounded but what `taxes` and `coupons` say.
    """
    billed = exact_sum(fee.amount for fee in fees)
    credited = min(progressive_credit, billed)
    after_credit = _less(fees, credited, currency)
    off = spread_coupons(
        fees=[(fee.key, amount) for fee, amount in zip(fees, after_credit, strict=True)],
        coupons=coupons,
        currency=currency,
    )
    bases = [exact_difference(amount, part) for amount, part in zip(after_credit, off, strict=True)]
    taxes = compute_taxes((Taxable(base, fee.rates) for base, fee in zip(bases, fees, strict=True)), currency)
    untaxed = exact_sum(bases)
    with_tax = exact_sum((untaxed, taxes.total))
    notes = min(credit_notes, with_tax)
    return Invoice(
        fees=tuple(
            _show(fee, base, part, currency) for fee, base, part in zip(fees, bases, off, strict=True)
        ),
        fees_amount=billed,
        progressive_credit=credited,
        coupons_amount=exact_sum(off),
        untaxed=untaxed,
        taxes=taxes,
        total_with_tax=with_tax,
        credit_notes=notes,
        total=exact_difference(with_tax, notes),
    )


def _less(fees: Sequence[InvoiceFee], credited: Decimal, currency: str) -> list[Decimal]:
    """The fees less an earlier progressive invoice, which lowers the base of each in proportion."""
    off = spread_coupons(
        fees=[(fee.key, fee.amount) for fee in fees], coupons=[Coupon(credited)], currency=currency
    )
    return [exact_difference(fee.amount, part) for fee, part in zip(fees, off, strict=True)]


def _show(fee: InvoiceFee, base: Decimal, off: Decimal, currency: str) -> InvoicedFee:
    tax = exact_sum(tax_of(base, rate) for rate in fee.rates)
    return InvoicedFee(fee.key, fee.amount, off, round_to_currency(tax, currency))
