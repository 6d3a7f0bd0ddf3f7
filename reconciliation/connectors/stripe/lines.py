"""The lines of invoices and credit notes of the pinned version, and the fields that Stripe writes in several ways."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from reconciliation.connectors.stripe.amounts import read_amount, read_currency, read_unit_price
from reconciliation.connectors.stripe.pages import read_instant
from reconciliation.connectors.stripe.records import BillError, BillLine

ZERO = Decimal(0)


def id_of(value: Any) -> str:
    """The id in a field that Stripe may expand to the object itself; empty when there is none."""
    found = value.get("id") if isinstance(value, Mapping) else value
    return found if isinstance(found, str) else ""


def members(value: Any, *path: str) -> Any:
    """What stands at a path of names; None where one of them is missing."""
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def read_line(line: Mapping[str, Any], currency: str) -> BillLine:
    """An invoice's line; raises BillError without a period, or in another currency than the invoice's."""
    if read_currency(line.get("currency")) != currency:
        raise BillError("mixed_currencies", f"Line {id_of(line)} is not in {currency}, as its invoice is.")
    kind = members(line, "parent", "type")
    details = members(line, "parent", str(kind)) or {}
    price = members(line, "pricing", "price_details") or {}
    starts_at, ends_at = (read_instant(members(line, "period", end)) for end in ("start", "end"))
    if starts_at is None or ends_at is None:
        raise BillError("no_period", f"Line {id_of(line)} does not say what it is for.")
    return BillLine(
        id=id_of(line),
        description=text_of(line, "description"),
        amount=read_amount(line.get("amount"), currency, f"amount of {id_of(line)}"),
        discount=_read_discount(line, currency),
        inclusive_tax=_read_tax(line, currency, "inclusive"),
        exclusive_tax=_read_tax(line, currency, "exclusive"),
        starts_at=starts_at,
        ends_at=ends_at,
        is_proration=details.get("proration") is True,
        is_subscription=kind == "subscription_item_details",
        code=id_of(price.get("price")) or id_of(price.get("product")),
        quantity=_read_quantity(line),
        unit_price=read_unit_price(members(line, "pricing", "unit_amount_decimal"), currency),
    )


def read_credit(line: Mapping[str, Any], currency: str) -> BillLine:
    """A credit note's line, below zero; which periods it corrects, the invoice's line says."""
    return negate(
        BillLine(
            id=id_of(line),
            description=text_of(line, "description"),
            amount=read_amount(line.get("amount"), currency, f"amount of {id_of(line)}"),
            discount=_read_discount(line, currency),
            inclusive_tax=_read_tax(line, currency, "inclusive"),
            exclusive_tax=_read_tax(line, currency, "exclusive"),
            starts_at=None,
            ends_at=None,
            quantity=_read_quantity(line),
            corrects=id_of(line.get("invoice_line_item")),
        )
    )


def negate(line: BillLine) -> BillLine:
    """The line as a credit takes it back."""
    return replace(
        line,
        amount=-line.amount,
        discount=-line.discount,
        inclusive_tax=-line.inclusive_tax,
        exclusive_tax=-line.exclusive_tax,
    )


def read_shipping(values: Mapping[str, Any], currency: str, at: datetime) -> list[BillLine]:
    """Shipping as a line of its own, where there is any."""
    cost = values.get("shipping_cost")
    if not isinstance(cost, Mapping) or not cost.get("amount_subtotal"):
        return []
    subtotal, tax = (
        read_amount(cost.get(name), currency, f"shipping's {name}")
        for name in ("amount_subtotal", "amount_tax")
    )
    # Whether its tax is in the price shows in the total alone.
    is_inclusive = read_amount(cost.get("amount_total"), currency, "shipping's total") == subtotal
    inclusive, exclusive = (tax, ZERO) if is_inclusive else (ZERO, tax)
    return [BillLine("shipping", "Shipping", subtotal, ZERO, inclusive, exclusive, at, at, code="shipping")]


def _read_discount(line: Mapping[str, Any], currency: str) -> Decimal:
    """What comes off before tax: discounts and billing credits, which the later list holds together."""
    where = f"The discounts of line {id_of(line)} are"
    pretax = _entries(line, "pretax_credit_amounts", where)
    amounts = [entry.get("amount") for entry in pretax or _entries(line, "discount_amounts", where)]
    return sum((read_amount(amount, currency, f"discount of {id_of(line)}") for amount in amounts), ZERO)


def _read_tax(line: Mapping[str, Any], currency: str, behaviour: str) -> Decimal:
    taxes = _entries(line, "taxes", f"The taxes of line {id_of(line)} are")
    if any(members(tax, "tax_behavior") not in {"inclusive", "exclusive"} for tax in taxes):
        raise BillError("unknown_tax", f"A tax of line {id_of(line)} is neither inclusive nor exclusive.")
    amounts = [tax.get("amount") for tax in taxes if tax.get("tax_behavior") == behaviour]
    return sum((read_amount(amount, currency, f"tax of {id_of(line)}") for amount in amounts), ZERO)


def _read_quantity(line: Mapping[str, Any]) -> Decimal | None:
    text, whole = line.get("quantity_decimal"), line.get("quantity")
    if isinstance(text, str) and text.replace(".", "", 1).isdigit():
        return Decimal(text)
    return Decimal(whole) if isinstance(whole, int) and not isinstance(whole, bool) else None


def lines_of(values: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """All of its lines; raises BillError when only the first of them are there."""
    lines = values.get("lines")
    if not isinstance(lines, Mapping) or lines.get("has_more") is not False:
        raise BillError("lines_missing", "Not all of its lines are there.")
    return _entries(lines, "data", "Its lines are")


def text_of(values: Mapping[str, Any], name: str) -> str:
    """A text, empty when there is none."""
    value = values.get(name)
    return value if isinstance(value, str) else ""


def _entries(values: Mapping[str, Any], name: str, what: str) -> list[Mapping[str, Any]]:
    """A list of objects; one that is not there is empty."""
    found = values.get(name) or []
    if not isinstance(found, list) or not all(isinstance(entry, Mapping) for entry in found):
        raise BillError("unexpected_shape", f"{what} no list of objects.")
    return found
