"""Odoo's payments by Stripe: its transactions, which Stripe shows as charges, and the cards that it may charge.

`payment_stripe` keeps the intent's id as a transaction's `provider_reference` and the reference as the intent's
description; a token's `provider_ref` is the Stripe customer, its `stripe_payment_method` the card.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from reconciliation.connectors.odoo.client import OdooClient, Record, changed_since
from reconciliation.connectors.odoo.values import read_id, read_money, read_name, read_text

BY_STRIPE = ["provider_code", "=", "stripe"]
TRANSACTION_FIELDS = ("reference", "provider_reference", "state", "amount", "currency_id", "partner_id")
TOKEN_FIELDS = ("partner_id", "provider_ref", "active")
METHOD = "stripe_payment_method"


@dataclass(frozen=True, slots=True)
class Transaction:
    """A payment of Odoo's by Stripe (`payment.transaction`)."""

    id: int
    reference: str
    provider_reference: str
    state: str
    amount: Decimal
    currency: str
    partner_id: int | None


@dataclass(frozen=True, slots=True)
class Token:
    """A card that Odoo may charge (`payment.token`)."""

    id: int
    partner_id: int
    stripe_customer: str
    payment_method: str
    is_active: bool


def read_transactions(client: OdooClient, since: datetime | None = None) -> Iterator[Transaction]:
    """The company's transactions by Stripe that were written since, by id."""
    domain = [*client.company_domain(), BY_STRIPE, *changed_since(since)]
    for page in client.read_pages("payment.transaction", domain, TRANSACTION_FIELDS):
        yield from (_transaction(client, row) for row in page)


def read_tokens(client: OdooClient) -> Iterator[Token]:
    """The company's tokens by Stripe, archived ones included, by id."""
    known = client.existing_fields("payment.token", [METHOD])
    fields = [*TOKEN_FIELDS, *known]
    domain = [*client.company_domain(), BY_STRIPE]
    for page in client.read_pages("payment.token", domain, fields, has_archived=True):
        yield from map(_token, page)


def _transaction(client: OdooClient, row: Record) -> Transaction:
    currency_id = read_id(row["currency_id"])
    rounding = client.rounding(currency_id) if currency_id else Decimal("0.01")
    return Transaction(
        id=row["id"],
        reference=read_text(row["reference"]) or "",
        provider_reference=read_text(row["provider_reference"]) or "",
        state=row["state"],
        amount=read_money(row["amount"], rounding),
        currency=read_name(row["currency_id"]) or "",
        partner_id=read_id(row["partner_id"]),
    )


def _token(row: Record) -> Token:
    return Token(
        id=row["id"],
        partner_id=read_id(row["partner_id"]) or 0,
        stripe_customer=read_text(row["provider_ref"]) or "",
        payment_method=read_text(row.get(METHOD)) or "",
        is_active=row["active"],
    )
