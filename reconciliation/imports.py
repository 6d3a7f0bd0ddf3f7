"""Files of what a service billed become the external side, whole or not at all."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import chain, groupby
from operator import itemgetter
from pathlib import Path

import msgspec
from django.db import transaction
from django.utils import timezone

from ingest.errors import DomainError
from ingest.models import Service
from ingest.services import lock_service
from reconciliation.comparison.attribution import AttributionError
from reconciliation.connectors.files.detect import parse_file
from reconciliation.connectors.files.mapping import TableMapping
from reconciliation.connectors.files.records import ExternalLine, LeftOut, RowError
from reconciliation.file_documents import Change, Writer
from reconciliation.identities import Identities
from reconciliation.models import Run
from reconciliation.shares import Place, read_places
from reconciliation.staging import Staged, find_duplicates, read_bills, read_customers, stage
from reconciliation.statements import Statement, StatementBuilder, StatementKey

# Bills are judged and written this many at a time; all of a customer's together.
BATCH = 500
MOST_ERRORS = 1_000

# Hears how many rows are read, then how many are written.
Echo = Callable[[str, int], None]


class ImportRefused(DomainError):
    """A file with wrong rows: the first of them are located, and nothing of the file is kept."""

    def __init__(self, errors: Iterable[RowError], count: int | None = None) -> None:
        self.errors = sorted(errors, key=lambda error: error.row)
        self.count = len(self.errors) if count is None else count
        super().__init__("file_refused", f"{self.count} rows cannot be read; nothing was imported.")


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file brought: its lines, the bills made of them, and how many of those are new or changed.

    `replaced` counts the documents of earlier files whose place the file's documents took. What else is told is
    not compared: the format, the rows that its statuses leave out, how many bills are not as they were and how many
    of those are new, the first of them, and a digest of all.
    """

    lines: int
    bills: int
    changed: int
    new_customers: int
    replaced: int
    format: str = field(default="", compare=False)
    left_out: int = field(default=0, compare=False)
    fresh: int = field(default=0, compare=False)
    new: int = field(default=0, compare=False)
    listed: Sequence[Change] = field(default=(), compare=False)
    digest: str = field(default="", compare=False)

    @property
    def counts(self) -> dict[str, int]:
        """What a run and a command say of it."""
        names = ("lines", "bills", "changed", "new_customers", "replaced", "left_out")
        return {name: getattr(self, name) for name in names}


def import_amounts(
    *,
    service: Service,
    path: Path,
    run: Run | None = None,
    period_label: str = "",
    is_dry: bool = False,
    is_replacing: bool = False,
    mapping: TableMapping | None = None,
    agree: Callable[[Imported], None] | None = None,
    echo: Echo | None = None,
) -> Imported:
    """Reads a file and keeps each customer's bill as a document with its lines; in constant memory.

    The same file twice changes nothing; a changed bill is a new version. Raises ImportRefused when a row is
    wrong or a bill cannot count beside what counts already, ConnectorError when the file is no table at all,
    and then nothing is written; a dry run writes nothing either. With a label, only bills of that period are
    taken. `is_replacing` lets bills with a number take the place of those without one in the same period, and
    the other way round, audited; else such a file is refused, for the same money would count twice. A customer
    that the console does not know is created unlinked: what was billed to them must show. `agree` sees what was
    written before it is committed, and refuses it by raising.
    """
    parsed = parse_file(path, mapping)
    with transaction.atomic():
        reading = _Reading(service, echo)
        stage(reading.read(parsed.rows))
        errors = reading.errors + find_duplicates()
        if not is_dry:
            service = lock_service(service.pk)
        writer = Writer(
            service=service,
            now=timezone.now(),
            run=run,
            is_dry=is_dry or bool(errors),
            is_replacing=is_replacing,
        )
        errors += _write_all(service, writer, period_label, echo)
        if errors:
            raise ImportRefused(errors[:MOST_ERRORS], len(errors) + reading.errors_left)
        imported = Imported(
            writer.lines,
            writer.bills,
            0 if is_dry else writer.changed,
            len(writer.new_customers),
            len(writer.replaced),
            format=parsed.format,
            left_out=reading.left_out,
            fresh=writer.changed,
            new=writer.new,
            listed=writer.listed,
            digest=writer.digest,
        )
        if agree:
            agree(imported)
    return imported


class _Reading:
    """The rows of a file on their way into staging: what is wrong and what is left out stays behind."""

    def __init__(self, service: Service, echo: Echo | None) -> None:
        self._identities = Identities(service)
        self._echo = echo
        self.errors: list[RowError] = []
        self.errors_left = 0
        self.left_out = 0

    def read(self, rows: Iterable[ExternalLine | LeftOut | RowError]) -> Iterator[Staged]:
        """The lines with their bills' keys."""
        for item in rows:
            if self._echo:
                self._echo("Reading", item.row)
            line = self._identities.identify(item) if isinstance(item, ExternalLine) else item
            if isinstance(line, LeftOut):
                self.left_out += 1
            elif isinstance(line, RowError):
                self._note(line)
            else:
                yield _key_of(line), _digest_of(line), line

    def _note(self, error: RowError) -> None:
        if len(self.errors) < MOST_ERRORS:
            self.errors.append(error)
        else:
            self.errors_left += 1


def _key_of(line: ExternalLine) -> StatementKey:
    return StatementKey(line.customer, line.currency, line.period_start, line.period_end, line.document)


def _digest_of(line: ExternalLine) -> bytes:
    return blake2b(msgspec.json.encode(line.raw), digest_size=16).digest()


def _write_all(service: Service, writer: Writer, period_label: str, echo: Echo | None) -> list[RowError]:
    """All bills, some customers at a time: added up, judged, and what is new or changed written."""
    errors: list[RowError] = []
    for customers in read_customers(BATCH):
        known = {
            row.external_id: row
            for row in service.customers.filter(external_id__in=customers).select_related("service")
        }
        places = read_places(service, customers, known)
        statements: list[Statement] = []
        for key, lines in groupby(read_bills(customers), key=itemgetter(0)):
            statement = _build(key, (line for _, line in lines), places[key.customer], errors)
            if statement and any(period_label in ("", part.period.label) for part in statement.parts):
                statements.append(statement)
        errors += writer.write(statements, known, places, may_write=not errors)
        if echo:
            echo("Comparing" if writer.is_dry else "Writing", writer.lines)
    return errors


def _build(
    key: StatementKey, lines: Iterator[ExternalLine], place: Place, errors: list[RowError]
) -> Statement | None:
    """One bill; None where a line is for no period that there is, which is told with the others' errors."""
    first = next(lines)
    builder = StatementBuilder(key, first)
    is_whole = True
    for line in chain([first], lines):
        try:
            builder.add(line, place.share_out(line))
        except AttributionError as error:
            errors.append(RowError(line.row, "", error.code, error.message))
            is_whole = False
    errors += builder.find_errors()
    return builder.finish() if is_whole else None
