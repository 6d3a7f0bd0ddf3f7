"""Keeping what the outside said: documents in versions, with the amounts and lines made from them."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from ingest.models import Customer, Service
from ingest.services import lock_service
from reconciliation.models import Amount, AmountLine, LineKind, Run, Side, Source, SourceDocument


@dataclass(frozen=True, slots=True)
class NewLine:
    """One line of an amount, as its document has it."""

    code: str
    description: str
    untaxed: Decimal | None
    kind: LineKind = LineKind.USAGE
    quantity: Decimal | None = None
    unit_price: Decimal | None = None
    tax: Decimal | None = None
    total: Decimal | None = None
    is_priced_by_odoo: bool = False


@dataclass(frozen=True, slots=True)
class NewAmount:
    """What a document says a customer's period costs; what it does not state is None."""

    customer: Customer
    currency: str
    period_start: datetime
    period_end: datetime
    period_label: str
    untaxed: Decimal | None
    tax: Decimal | None
    total: Decimal | None
    state: str = ""
    lines: Sequence[NewLine] = field(default_factory=tuple)


def digest_of(content: Any) -> str:
    """SHA-256 of the canonical JSON of a document's content."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


@transaction.atomic(savepoint=False)
def store_document(
    *,
    service: Service,
    source: Source,
    side: Side,
    reference: str,
    content: Mapping[str, Any],
    amounts: Sequence[NewAmount],
    fetched_at: datetime,
    run: Run | None = None,
    title: str = "",
    number: str = "",
) -> bool:
    """Keeps a document; returns whether it is new or changed.

    The reference is its identity; a title is for people to read where that says nothing to them. The same
    content again only says that it was fetched again; other content is a new version, and the amounts of the
    old one no longer count. `fetched_at` is when the reading began: what was read before the version that is
    kept changes nothing.
    """
    digest = digest_of(content)
    current = _lock_current(service, source, reference)
    if current is not None and current.fetched_at > fetched_at:
        return False
    if current is not None and current.digest == digest:
        _mark_fetched(current, fetched_at)
        return False
    if current is not None:
        _retire(current)
    document = SourceDocument.objects.create(
        service=service,
        source=source,
        reference=reference,
        title=title,
        number=number,
        version=_last_version(service, source, reference) + 1,
        digest=digest,
        content=content,
        fetched_at=fetched_at,
        run=run,
    )
    for amount in amounts:
        _store_amount(document, side, amount)
    return True


@transaction.atomic(savepoint=False)
def retire_document(*, service: Service, source: Source, reference: str, fetched_at: datetime) -> bool:
    """The source no longer has the document: it is kept, and its amounts no longer count.

    Returns False when there is none, or when it was read after this absence was.
    """
    current = _lock_current(service, source, reference)
    if current is None or current.fetched_at > fetched_at:
        return False
    _retire(current)
    return True


def _lock_current(service: Service, source: Source, reference: str) -> SourceDocument | None:
    lock_service(service.pk)
    return SourceDocument.objects.filter(
        service=service, source=source, reference=reference, is_current=True
    ).first()


def _retire(document: SourceDocument) -> None:
    document.amounts.update(is_current=False)
    document.is_current = False
    document.save(update_fields=["is_current"])


def _mark_fetched(document: SourceDocument, fetched_at: datetime) -> None:
    document.amounts.update(fetched_at=fetched_at)
    document.fetched_at = fetched_at
    document.save(update_fields=["fetched_at"])


def _last_version(service: Service, source: Source, reference: str) -> int:
    rows = SourceDocument.objects.filter(service=service, source=source, reference=reference)
    return rows.order_by("-version").values_list("version", flat=True).first() or 0


def _store_amount(document: SourceDocument, side: Side, new: NewAmount) -> None:
    amount = Amount.objects.create(
        document=document,
        side=side,
        service=document.service,
        customer=new.customer,
        currency=new.currency,
        period_start=new.period_start,
        period_end=new.period_end,
        period_label=new.period_label,
        untaxed=new.untaxed,
        tax=new.tax,
        total=new.total,
        state=new.state,
        fetched_at=document.fetched_at,
    )
    AmountLine.objects.bulk_create(
        AmountLine(
            amount=amount,
            position=position,
            kind=line.kind,
            code=line.code[:255],
            description=line.description[:1024],
            quantity=line.quantity,
            unit_price=line.unit_price,
            untaxed=line.untaxed,
            tax=line.tax,
            total=line.total,
            is_priced_by_odoo=line.is_priced_by_odoo,
        )
        for position, line in enumerate(new.lines, start=1)
    )
