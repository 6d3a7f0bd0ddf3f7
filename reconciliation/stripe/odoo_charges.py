"""Odoo's own charges on the shared account: told by its transactions, and never a service's.

Odoo's `payment_stripe` writes the transaction's reference into the intent's description and nothing into its
metadata, and keeps the intent's id as the transaction's provider reference (Odoo 19, `payment.transaction`).
"""

from collections.abc import Mapping, Sequence

from django.db.models import Q

from reconciliation.models import OdooTransaction, StripeRecord


def find_odoo_charges(records: Sequence[StripeRecord]) -> Mapping[str, str]:
    """The charges that Odoo made, each with why: its intent is a transaction's, or its description and amount are."""
    descriptions = {_describe(record) for record in records} - {""}
    intents = {record.intent for record in records} - {""}
    rows = OdooTransaction.objects.filter(Q(provider_reference__in=intents) | Q(reference__in=descriptions))
    by_intent = {row.provider_reference: row.reference for row in rows if row.provider_reference}
    by_reference = {(row.reference, row.currency, row.amount): row.reference for row in rows}
    found = {}
    for record in records:
        reference = by_intent.get(record.intent) if record.intent else None
        if reference is None and record.amount is not None:
            reference = by_reference.get((_describe(record), record.currency, record.amount))
        if reference is not None:
            found[record.stripe_id] = f"Odoo's transaction {reference}"
    return found


def _describe(record: StripeRecord) -> str:
    description = record.raw.get("description")
    return description if isinstance(description, str) else ""
