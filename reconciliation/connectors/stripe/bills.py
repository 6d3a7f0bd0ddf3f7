"""Invoices, credit notes and charges of the pinned version, read as bills; what does not add up is refused.

Source of the shapes: https://docs.stripe.com/api, version 2026-10-28.endive: Invoices, Invoice line items, Credit
notes, Credit note line items, Charges.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from reconciliation.connectors.stripe.amounts import read_amount, read_currency
from reconciliation.connectors.stripe.lines import (
    ZERO,
    id_of,
    lines_of,
    members,
    negate,
    read_credit,
    read_line,
    read_shipping,
    text_of,
)
from reconciliation.connectors.stripe.pages import read_instant
from reconciliation.connectors.stripe.records import Bill, BillError, BillLine, Kind

# Finalised, whether or not anybody pays: uncollectible is billed. A draft and a void are not.
BILLED_INVOICES = frozenset({"open", "paid", "uncollectible"})
UNBILLED_INVOICES = frozenset({"draft", "void"})


def read_bill(kind: Kind, values: Mapping[str, Any]) -> Bill:
    """The bill in an object; raises BillError, with a code and a sentence, for what cannot be read as one."""
    readers = {
        Kind.INVOICES: read_invoice,
        Kind.CREDIT_NOTES: read_credit_note,
        Kind.CHARGES: read_charge,
    }
    return readers[kind](values)


def read_invoice(values: Mapping[str, Any]) -> Bill:
    """An invoice with its lines, which must sum to it. The customer balance is payment: `total` is before it."""
    status = text_of(values, "status")
    if status not in BILLED_INVOICES | UNBILLED_INVOICES:
        raise BillError("unknown_status", f"An invoice of status {status!r} is not known.")
    currency = read_currency(values.get("currency"))
    issued_at = _issued_at(values)
    lines = [read_line(line, currency) for line in lines_of(values)]
    lines += read_shipping(values, currency, issued_at)
    total = read_amount(values.get("total"), currency, "total")
    untaxed = read_amount(values.get("total_excluding_tax"), currency, "total_excluding_tax")
    bill = Bill(
        kind=Kind.INVOICES,
        id=text_of(values, "id"),
        number=text_of(values, "number"),
        status=status,
        is_billed=status in BILLED_INVOICES,
        customer=id_of(values.get("customer")),
        currency=currency,
        issued_at=issued_at,
        untaxed=untaxed,
        tax=total - untaxed,
        total=total,
        lines=tuple(lines),
    )
    if bill.is_billed:
        _refuse_gap(bill)
    return bill


def read_credit_note(values: Mapping[str, Any]) -> Bill:
    """A credit note: every amount below zero, before and after payment alike; a voided one takes nothing back."""
    status = text_of(values, "status")
    if status not in {"issued", "void"}:
        raise BillError("unknown_status", f"A credit note of status {status!r} is not known.")
    currency = read_currency(values.get("currency"))
    lines = [read_credit(line, currency) for line in lines_of(values)]
    lines += [negate(line) for line in read_shipping(values, currency, _issued_at(values))]
    total = -read_amount(values.get("total"), currency, "total")
    untaxed = -read_amount(values.get("total_excluding_tax"), currency, "total_excluding_tax")
    bill = Bill(
        kind=Kind.CREDIT_NOTES,
        id=text_of(values, "id"),
        number=text_of(values, "number"),
        status=status,
        is_billed=status == "issued",
        customer=id_of(values.get("customer")),
        currency=currency,
        issued_at=_issued_at(values),
        untaxed=untaxed,
        tax=total - untaxed,
        total=total,
        lines=tuple(lines),
        corrects=id_of(values.get("invoice")),
    )
    _refuse_gap(bill)
    return bill


def read_charge(values: Mapping[str, Any]) -> Bill:
    """A charge: what was captured less what was refunded, with tax, which it does not state apart.

    A dispute changes nothing: the money may be gone, the bill is not.
    """
    status = text_of(values, "status")
    if status not in {"succeeded", "pending", "failed"}:
        raise BillError("unknown_status", f"A charge of status {status!r} is not known.")
    currency = read_currency(values.get("currency"))
    captured = read_amount(values.get("amount_captured"), currency, "amount_captured")
    total = captured - read_amount(values.get("amount_refunded"), currency, "amount_refunded")
    at = read_instant(values.get("created"))
    if at is None:
        raise BillError("no_date", "The charge has no date.")
    line = BillLine(
        id=text_of(values, "id"),
        description=text_of(values, "description") or text_of(values, "id"),
        amount=total,
        discount=ZERO,
        inclusive_tax=ZERO,
        exclusive_tax=ZERO,
        starts_at=at,
        ends_at=at,
    )
    return Bill(
        kind=Kind.CHARGES,
        id=text_of(values, "id"),
        number=text_of(values, "receipt_number"),
        status=status,
        is_billed=status == "succeeded" and values.get("captured") is True,
        customer=id_of(values.get("customer")),
        currency=currency,
        issued_at=at,
        untaxed=None,
        tax=None,
        total=total,
        lines=(line,),
    )


def _refuse_gap(bill: Bill) -> None:
    untaxed = sum((line.amount - line.discount - line.inclusive_tax for line in bill.lines), ZERO)
    tax = sum((line.inclusive_tax + line.exclusive_tax for line in bill.lines), ZERO)
    if (untaxed, tax) != (bill.untaxed, bill.tax):
        message = (
            f"Its lines sum to {untaxed:f} and {tax:f} tax; it says {bill.untaxed:f} and {bill.tax:f}"
            f" {bill.currency}."
        )
        raise BillError("lines_disagree", message)


def _issued_at(values: Mapping[str, Any]) -> datetime:
    """When it took effect, else when it was finalised, else when it was made."""
    finalized = members(values, "status_transitions", "finalized_at")
    for value in (values.get("effective_at"), finalized, values.get("created")):
        at = read_instant(value)
        if at is not None:
            return at
    raise BillError("no_date", "It has no date.")
