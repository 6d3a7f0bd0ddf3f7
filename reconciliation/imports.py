"""Files of what a service billed become the external side, whole or not at all."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone

from ingest import audit
from ingest.calendar import customer_timezone
from ingest.errors import DomainError
from ingest.metering.periods import BillingTime, Interval, billing_period
from ingest.models import Customer, Service
from ingest.services import lock_service
from reconciliation.connectors.files.records import ExternalLine, RowError
from reconciliation.documents import NewAmount, NewLine, retire_document, store_document
from reconciliation.models import Amount, LineKind, Run, Side, Source, SourceDocument
from reconciliation.statements import Kept, Statement, find_conflicts, find_replaced, read_statements

# A bill as the database knows it: the customer, the currency and both ends of the period.
_Bill = tuple[int, str, datetime, datetime]


class ImportRefused(DomainError):
    """A file with wrong rows: each is located, and nothing of the file is kept."""

    def __init__(self, errors: Iterable[RowError]) -> None:
        self.errors = sorted(errors, key=lambda error: error.row)
        super().__init__("file_refused", f"{len(self.errors)} rows cannot be read; nothing was imported.")


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file brought: its lines, the bills made of them, and how many of those are new or changed.

    `replaced` counts the documents of earlier files whose place the file's documents took.
    """

    lines: int
    bills: int
    changed: int
    new_customers: int
    replaced: int


def import_amounts(
    *,
    service: Service,
    path: Path,
    run: Run | None = None,
    period_label: str = "",
    is_dry: bool = False,
    is_replacing: bool = False,
    echo: Callable[[int], None] | None = None,
) -> Imported:
    """Reads a file and keeps each customer's bill as a document with its lines.

    The same file twice changes nothing; a changed bill is a new version. Raises ImportRefused when a row is
    wrong or a bill cannot count beside what counts already, ConnectorError when the file is no table at all,
    and then nothing is written; a dry run writes nothing either. With a label, only bills of that period are
    taken. `is_replacing` lets bills with a number take the place of those without one in the same period, and
    the other way round, audited; else such a file is refused, for the same money would count twice. A customer
    that the console does not know is created unlinked: what was billed to them must show.
    """
    statements, errors = read_statements(path, echo)
    if errors:
        raise ImportRefused(errors)
    with transaction.atomic():
        service = service if is_dry else lock_service(service.pk)
        known = {row.external_id: row for row in service.customers.select_related("service")}
        chosen = [row for row in statements if period_label in ("", _label(row, _zone(row, known, service)))]
        replaced = _refuse_conflicts(service, chosen, known, is_replacing=is_replacing)
        names = {row.key.customer: row.lines[0].customer_name for row in reversed(chosen)}
        new = {code: name for code, name in names.items() if code not in known}
        lines = sum(len(row.lines) for row in chosen)
        if is_dry:
            return Imported(lines, len(chosen), 0, len(new), len(replaced))
        known |= {code: _get_customer(service, code, name) for code, name in new.items()}
        now = timezone.now()
        _replace(service, replaced, now)
        changed = sum(_store(service, known[row.key.customer], row, now, run) for row in chosen)
    return Imported(lines, len(chosen), changed, len(new), len(replaced))


def _zone(statement: Statement, known: Mapping[str, Customer], service: Service) -> ZoneInfo:
    customer = known.get(statement.key.customer)
    return customer_timezone(customer) if customer else ZoneInfo(service.timezone)


def _refuse_conflicts(
    service: Service, chosen: Sequence[Statement], known: Mapping[str, Customer], *, is_replacing: bool
) -> list[Kept]:
    """The documents that the chosen ones replace; raises ImportRefused for what cannot count together."""
    kept = _read_kept(service, chosen, known)
    errors: list[RowError] = []
    replaced: list[Kept] = []
    periods: dict[tuple[str, str, date, date], list[Statement]] = defaultdict(list)
    for statement in chosen:
        periods[statement.key[:4]].append(statement)
    for new in periods.values():
        of_bill = kept.get(_bill_of(new[0], known), [])
        errors += find_conflicts(new, of_bill, is_replacing=is_replacing)
        replaced += find_replaced(new, of_bill)
    if errors:
        raise ImportRefused(errors)
    return replaced


def _read_kept(
    service: Service, chosen: Sequence[Statement], known: Mapping[str, Customer]
) -> Mapping[_Bill | None, list[Kept]]:
    """What earlier files state of the same bills and the chosen statements do not state anew."""
    bills = {_bill_of(statement, known) for statement in chosen} - {None}
    amounts = Amount.objects.filter(
        service=service,
        side=Side.EXTERNAL,
        document__is_current=True,
        document__source=Source.FILE,
        customer__in={bill[0] for bill in bills if bill},
        period_start__in={bill[2] for bill in bills if bill},
    ).select_related("document")
    anew = {statement.key.reference for statement in chosen}
    kept: dict[_Bill | None, list[Kept]] = defaultdict(list)
    for amount in amounts.order_by("pk").defer("document__content"):
        bill = (amount.customer_id, amount.currency, amount.period_start, amount.period_end)
        document = amount.document
        if bill in bills and document.reference not in anew:
            is_numbered = bool(document.number)
            kept[bill].append(
                Kept(document.reference, document.title, is_numbered, amount.untaxed, amount.total)
            )
    return kept


def _bill_of(statement: Statement, known: Mapping[str, Customer]) -> _Bill | None:
    """The bill's key, None of a customer that nobody has billed before."""
    customer, key = known.get(statement.key.customer), statement.key
    if customer is None:
        return None
    zone = customer_timezone(customer)
    return customer.pk, key.currency, _midnight(key.period_start, zone), _midnight(key.period_end, zone)


def _get_customer(service: Service, external_id: str, name: str) -> Customer:
    """The customer, created where nobody else did so meanwhile; the service is locked, the admin does not wait."""
    customer, is_new = Customer.objects.get_or_create(
        service=service, external_id=external_id, defaults={"name": name}
    )
    if is_new:
        audit.record(
            actor=None,
            action="customer.create",
            target=customer,
            service=service,
            after={"external_id": external_id},
            rule="billed in an imported file",
        )
    return customer


def _replace(service: Service, replaced: Sequence[Kept], now: datetime) -> None:
    references = [document.reference for document in replaced]
    documents = SourceDocument.objects.filter(
        service=service, source=Source.FILE, reference__in=references, is_current=True
    )
    for document in documents.defer("content").order_by("pk"):
        at = max(now, document.fetched_at)
        retire_document(service=service, source=Source.FILE, reference=document.reference, fetched_at=at)
        audit.record(
            actor=None,
            action="document.replace",
            target=document,
            service=service,
            before={"is_current": True},
            after={"is_current": False},
            rule="an imported file took its place",
            evidence_digest=document.digest,
        )


def _store(
    service: Service, customer: Customer, statement: Statement, now: datetime, run: Run | None
) -> bool:
    zone, key = customer_timezone(customer), statement.key
    amount = NewAmount(
        customer=customer,
        currency=key.currency,
        period_start=_midnight(key.period_start, zone),
        period_end=_midnight(key.period_end, zone),
        period_label=_label(statement, zone),
        untaxed=statement.untaxed,
        tax=statement.tax,
        total=statement.total,
        lines=[_line(row) for row in statement.lines],
    )
    return store_document(
        service=service,
        source=Source.FILE,
        side=Side.EXTERNAL,
        reference=key.reference,
        title=key.title,
        number=key.number,
        content={"rows": [row.raw for row in statement.lines]},
        amounts=[amount],
        fetched_at=now,
        run=run,
    )


def _line(row: ExternalLine) -> NewLine:
    return NewLine(
        code=row.code,
        description=row.description,
        kind=LineKind(row.kind),
        quantity=row.quantity,
        unit_price=row.unit_price,
        untaxed=row.untaxed,
        tax=row.tax,
        total=row.total,
    )


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def _label(statement: Statement, zone: ZoneInfo) -> str:
    """What the period is called: the calendar's name when it is one of its periods, else its first day."""
    start, end = (_midnight(day, zone) for day in statement.key[2:4])
    for interval in Interval:
        period = billing_period(
            interval=interval, billing_time=BillingTime.CALENDAR, anchor=start, at=start, timezone=zone
        )
        if (period.start, period.end) == (start, end):
            return period.label
    return statement.key.period_start.isoformat()
