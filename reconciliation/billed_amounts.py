"""Odoo's side from what Odoo bills by itself: invoices and credit notes, or what orders have to invoice.

Read from the mirror; each document is kept with its raw record and how each of its lines was attributed.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import chain
from typing import Any

from django.db import transaction
from django.db.models import Q

from ingest.metering.arithmetic import ZERO, exact_sum
from ingest.models import Service
from ingest.rating.money import minor_unit, round_to_currency
from ingest.services import lock_service
from reconciliation import unattributed
from reconciliation.attribution import AttributionBook, Line, Target, Unattributed, Verdict
from reconciliation.comparison.odoo_documents import LineFigures, Share, share_out
from reconciliation.connectors.odoo.external_ids import find_corrected_row, find_fee_key
from reconciliation.documents import NewAmount, NewLine, digest_of, retire_document, store_document
from reconciliation.models import (
    Amount,
    LineKind,
    OdooInvoice,
    OdooInvoiceLine,
    OdooOrder,
    OdooOrderLine,
    Side,
    Source,
    SourceDocument,
    Strategy,
)
from reconciliation.strategies import SOURCES

BILLED_STATES = ("draft", "posted")


@dataclass(frozen=True, slots=True)
class Part:
    """A line, whose it is, and its share of the document; without tax where Odoo does not tell it."""

    row: OdooInvoiceLine | OdooOrderLine
    line: Line
    verdict: Verdict
    untaxed: Decimal
    tax: Decimal | None


@dataclass(slots=True)
class Document:
    """An invoice or an order with its parts."""

    reference: str
    title: str
    state: str
    currency: str
    partner_id: int
    raw: Mapping[str, Any]
    parts: list[Part] = field(default_factory=list)


@transaction.atomic
def store_billed(*, service: Service, strategy: Strategy, fetched_at: datetime) -> dict[str, int]:
    """Makes the amounts of all periods of a service from the mirror; returns what that came to.

    What is unchanged is only marked as fetched again; a document that is cancelled, gone, or bills the service
    nothing any more no longer counts. Lines that nobody can attribute are put before a person, and count
    nowhere until then.
    """
    lock_service(service.pk)
    source = SOURCES[strategy]
    book = AttributionBook(service, strategy)
    read = _read_invoices if strategy == Strategy.INVOICE else _read_orders
    documents = list(read(book))
    known = _read_digests(service, source)
    counts = {"documents": 0, "changed": 0, "gone": 0}
    seen: set[str] = set()
    unchanged = []
    for document in documents:
        amounts = _make_amounts(document, book)
        if not amounts:
            continue
        content = _describe(document)
        counts["documents"] += 1
        seen.add(document.reference)
        if known.get(document.reference) == digest_of(content):
            unchanged.append(document.reference)
            continue
        counts["changed"] += store_document(
            service=service,
            source=source,
            side=Side.ODOO,
            reference=document.reference,
            title=document.title,
            number=document.title,
            content=content,
            amounts=amounts,
            fetched_at=fetched_at,
        )
    _mark_fetched(service, source, unchanged, fetched_at)
    for reference in known.keys() - seen:
        counts["gone"] += retire_document(
            service=service, source=source, reference=reference, fetched_at=fetched_at
        )
    open_lines = [item for document in documents for item in _list_open(document)]
    return counts | {"unattributed": unattributed.put_before_people(service, strategy, open_lines)}


def _read_invoices(book: AttributionBook) -> Iterator[Document]:
    """Drafts and posted documents that may bill the service: of its partners, or with its products."""
    products = [product for product in book.codes if product is not None]
    billing = OdooInvoiceLine.objects.filter(product_id__in=products, gone_at=None).values("move_id")
    rows = OdooInvoice.objects.filter(gone_at=None, state__in=BILLED_STATES)
    rows = rows.filter(Q(partner_id__in=book.partner_ids) | Q(odoo_id__in=billing))
    headers = {row.odoo_id: row for row in rows.order_by("odoo_id")}
    lines: dict[int, list[OdooInvoiceLine]] = defaultdict(list)
    found = OdooInvoiceLine.objects.filter(move_id__in=headers, display_type="product", gone_at=None)
    for line in found.order_by("odoo_id"):
        lines[line.move_id].append(line)
    ordered = _read_order_lines(line for each in lines.values() for line in each)
    facts = {
        header.odoo_id: [_invoice_line(header, line, ordered) for line in lines[header.odoo_id]]
        for header in headers.values()
    }
    book.learn(chain.from_iterable(facts.values()))
    for header in headers.values():
        yield _make_invoice(book, header, lines[header.odoo_id], facts[header.odoo_id])


def _make_invoice(
    book: AttributionBook, header: OdooInvoice, lines: Sequence[OdooInvoiceLine], facts: Sequence[Line]
) -> Document:
    figures = [LineFigures(line.untaxed, line.total, line.balance, bool(line.tax_ids)) for line in lines]
    step = minor_unit(header.currency)
    shares: list[Share] = share_out(untaxed=header.untaxed, tax=header.tax, lines=figures, step=step)
    return Document(
        reference=str(header.odoo_id),
        title=str(header),
        state=header.state,
        currency=header.currency,
        partner_id=header.partner_id,
        raw=header.raw,
        parts=[
            Part(row, line, book.attribute(line), share.untaxed, share.tax)
            for row, line, share in zip(lines, facts, shares, strict=True)
        ],
    )


def _invoice_line(header: OdooInvoice, line: OdooInvoiceLine, ordered: Mapping[int, OdooOrderLine]) -> Line:
    sold = [ordered[each] for each in line.sale_line_ids if each in ordered]
    names = [line.external_id, *(each.external_id for each in sold)]
    has_dates = line.deferred_from is not None and line.deferred_to is not None
    return Line(
        odoo_id=line.odoo_id,
        partner_id=header.partner_id,
        product_id=line.product_id,
        order_ids=frozenset(each.order_id for each in sold),
        fee_keys=frozenset(filter(None, map(find_fee_key, names))),
        row_keys=frozenset(filter(None, map(find_corrected_row, names))),
        dates=(line.deferred_from, line.deferred_to) if has_dates else None,  # type: ignore[arg-type]
    )


def _read_order_lines(lines: Iterable[OdooInvoiceLine]) -> dict[int, OdooOrderLine]:
    ids = {each for line in lines for each in line.sale_line_ids}
    return OdooOrderLine.objects.in_bulk(list(ids), field_name="odoo_id")


def _read_orders(book: AttributionBook) -> Iterator[Document]:
    """What the subscription orders of the service have to invoice."""
    rows = OdooOrder.objects.filter(gone_at=None, state="sale", odoo_id__in=book.order_ids)
    headers = {row.odoo_id: row for row in rows.order_by("odoo_id")}
    lines: dict[int, list[OdooOrderLine]] = defaultdict(list)
    found = OdooOrderLine.objects.filter(order_id__in=headers, gone_at=None).exclude(untaxed_to_invoice=0)
    for line in found.order_by("odoo_id"):
        lines[line.order_id].append(line)
    facts = {
        header.odoo_id: [_order_line(header, line) for line in lines[header.odoo_id]]
        for header in headers.values()
    }
    book.learn(chain.from_iterable(facts.values()))
    for header in headers.values():
        yield _make_order(book, header, lines[header.odoo_id], facts[header.odoo_id])


def _order_line(header: OdooOrder, line: OdooOrderLine) -> Line:
    return Line(
        odoo_id=line.odoo_id,
        partner_id=header.partner_id,
        product_id=line.product_id,
        order_ids=frozenset([header.odoo_id]),
        fee_keys=frozenset(filter(None, [find_fee_key(line.external_id)])),
        starts_on=header.next_invoice_date,
        occasion=str(header.next_invoice_date or ""),
    )


def _make_order(
    book: AttributionBook, header: OdooOrder, lines: Sequence[OdooOrderLine], facts: Sequence[Line]
) -> Document:
    return Document(
        reference=str(header.odoo_id),
        title=header.name,
        state=header.state,
        currency=header.currency,
        partner_id=header.partner_id,
        raw=header.raw,
        parts=[
            Part(
                row,
                line,
                book.attribute(line),
                round_to_currency(row.untaxed_to_invoice, header.currency),
                _tax_to_invoice(row, header.currency),
            )
            for row, line in zip(lines, facts, strict=True)
        ],
    )


def _tax_to_invoice(row: OdooOrderLine, currency: str) -> Decimal | None:
    """The line's own tax in proportion; Odoo tells no tax of a delivered quantity that was not ordered."""
    if row.untaxed == 0:
        return None
    return round_to_currency(row.untaxed_to_invoice * (row.total - row.untaxed) / row.untaxed, currency)


def _make_amounts(document: Document, book: AttributionBook) -> list[NewAmount]:
    by_period: dict[Any, list[tuple[Part, Target]]] = defaultdict(list)
    for part in document.parts:
        if isinstance(part.verdict, Target):
            by_period[part.verdict.key].append((part, part.verdict))
    return [_make_amount(document, pairs, book) for pairs in by_period.values()]


def _make_amount(
    document: Document, pairs: Sequence[tuple[Part, Target]], book: AttributionBook
) -> NewAmount:
    target = pairs[0][1]
    untaxed = exact_sum(part.untaxed for part, _ in pairs)
    taxes = [part.tax for part, _ in pairs if part.tax is not None]
    tax = exact_sum(taxes) if len(taxes) == len(pairs) else None
    return NewAmount(
        customer=target.customer,
        currency=document.currency,
        period_start=target.period_start,
        period_end=target.period_end,
        period_label=target.period_label,
        untaxed=untaxed,
        tax=tax,
        total=None if tax is None else untaxed + tax,
        state=document.state,
        lines=[_make_line(part, each, book) for part, each in pairs],
    )


def _make_line(part: Part, target: Target, book: AttributionBook) -> NewLine:
    code, is_plan = book.codes.get(part.row.product_id, ("", False))
    kind = LineKind.PLAN if is_plan else LineKind.USAGE if code else LineKind.ADJUSTMENT
    if target.fee is not None:
        kind = LineKind.USAGE if target.fee.charge else LineKind.PLAN
        code = target.fee.charge.metric.code if target.fee.charge else target.fee.subscription.plan.code
    return NewLine(
        code=code,
        description=part.row.name,
        kind=kind,
        quantity=part.row.quantity,
        unit_price=part.row.price_unit,
        untaxed=part.untaxed,
        tax=part.tax,
        total=None if part.tax is None else part.untaxed + part.tax,
        is_priced_by_odoo=kind == LineKind.PLAN,
    )


def _describe(document: Document) -> dict[str, Any]:
    """The raw record with its lines, and beside each how it was attributed: what is kept and digested."""
    lines = [{**part.row.raw, "attributed": _describe_verdict(part)} for part in document.parts]
    return {**document.raw, "lines": lines}


def _describe_verdict(part: Part) -> dict[str, Any] | None:
    if not isinstance(part.verdict, Target):
        return None
    return {
        "customer": part.verdict.customer.external_id,
        "period": part.verdict.period_label,
        "by": part.verdict.by,
        "untaxed": str(part.untaxed),
        "tax": None if part.tax is None else str(part.tax),
    }


def _list_open(document: Document) -> Iterator[unattributed.OpenLine]:
    for part in document.parts:
        if isinstance(part.verdict, Unattributed) and part.untaxed != ZERO:
            yield unattributed.OpenLine(
                odoo_id=part.line.odoo_id,
                occasion=part.line.occasion,
                document=document.title,
                name=part.row.name,
                partner_id=document.partner_id,
                untaxed=part.untaxed,
                currency=document.currency,
                why=part.verdict.why,
            )


def _read_digests(service: Service, source: Source) -> dict[str, str]:
    rows = SourceDocument.objects.filter(service=service, source=source, is_current=True)
    return dict(rows.values_list("reference", "digest"))


def _mark_fetched(service: Service, source: Source, references: Sequence[str], fetched_at: datetime) -> None:
    rows = SourceDocument.objects.filter(
        service=service, source=source, is_current=True, reference__in=references, fetched_at__lt=fetched_at
    )
    Amount.objects.filter(document__in=rows).update(fetched_at=fetched_at)
    rows.update(fetched_at=fetched_at)
