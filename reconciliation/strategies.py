"""Where Odoo's amounts of a service come from: one strategy at a time, chosen by an operator."""

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from ingest import audit
from ingest.errors import require_permission
from ingest.models import Service
from ingest.services import lock_service
from reconciliation.documents import retire_document
from reconciliation.models import AmountStrategy, Source, SourceDocument, Strategy

SOURCES = {
    Strategy.QUOTATION: Source.ODOO_QUOTATION,
    Strategy.ORDER: Source.ODOO_ORDER,
    Strategy.INVOICE: Source.ODOO_INVOICE,
}


def read_strategy(service: Service) -> Strategy:
    """The strategy of a service: shadow quotations unless another was chosen."""
    row = AmountStrategy.objects.filter(service=service).first()
    return Strategy(row.strategy) if row else Strategy.QUOTATION


@transaction.atomic
def choose_strategy(*, service: Service, strategy: Strategy, actor: User | None) -> bool:
    """From now on Odoo's amounts come from there alone, audited; returns whether that changes anything.

    What the former strategy read no longer counts: counting both would double. The next fetch reads anew.
    Refuses who may not change services (`permission_denied`).
    """
    require_permission(actor, "ingest.change_service")
    service = lock_service(service.pk)
    before = read_strategy(service)
    if before == strategy:
        return False
    now = timezone.now()
    row, _ = AmountStrategy.objects.update_or_create(
        service=service, defaults={"strategy": strategy, "chosen_at": now}
    )
    source = SOURCES[before]
    documents = SourceDocument.objects.filter(service=service, source=source, is_current=True)
    references = list(documents.values_list("reference", flat=True))
    for reference in references:
        retire_document(service=service, source=source, reference=reference, fetched_at=now)
    audit.record(
        actor=actor,
        action="service.choose_strategy",
        target=row,
        service=service,
        before={"strategy": str(before), "documents": len(references)},
        after={"strategy": str(strategy)},
    )
    return True
