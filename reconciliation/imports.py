"""Files of what a service billed become the external side, whole or not at all."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone

from ingest import audit
from ingest.calendar import customer_timezone
from ingest.errors import DomainError
from ingest.metering.arithmetic import exact_difference, exact_sum
from ingest.metering.periods import BillingTime, Interval, billing_period
from ingest.models import Customer, Service
from reconciliation.connectors.files.detect import parse_file
from reconciliation.connectors.files.records import ExternalLine, RowError
from reconciliation.documents import NewAmount, NewLine, store_document
from reconciliation.models import LineKind, Run, Side, Source


class ImportRefused(DomainError):
    """A file with wrong rows: each is located, and nothing of the file is kept."""

    def __init__(self, errors: Sequence[RowError]) -> None:
        super().__init__("file_refused", f"{len(errors)} rows cannot be read; nothing was imported.")
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file brought: its lines, the bills made of them, and how many of those are new or changed."""

    lines: int
    bills: int
    changed: int
    new_customers: int


@dataclass(frozen=True, slots=True)
class _Statement:
    """What becomes one document: a customer's bill for a period in one currency, under the source's name."""

    customer: str
    currency: str
    period_start: date
    period_end: date
    document: str

    @property
    def reference(self) -> str:
        """Names the document across files, so that the same bill in another file is the same document."""
        days = f"{self.period_start}/{self.period_end}"
        return f"{self.document or 'statement'} {self.customer} {self.currency} {days}"


def import_amounts(
    *,
    service: Service,
    path: Path,
    run: Run | None = None,
    period_label: str = "",
    is_dry: bool = False,
    echo: Callable[[int], None] | None = None,
) -> Imported:
    """Reads a file and keeps each customer's bill as a document with its lines.

    The same file twice changes nothing; a changed bill is a new version. Raises ImportRefused when a row is
    wrong, ConnectorError when the file is no table at all, and then nothing is written; a dry run writes
    nothing either. With a label, only bills of that period are taken. A customer that the console does not
    know is created unlinked: what was billed to them must show.
    """
    statements = _read(path, echo)
    known = {row.external_id: row for row in service.customers.select_related("service")}
    zones = {code: customer_timezone(customer) for code, customer in known.items()}
    own = ZoneInfo(service.timezone)
    chosen = {
        statement: lines
        for statement, lines in statements.items()
        if not period_label or _label(statement, zones.get(statement.customer, own)) == period_label
    }
    new = {statement.customer: lines[0].customer_name for statement, lines in chosen.items()}
    new = {code: name for code, name in new.items() if code not in known}
    lines = sum(map(len, chosen.values()))
    if is_dry:
        return Imported(lines, len(chosen), 0, len(new))
    with transaction.atomic():
        known |= {code: _create_customer(service, code, name) for code, name in new.items()}
        changed = sum(
            _store(service, known[statement.customer], statement, rows, run)
            for statement, rows in chosen.items()
        )
    return Imported(lines, len(chosen), changed, len(new))


def _read(path: Path, echo: Callable[[int], None] | None) -> Mapping[_Statement, list[ExternalLine]]:
    statements: dict[_Statement, list[ExternalLine]] = defaultdict(list)
    errors: list[RowError] = []
    for item in parse_file(path).rows:
        if echo:
            echo(item.row)
        if isinstance(item, RowError):
            errors.append(item)
        else:
            days = (item.period_start, item.period_end)
            statements[_Statement(item.customer, item.currency, *days, item.document)].append(item)
    errors += [error for lines in statements.values() for error in _find_mixture(lines)]
    if errors:
        raise ImportRefused(sorted(errors, key=lambda error: error.row))
    return statements


def _find_mixture(lines: Sequence[ExternalLine]) -> Iterable[RowError]:
    """A bill whose lines state totals here and untaxed amounts there has no sum of either."""
    states = [(line.untaxed is not None, line.total is not None) for line in lines]
    if all(untaxed for untaxed, _ in states) or all(total for _, total in states):
        return
    message = "states its amount otherwise than the first line of the same bill"
    for line, state in zip(lines, states, strict=True):
        if state != states[0]:
            yield RowError(line.row, "untaxed", "mixed_amounts", message)


def _create_customer(service: Service, external_id: str, name: str) -> Customer:
    customer = Customer.objects.create(service=service, external_id=external_id, name=name)
    audit.record(
        actor=None,
        action="customer.create",
        target=customer,
        service=service,
        after={"external_id": external_id},
        rule="billed in an imported file",
    )
    return customer


def _store(
    service: Service,
    customer: Customer,
    statement: _Statement,
    rows: Sequence[ExternalLine],
    run: Run | None,
) -> bool:
    zone = customer_timezone(customer)
    untaxed, total = _sum(row.untaxed for row in rows), _sum(row.total for row in rows)
    amount = NewAmount(
        customer=customer,
        currency=statement.currency,
        period_start=_midnight(statement.period_start, zone),
        period_end=_midnight(statement.period_end, zone),
        period_label=_label(statement, zone),
        untaxed=untaxed,
        tax=None if untaxed is None or total is None else exact_difference(total, untaxed),
        total=total,
        lines=[_line(row) for row in rows],
    )
    return store_document(
        service=service,
        source=Source.FILE,
        side=Side.EXTERNAL,
        reference=statement.reference,
        content={"rows": [row.raw for row in rows]},
        amounts=[amount],
        fetched_at=timezone.now(),
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


def _sum(amounts: Iterable[Decimal | None]) -> Decimal | None:
    """The exact sum, or None when one line does not state the amount."""
    stated = list(amounts)
    known = [amount for amount in stated if amount is not None]
    return exact_sum(known) if len(known) == len(stated) else None


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def _label(statement: _Statement, zone: ZoneInfo) -> str:
    """What the period is called: the calendar's name when it is one of its periods, else its first day."""
    start, end = _midnight(statement.period_start, zone), _midnight(statement.period_end, zone)
    for interval in Interval:
        period = billing_period(
            interval=interval, billing_time=BillingTime.CALENDAR, anchor=start, at=start, timezone=zone
        )
        if (period.start, period.end) == (start, end):
            return period.label
    return statement.period_start.isoformat()
