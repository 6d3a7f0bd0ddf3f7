"""Odoo's payments as last read: by them its charges are told from the services', and which cards it lacks."""

from datetime import timedelta
from itertools import islice
from typing import Any

from django.db import transaction
from django.db.models import Max, Model, Q
from django.utils import timezone

from reconciliation.connectors.odoo.connector import OdooConnector
from reconciliation.connectors.stripe.records import Kind
from reconciliation.models import OdooToken, OdooTransaction, RecordState, StripeRecord

OVERLAP = timedelta(days=1)
BATCH = 500


@transaction.atomic
def sync_transactions(*, connector: OdooConnector) -> int:
    """Reads Odoo's transactions by Stripe since the last time, all of them or none; returns how many.

    Charges that turn out to be Odoo's are attributed anew. Raises ConnectorError.
    """
    now = timezone.now()
    last = OdooTransaction.objects.aggregate(at=Max("mirrored_at"))["at"]
    transactions = [
        OdooTransaction(
            odoo_id=each.id,
            reference=each.reference[:255],
            provider_reference=each.provider_reference[:255],
            state=each.state[:16],
            amount=each.amount,
            currency=each.currency[:3],
            partner_id=each.partner_id,
            mirrored_at=now,
        )
        for each in connector.read_transactions(last - OVERLAP if last else None)
    ]
    _keep(OdooTransaction, transactions)
    _wake_charges(transactions)
    return len(transactions)


@transaction.atomic
def sync_tokens(*, connector: OdooConnector) -> int:
    """Reads the cards that Odoo may charge, all of them or none; returns how many. Raises ConnectorError."""
    now = timezone.now()
    tokens = [
        OdooToken(
            odoo_id=each.id,
            partner_id=each.partner_id,
            stripe_customer=each.stripe_customer[:255],
            payment_method=each.payment_method[:255],
            is_active=each.is_active,
            mirrored_at=now,
        )
        for each in connector.read_tokens()
    ]
    _keep(OdooToken, tokens)
    # What Odoo has no more cannot be charged.
    OdooToken.objects.filter(mirrored_at__lt=now).update(is_active=False)
    return len(tokens)


def _keep(model: type[Model], rows: list[Any]) -> None:
    names = [field.name for field in model._meta.fields if field.name not in {"id", "odoo_id"}]
    remaining = iter(rows)
    while batch := list(islice(remaining, BATCH)):
        model._default_manager.bulk_create(
            batch, update_conflicts=True, unique_fields=["odoo_id"], update_fields=names
        )


def _wake_charges(transactions: list[OdooTransaction]) -> None:
    intents = {row.provider_reference for row in transactions} - {""}
    references = {row.reference for row in transactions}
    charges = StripeRecord.objects.filter(kind=Kind.CHARGES).exclude(state=RecordState.ODOO)
    mine = charges.filter(Q(intent__in=intents) | Q(raw__description__in=references))
    mine.update(state=RecordState.WAITING)
