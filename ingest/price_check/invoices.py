"""Questions about an invoice: minimums, shares of a plan, coupons, taxes and credits."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType

from ingest.metering.arithmetic import exact_sum
from ingest.price_check.charges import read_currency
from ingest.price_check.fields import Fields
from ingest.price_check.usage import Figures
from ingest.rating.coupons import Coupon
from ingest.rating.invoice import Invoice, InvoiceFee, compute_invoice
from ingest.rating.minimum import rate_true_up
from ingest.rating.money import exponent, round_to_currency, to_cents
from ingest.rating.plan_fee import PlanFeeError, rate_plan_fee
from ingest.rating.taxes import TaxRate


def answer_true_up(case: Fields) -> Figures:
    """What a minimum adds to the fees, and the tax on it."""
    given, currency = case.fields("input"), read_currency(case)
    used = [_amount(given, "used_amount_cents", currency)] if given.has("used_amount_cents") else []
    try:
        missing = rate_true_up(
            minimum=_amount(given, "min_amount_cents", currency),
            billed_days=given.count("days"),
            period_days=given.count("period_days"),
            fees=used,
            currency=currency,
        )
    except PlanFeeError as error:
        raise given.error("days", f"cannot be: {error}") from error
    return _one_fee(missing, given, currency)


def answer_plan_fee(case: Fields) -> Figures:
    """A plan's base amount for some of a period's days, and the tax on it."""
    given, currency = case.fields("input"), read_currency(case)
    try:
        exact = rate_plan_fee(
            base_amount=_amount(given, "plan_amount_cents", currency),
            billed_days=given.count("days"),
            period_days=given.count("period_days"),
        )
    except PlanFeeError as error:
        raise given.error("days", f"cannot be: {error}") from error
    return _one_fee(round_to_currency(exact, currency), given, currency)


def answer_invoice(case: Fields) -> Figures:
    """Fees, coupons, taxes and credits together."""
    given, currency = case.fields("input"), read_currency(case)
    fees = [
        InvoiceFee(fee.text("id", str(place)), _amount(fee, "amount_cents", currency), _rates(fee))
        for place, fee in enumerate(given.each("fees"))
    ]
    invoice = compute_invoice(
        fees=fees,
        currency=currency,
        coupons=[_coupon(coupon, currency) for coupon in given.each("coupons")],
        credit_notes=_amount(given, "credit_notes_amount_cents", currency, 0),
        progressive_credit=_amount(given, "progressive_billing_credit_amount_cents", currency, 0),
    )
    return _show(invoice, currency)


def _show(invoice: Invoice, currency: str) -> Figures:
    def cents(amount: Decimal) -> int:
        return to_cents(amount, currency)

    return {
        "fees": [
            {
                "id": fee.key,
                "precise_coupons_amount_cents": fee.coupons.scaleb(exponent(currency)),
                "taxes_amount_cents": cents(fee.tax),
            }
            for fee in invoice.fees
        ],
        "fees_amount_cents": cents(invoice.fees_amount),
        "progressive_billing_credit_amount_cents": cents(invoice.progressive_credit),
        "coupons_amount_cents": cents(invoice.coupons_amount),
        "sub_total_excluding_taxes_amount_cents": cents(invoice.untaxed),
        "taxes": [
            {"code": rate.code, "rate": rate.percent, "amount_cents": cents(tax)}
            for rate, tax in invoice.taxes.by_rate.items()
        ],
        "taxes_amount_cents": cents(invoice.tax),
        "sub_total_including_taxes_amount_cents": cents(invoice.total_with_tax),
        "credit_notes_amount_cents": cents(invoice.credit_notes),
        "total_amount_cents": cents(invoice.total),
    }


def _one_fee(amount: Decimal, given: Fields, currency: str) -> Figures:
    invoice = compute_invoice(fees=[InvoiceFee("fee", amount, _rates(given))], currency=currency)
    return {
        "amount_cents": to_cents(amount, currency),
        "taxes_amount_cents": to_cents(invoice.tax, currency),
        "total_amount_cents": to_cents(exact_sum((amount, invoice.tax)), currency),
    }


def _amount(given: Fields, name: str, currency: str, *default: int) -> Decimal:
    cents = _positive(given, name, *default)
    if cents != cents.to_integral_value():
        raise given.error(name, "must be whole")
    return cents.scaleb(-exponent(currency))


def _positive(given: Fields, name: str, *default: int) -> Decimal:
    number = given.number(name, *default)
    if number < 0:
        raise given.error(name, "must not be below zero")
    return number


def _rates(given: Fields) -> list[TaxRate]:
    """The taxes on a fee: one `tax_rate`, several `tax_rates`, or `taxes` with a code and a rate."""
    rates = [*given.numbers("tax_rates")]
    if any(rate < 0 for rate in rates):
        raise given.error("tax_rates", "must not be below zero")
    if given.has("tax_rate"):
        rates.append(_positive(given, "tax_rate"))
    named = ((tax, _positive(tax, "rate")) for tax in given.each("taxes"))
    return [TaxRate(str(rate), rate) for rate in rates] + [
        TaxRate(tax.text("code", str(rate)), rate) for tax, rate in named
    ]


def _coupon(given: Fields, currency: str) -> Coupon:
    fees = frozenset(given.texts("fee_ids")) if given.has("fee_ids") else None
    for name in ("percentage_rate", "rate"):
        if given.has(name):
            return Coupon(percent=_positive(given, name), fees=fees)
    return Coupon(amount=_amount(given, "amount_cents", currency), fees=fees)


KINDS: Mapping[str, Callable[[Fields], Figures]] = MappingProxyType(
    {
        "true_up": answer_true_up,
        "proration": answer_plan_fee,
        "invoice_total": answer_invoice,
        "invoice_coupons_taxes": answer_invoice,
    }
)
