"""Keeping what the outside said: documents in versions, with the amounts and lines made from them."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Max, QuerySet

from ingest.calendar import customer_timezone
from ingest.models import Customer, Service
from ingest.services import lock_service
from reconciliation.billing_terms import read_terms
from reconciliation.models import Amount, AmountLine, LineKind, Run, Side, Source, SourceDocument
from reconciliation.upserts import as_literal


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
    timing: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)


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


@dataclass(frozen=True, slots=True)
class NewDocument:
    """A document as it was read: what it is called, all of it, and what it says that periods cost.

    The reference is its identity; a title is for people to read where that says nothing to them. `fetched_at` is
    when the reading began. `digest` is of the content, where the reader knows which of it are facts.
    """

    reference: str
    content: Mapping[str, Any]
    amounts: Sequence[NewAmount]
    fetched_at: datetime
    title: str = ""
    number: str = ""
    digest: str = ""


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
    """Keeps one document as `store_documents` does; returns whether it is new or changed."""
    new = NewDocument(reference, content, amounts, fetched_at, title, number)
    return bool(store_documents(service=service, source=source, side=side, documents=[new], run=run))


@transaction.atomic(savepoint=False)
def store_documents(
    *, service: Service, source: Source, side: Side, documents: Sequence[NewDocument], run: Run | None = None
) -> list[str]:
    """Keeps documents, each reference once; returns the references of those that are new or changed.

    The same content again only says that it was fetched again; other content is a new version, and the amounts of
    the old one no longer count. What was read before the version that is kept changes nothing. Of the external side
    only the billing source's amounts count. A handful of statements, however many documents there are.
    """
    lock_service(service.pk)
    kept = {row.reference: row for row in _read_current(service, source, documents)}
    fresh, changed = list[SourceDocument](), list[tuple[NewDocument, str]]()
    for new in documents:
        current, digest = kept.get(new.reference), new.digest or digest_of(new.content)
        if current is None or (current.fetched_at <= new.fetched_at and current.digest != digest):
            changed.append((new, digest))
        elif current.fetched_at <= new.fetched_at:
            current.fetched_at = new.fetched_at
            fresh.append(current)
    _mark_fetched(fresh)
    retire_versions([kept[new.reference].pk for new, _ in changed if new.reference in kept])
    _create(service, source, side, changed, run)
    return [new.reference for new, _ in changed]


@transaction.atomic(savepoint=False)
def retire_document(*, service: Service, source: Source, reference: str, fetched_at: datetime) -> bool:
    """The source no longer has the document: it is kept, and its amounts no longer count.

    Returns False when there is none, or when it was read after this absence was.
    """
    current = _lock_current(service, source, reference)
    if current is None or current.fetched_at > fetched_at:
        return False
    retire_versions([current.pk])
    return True


@dataclass(frozen=True, slots=True)
class Version:
    """The version of a document that counts."""

    pk: int
    title: str
    digest: str
    fetched_at: datetime


def read_versions(
    *, service: Service, source: Source, references: Sequence[str]
) -> tuple[dict[str, Version], dict[str, int]]:
    """Of many documents by reference: the version that counts, and the number of the last; lock the service first."""
    rows = SourceDocument.objects.filter(service=service, source=source, reference__in=references)
    of_current = rows.filter(is_current=True).values_list("reference", "pk", "title", "digest", "fetched_at")
    current = {
        reference: Version(pk, title, digest, fetched_at)
        for reference, pk, title, digest, fetched_at in of_current
    }
    last = rows.values_list("reference").annotate(last=Max("version")).order_by()
    return current, dict(last)


def retire_versions(versions: Sequence[int]) -> None:
    """Versions that no longer count, nor their amounts."""
    if not versions:
        return
    Amount.objects.filter(document__in=versions).update(is_current=False)
    SourceDocument.objects.filter(pk__in=versions).update(is_current=False)


def mark_versions(versions: Sequence[int], fetched_at: datetime) -> None:
    """Versions that were read again, as they were."""
    if not versions:
        return
    Amount.objects.filter(document__in=versions).update(fetched_at=fetched_at)
    SourceDocument.objects.filter(pk__in=versions).update(fetched_at=fetched_at)


def _lock_current(service: Service, source: Source, reference: str) -> SourceDocument | None:
    lock_service(service.pk)
    return SourceDocument.objects.filter(
        service=service, source=source, reference=reference, is_current=True
    ).first()


def _read_current(
    service: Service, source: Source, documents: Sequence[NewDocument]
) -> QuerySet[SourceDocument]:
    references = [new.reference for new in documents]
    return SourceDocument.objects.filter(
        service=service, source=source, reference__in=references, is_current=True
    ).defer("content")


def _mark_fetched(documents: Iterable[SourceDocument]) -> None:
    """Pages are fetched at one instant each, so that there are few of them."""
    keys: dict[datetime, list[int]] = defaultdict(list)
    for document in documents:
        keys[document.fetched_at].append(document.pk)
    for fetched_at, of_one in keys.items():
        mark_versions(of_one, fetched_at)


def _create(
    service: Service,
    source: Source,
    side: Side,
    changed: Sequence[tuple[NewDocument, str]],
    run: Run | None,
) -> None:
    references = [new.reference for new, _ in changed]
    rows = SourceDocument.objects.filter(service=service, source=source, reference__in=references)
    versions = dict(rows.order_by().values_list("reference").annotate(Max("version")))
    documents = SourceDocument.objects.bulk_create(
        SourceDocument(
            service=service,
            source=source,
            reference=new.reference,
            title=new.title,
            number=new.number,
            version=versions.get(new.reference, 0) + 1,
            digest=digest,
            content=as_literal(new.content),
            fetched_at=new.fetched_at,
            run=run,
        )
        for new, digest in changed
    )
    stated = [
        (document, amount)
        for document, (new, _) in zip(documents, changed, strict=True)
        for amount in new.amounts
    ]
    _create_amounts(service, side, stated)


def _create_amounts(service: Service, side: Side, stated: Sequence[tuple[SourceDocument, NewAmount]]) -> None:
    terms = read_terms(service) if side == Side.EXTERNAL else None
    amounts = Amount.objects.bulk_create(
        Amount(
            document=document,
            is_current=terms is None
            or terms.counts(document.source, new.period_start, customer_timezone(new.customer)),
            side=side,
            service=service,
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
        for document, new in stated
    )
    AmountLine.objects.bulk_create(
        _make_line(amount, position, line)
        for amount, (_, new) in zip(amounts, stated, strict=True)
        for position, line in enumerate(new.lines, start=1)
    )


def _make_line(amount: Amount, position: int, line: NewLine) -> AmountLine:
    return AmountLine(
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
        timing=line.timing,
        detail=dict(line.detail),
    )
