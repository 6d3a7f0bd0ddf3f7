"""What reading Stripe gives: its objects as they are, one page at a time, and the bills that are made of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from reconciliation.connectors.errors import ConnectorError

SYSTEM = "stripe"
# The version whose shapes are read, whatever the account's own is; the SDK's own, so that its types agree.
API_VERSION = "2026-10-28.endive"


class Kind(StrEnum):
    """What is read; the value is Stripe's name of the list, in its addresses."""

    CUSTOMERS = "customers"
    INVOICES = "invoices"
    CREDIT_NOTES = "credit_notes"
    # Which payment paid which invoice: since 2025-03-31.basil neither says it of itself.
    PAYMENTS = "invoice_payments"
    CHARGES = "charges"
    REFUNDS = "refunds"
    DISPUTES = "disputes"
    BALANCE_TRANSACTIONS = "balance_transactions"
    EVENTS = "events"


# What an object calls itself, of which list it is.
KIND_OF_OBJECT: Mapping[str, Kind] = {
    "customer": Kind.CUSTOMERS,
    "invoice": Kind.INVOICES,
    "credit_note": Kind.CREDIT_NOTES,
    "invoice_payment": Kind.PAYMENTS,
    "charge": Kind.CHARGES,
    "refund": Kind.REFUNDS,
    "dispute": Kind.DISPUTES,
    "balance_transaction": Kind.BALANCE_TRANSACTIONS,
    "event": Kind.EVENTS,
}


@dataclass(frozen=True, slots=True)
class StripeItem:
    """One object as Stripe gave it; fractions are the text that they were written as."""

    kind: Kind
    id: str
    created: datetime
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """Some objects of a list, newest first; `after` is where the next page begins, None after the last."""

    items: tuple[StripeItem, ...]
    after: str | None


@dataclass(frozen=True, slots=True)
class Account:
    """Whose key it is; what the key may not tell is empty."""

    id: str
    name: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True)
class BillLine:
    """One line: its price, what comes off it, the tax in it and on it, and what it is for.

    `corrects` is the line of an invoice that a credit note's line takes back.
    """

    id: str
    description: str
    amount: Decimal
    discount: Decimal
    inclusive_tax: Decimal
    exclusive_tax: Decimal
    starts_at: datetime | None
    ends_at: datetime | None
    is_proration: bool = False
    is_subscription: bool = False
    code: str = ""
    quantity: Decimal | None = None
    unit_price: Decimal | None = None
    corrects: str = ""


@dataclass(frozen=True, slots=True)
class Bill:
    """An invoice, a credit note or a charge: what it says was billed; a credit note's amounts are below zero.

    `is_billed` is False for drafts, voids and what failed: they bill nothing. A charge states a total alone.
    """

    kind: Kind
    id: str
    number: str
    status: str
    is_billed: bool
    customer: str
    currency: str
    issued_at: datetime
    untaxed: Decimal | None
    tax: Decimal | None
    total: Decimal
    lines: tuple[BillLine, ...]
    corrects: str = ""


class BillError(ValueError):
    """An object that is no bill as it stands; `code` and `message` say why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def fail(code: str, message: str, *, permanent: bool = True) -> ConnectorError:
    """The error of this connector: reading changes nothing, so that its outcome is never unknown."""
    return ConnectorError(code, message, SYSTEM, permanent)
