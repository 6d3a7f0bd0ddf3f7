"""Payment evidence: what paid a bill, and what was paid back or contested; none of it adds to the bill."""

from collections.abc import Iterable

from reconciliation.connectors.stripe.records import Kind
from reconciliation.models import Source, SourceDocument, StripeRecord

# Documents that a charge may have paid, by the id that is their reference.
PAID = (Source.STRIPE_INVOICE, Source.LAGO_INVOICE, Source.STRIPE_CHARGE)
SHOWN = (Kind.CHARGES, Kind.REFUNDS, Kind.DISPUTES)


def read_payments(documents: Iterable[SourceDocument]) -> list[StripeRecord]:
    """The charges that paid these documents, and the refunds and disputes of those, oldest first."""
    bills = {document.reference for document in documents if document.source in PAID}
    if not bills:
        return []
    charges = list(_of(bills))
    seen = {charge.pk for charge in charges}
    more = [row for row in _of({charge.stripe_id for charge in charges}) if row.pk not in seen]
    return sorted([*charges, *more], key=lambda row: (row.created, row.pk))


def _of(bills: Iterable[str]) -> Iterable[StripeRecord]:
    return StripeRecord.objects.filter(pays__in=bills, kind__in=SHOWN).defer("raw")
