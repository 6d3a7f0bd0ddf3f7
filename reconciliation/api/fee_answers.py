"""What the API answers about a fee, with Lago's field names."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec

from ingest.api.openapi import envelop, list_of
from ingest.api.rendering import render_decimal, render_second
from ingest.charge_filters import filter_id
from ingest.metering.arithmetic import exact_difference, exact_sum
from ingest.models import ChargeModel, Fee, FeeKind
from ingest.rating.money import exponent, to_cents
from reconciliation.fee_taxes import BilledFee, FeeTax

ITEM_TYPES: Mapping[str, str] = {
    FeeKind.USAGE: "charge",
    FeeKind.TRUE_UP: "charge",
    FeeKind.PLAN: "subscription",
    FeeKind.COMMITMENT: "commitment",
}


class FeeItem(msgspec.Struct):
    """What a fee is for."""

    type: str
    code: str
    name: str
    description: str | None
    invoice_display_name: str | None
    filters: dict[str, list[str]] | None
    filter_invoice_display_name: str | None
    lago_item_id: str
    item_type: str
    grouped_by: dict[str, str]


class AppliedTax(msgspec.Struct):
    """One tax, by its rate in percent."""

    lago_tax_id: str
    tax_name: str
    tax_code: str
    tax_rate: float
    amount_cents: int
    amount_currency: str


class FeeOut(msgspec.Struct, kw_only=True):
    """A rated amount; `precise_…` amounts are unrounded, in the currency's own unit unless they say cents."""

    # None of an estimate.
    lago_id: str | None
    lago_charge_id: str | None
    lago_charge_filter_id: str | None
    lago_fixed_charge_id: None = None
    lago_invoice_id: str | None
    lago_true_up_fee_id: None = None
    lago_true_up_parent_fee_id: None = None
    lago_original_fee_id: None = None
    lago_subscription_id: str
    external_subscription_id: str
    lago_customer_id: str
    external_customer_id: str
    item: FeeItem
    pay_in_advance: bool
    invoiceable: bool = True
    amount_cents: int
    amount_currency: str
    precise_amount: str
    precise_total_amount: str
    taxes_amount_cents: int
    taxes_precise_amount: str
    taxes_rate: float
    total_aggregated_units: str
    total_amount_cents: int
    total_amount_currency: str
    units: str
    description: str | None = None
    precise_unit_amount: str
    precise_coupons_amount_cents: str = "0.0"
    sub_total_excluding_taxes_amount_cents: int
    sub_total_excluding_taxes_precise_amount_cents: str
    events_count: int
    payment_status: str = "pending"
    created_at: str
    succeeded_at: None = None
    failed_at: None = None
    refunded_at: None = None
    from_date: str
    to_date: str
    amount_details: dict[str, Any]
    self_billed: bool = False
    pricing_unit_details: None = None
    presentation_breakdowns: list[None] = []
    applied_taxes: list[AppliedTax]


FeeAnswer = envelop("fee", FeeOut, "FeeAnswer")
FeesAnswer = list_of("fees", FeeOut, "FeesAnswer")


def show_fee(billed: BilledFee) -> FeeOut:
    """One fee with its taxes; a tax that is not known is none."""
    fee, tax = billed.fee, billed.exact_tax
    currency, subscription = fee.currency, fee.subscription
    # What another period's bill has of it, or none, is not on this one.
    exact, amount = (exact_difference(each, fee.deferred_amount) for each in (fee.exact_amount, fee.amount))
    amount_cents = to_cents(amount, currency)
    tax_cents = to_cents(tax, currency)
    return FeeOut(
        lago_id=str(fee.public_id),
        lago_charge_id=str(fee.charge.public_id) if fee.charge else None,
        lago_charge_filter_id=_show_filter_id(fee),
        lago_invoice_id=str(billed.bill.public_id) if billed.bill else None,
        lago_subscription_id=str(subscription.public_id),
        external_subscription_id=subscription.external_id,
        lago_customer_id=str(subscription.customer.public_id),
        external_customer_id=subscription.customer.external_id,
        item=_show_item(fee),
        pay_in_advance=bool(fee.charge_version and fee.charge_version.is_pay_in_advance),
        amount_cents=amount_cents,
        amount_currency=currency,
        precise_amount=show_number(exact),
        precise_total_amount=show_number(exact_sum((exact, tax))),
        taxes_amount_cents=tax_cents,
        taxes_precise_amount=show_number(tax),
        taxes_rate=float(sum(each.rate.percent for each in billed.taxes)),
        total_aggregated_units=show_number(fee.quantity if fee.full_quantity is None else fee.full_quantity),
        total_amount_cents=amount_cents + tax_cents,
        total_amount_currency=currency,
        units=show_number(fee.quantity),
        precise_unit_amount=show_number(fee.unit_amount or Decimal(0)),
        sub_total_excluding_taxes_amount_cents=amount_cents,
        sub_total_excluding_taxes_precise_amount_cents=show_number(amount.scaleb(exponent(currency))),
        events_count=fee.events_count,
        created_at=render_second(fee.created_at),
        from_date=render_second(fee.counts_from or fee.period_start),
        to_date=render_second((fee.counts_to or fee.period_end) - timedelta(seconds=1)),
        amount_details=_show_details(fee),
        applied_taxes=[show_tax(each, currency) for each in billed.taxes],
    )


def _show_filter_id(fee: Fee) -> str | None:
    """The id of the filter that took the events; none of the rest of a charge."""
    return str(filter_id(fee.charge, fee.filter_values)) if fee.charge and fee.filter_values else None


def show_tax(tax: FeeTax, currency: str) -> AppliedTax:
    """One tax on a fee, rounded for itself."""
    return AppliedTax(
        lago_tax_id=tax.rate.code,
        tax_name=tax.name,
        tax_code=tax.rate.code,
        tax_rate=float(tax.rate.percent),
        amount_cents=to_cents(tax.exact, currency),
        amount_currency=currency,
    )


def _show_item(fee: Fee) -> FeeItem:
    sold = fee.charge.metric if fee.charge else fee.subscription.plan
    display = fee.charge.invoice_display_name if fee.charge else fee.subscription.plan.invoice_display_name
    named = [
        each.get("invoice_display_name")
        for each in (fee.charge_version.filters if fee.charge_version else ())
        if each["values"] == fee.filter_values
    ]
    return FeeItem(
        type=ITEM_TYPES[fee.of_fee.kind if fee.of_fee else fee.kind],
        code=sold.code,
        name=sold.name,
        description=sold.description or None,
        invoice_display_name=display or None,
        filters=fee.filter_values,
        filter_invoice_display_name=named[0] if named else None,
        lago_item_id=str(sold.public_id),
        item_type="BillableMetric" if fee.charge else "Subscription",
        # The official client knows no null here.
        grouped_by={key: value or "" for key, value in fee.grouped_by.items()},
    )


def _parts(name: str) -> Callable[[Sequence[dict[str, Any]]], dict[str, Any]]:
    return lambda lines: {name: list(lines)}


def _first(lines: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return lines[0] if lines else {}


# How each model's parts are told (Lago: amount_details).
DETAILS: Mapping[str, Callable[[Sequence[dict[str, Any]]], dict[str, Any]]] = {
    ChargeModel.GRADUATED: _parts("graduated_ranges"),
    ChargeModel.GRADUATED_PERCENTAGE: _parts("graduated_percentage_ranges"),
    ChargeModel.PACKAGE: _first,
    ChargeModel.PERCENTAGE: _first,
    ChargeModel.VOLUME: _first,
}


def _show_details(fee: Fee) -> dict[str, Any]:
    """The parts that add up to the amount, where the model has any and it was not billed event by event."""
    lines = [line for line in fee.details if "properties" not in line]
    model = fee.charge_version.model if fee.charge_version and fee.kind == FeeKind.USAGE else ""
    if model not in DETAILS or any("transaction" in line for line in lines):
        return {}
    return DETAILS[model](lines)


def show_number(number: Decimal) -> str:
    """A number as the API writes decimals."""
    return render_decimal(number) or "0.0"
