"""Writing the documents of a file: their new versions with amounts and lines, a bounded number of rows at a time."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, islice
from operator import itemgetter
from typing import Any

from django.db import connection

from ingest.metering.periods import Period
from ingest.models import Customer, Service
from reconciliation.billing_terms import read_terms
from reconciliation.connectors.files.records import ExternalLine
from reconciliation.documents import Version
from reconciliation.models import Amount, Run, Side, Source, SourceDocument
from reconciliation.shares import Place
from reconciliation.staging import read_bills
from reconciliation.statements import Kept, Part, Statement, StatementKey

# What a document holds of its rows, for a page to show; the file that they came in is kept whole.
MOST_ROWS = 1_000
# Documents and lines that are written at a time.
PIECE, PIECE_ROWS = 500, 10_000
_COPY_LINES = """
COPY reconciliation_amountline
    (amount_id, position, kind, code, description, quantity, unit_price, untaxed, tax, total, is_priced_by_odoo,
     timing, detail)
FROM STDIN
"""


@dataclass(frozen=True, slots=True)
class Batch:
    """Some customers' documents: those that are not as they were, what they replace, and what counts until now."""

    statements: Sequence[Statement]
    fresh: Sequence[Statement]
    replaced: Sequence[Kept]
    current: Mapping[str, Version]
    last: Mapping[str, int]
    known: dict[str, Customer]
    places: Mapping[str, Place]


class Documents:
    """New versions of documents with their amounts and lines, read from staging once more."""

    def __init__(self, service: Service, now: datetime, run: Run | None, batch: Batch) -> None:
        self._service, self._now, self._run, self._batch = service, now, run, batch
        # Of the external side only the billing source's amounts count.
        self._terms = read_terms(service)
        self._pending: list[tuple[Statement, list[ExternalLine]]] = []

    def write(self) -> None:
        """Writes them, a bounded number of rows at a time."""
        wanted = {row.key: row for row in self._batch.fresh}
        customers = sorted({key.customer for key in wanted}, key=str.encode)
        for key, lines in groupby(read_bills(customers), key=itemgetter(0)) if wanted else ():
            if key in wanted:
                self._add(wanted[key], (line for _, line in lines))
        self._flush()

    def _add(self, statement: Statement, lines: Iterator[ExternalLine]) -> None:
        self._pending.append((statement, list(islice(lines, PIECE_ROWS))))
        is_longer = statement.rows > PIECE_ROWS
        if is_longer or len(self._pending) >= PIECE or self._count_rows() >= PIECE_ROWS:
            positions, amounts = self._flush()
            while is_longer and (piece := list(islice(lines, PIECE_ROWS))):
                self._copy([(statement, piece)], amounts, positions)

    def _count_rows(self) -> int:
        return sum(len(lines) for _, lines in self._pending)

    def _flush(self) -> tuple[Counter[int], dict[tuple[StatementKey, Period], int]]:
        documents = SourceDocument.objects.bulk_create(
            self._make_document(statement, lines) for statement, lines in self._pending
        )
        amounts = [
            (part.key, part.period, self._make_amount(part, document))
            for document, (statement, _) in zip(documents, self._pending, strict=True)
            for part in statement.parts
        ]
        Amount.objects.bulk_create(amount for _, _, amount in amounts)
        ids = {(key, period): amount.pk for key, period, amount in amounts}
        positions: Counter[int] = Counter()
        self._copy(self._pending, ids, positions)
        self._pending = []
        return positions, ids

    def _make_document(self, statement: Statement, lines: Sequence[ExternalLine]) -> SourceDocument:
        key = statement.key
        content: dict[str, Any] = {"rows": [line.raw for line in lines[:MOST_ROWS]]}
        if statement.rows > MOST_ROWS:
            content["rows_left"] = statement.rows - MOST_ROWS
        return SourceDocument(
            service=self._service,
            source=Source.FILE,
            reference=key.reference,
            title=key.title,
            number=key.number,
            version=self._batch.last.get(key.reference, 0) + 1,
            digest=statement.digest,
            content=content,
            fetched_at=self._now,
            run=self._run,
        )

    def _make_amount(self, part: Part, document: SourceDocument) -> Amount:
        zone = self._batch.places[part.key.customer].timezone
        return Amount(
            document=document,
            is_current=self._terms.counts(Source.FILE, part.period.start, zone),
            side=Side.EXTERNAL,
            service=self._service,
            customer=self._batch.known[part.key.customer],
            currency=part.key.currency,
            period_start=part.period.start,
            period_end=part.period.end,
            period_label=part.period.label,
            untaxed=part.untaxed,
            tax=part.tax,
            total=part.total,
            fetched_at=self._now,
        )

    def _copy(
        self,
        bills: Iterable[tuple[Statement, Sequence[ExternalLine]]],
        amounts: Mapping[tuple[StatementKey, Period], int],
        positions: Counter[int],
    ) -> None:
        with connection.cursor() as cursor, cursor.copy(_COPY_LINES) as copy:
            for statement, lines in bills:
                place = self._batch.places[statement.key.customer]
                for line in lines:
                    for values in _make_lines(statement.key, line, place, amounts, positions):
                        copy.write_row(values)


def _make_lines(
    key: StatementKey,
    line: ExternalLine,
    place: Place,
    amounts: Mapping[tuple[StatementKey, Period], int],
    positions: Counter[int],
) -> Iterator[tuple[Any, ...]]:
    """The line as the database keeps it, once for each period that it is for."""
    shares = place.share_out(line)
    for number, (period, money) in enumerate(shares, start=1):
        amount = amounts[key, period]
        positions[amount] += 1
        is_part = len(shares) > 1
        # Of a line that was split nobody can say how much was used in which period.
        quantity = None if is_part else line.quantity
        said = f"{line.description} ({number} of {len(shares)})" if is_part else line.description
        detail = '{"is_part": true}' if is_part else "{}"
        yield (
            amount,
            positions[amount],
            line.kind.value,
            line.code[:255],
            said[:1024],
            quantity,
            line.unit_price,
            money.untaxed,
            money.tax,
            money.total,
            False,
            "",
            detail,
        )
