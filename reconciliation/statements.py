"""Statements: a file's lines as the documents that they become, and which documents cannot stand together."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

import msgspec

from ingest.metering.arithmetic import ZERO, exact_difference, exact_sum
from ingest.metering.periods import Period
from reconciliation.comparison.attribution import Money
from reconciliation.connectors.files.records import ExternalLine, LineKind, RowError
from reconciliation.documents import digest_of

# As `json.dumps` writes texts with sorted keys and no spaces, at a fifth of its time.
_canonical = msgspec.json.Encoder(order="sorted").encode

# Of one statement's wrong rows, what is told.
MOST_TOLD = 50


class StatementKey(NamedTuple):
    """What makes lines one document: a customer's bill for a period in one currency, under its number if any.

    A file that states no periods of its bills has none here: then the number alone tells them apart, or, without
    one, what each line is for.
    """

    customer: str
    currency: str
    period_start: date | None
    period_end: date | None
    number: str

    @property
    def reference(self) -> str:
        """The document's identity across files: the digest of its parts, so that no two are ever the same."""
        days = [day.isoformat() if day else "" for day in (self.period_start, self.period_end)]
        return digest_of([self.customer, self.currency, *days, self.number])

    @property
    def title(self) -> str:
        """The same for people to read."""
        days = f" {self.period_start}/{self.period_end}" if self.period_start else ""
        return f"{self.number or 'statement'} {self.customer} {self.currency}{days}"


@dataclass(frozen=True, slots=True)
class Part:
    """What one document of a file says of one period; a sum that a line leaves unsaid is None."""

    key: StatementKey
    row: int
    period: Period
    untaxed: Decimal | None
    tax: Decimal | None
    total: Decimal | None


@dataclass(frozen=True, slots=True)
class Statement:
    """One document of a file: where it begins, how many rows it has, and what it says of each period."""

    key: StatementKey
    row: int
    rows: int
    customer_name: str
    digest: str
    parts: Sequence[Part]


@dataclass(frozen=True, slots=True)
class Kept:
    """A document of an earlier file that counts today for a period, beside those that the file states anew."""

    reference: str
    title: str
    is_numbered: bool
    untaxed: Decimal | None
    total: Decimal | None


class StatementBuilder:
    """Adds one document up, line by line, in memory that its length does not change."""

    def __init__(self, key: StatementKey, first: ExternalLine) -> None:
        self.key = key
        self._first = first
        self._rows = 0
        self._digest = hashlib.sha256(b'{"rows":[')
        self._sums: dict[Period, _Sums] = {}
        self._tax_row = 0
        self._has_tax_row = False
        self._taxed_rows: list[int] = []
        self._other_rows: list[int] = []
        self._states = [True, True]

    def add(self, line: ExternalLine, shares: Sequence[tuple[Period, Money]]) -> None:
        """One more line, and what of it falls into which period."""
        self._keep(line)
        state = [line.untaxed is not None, line.total is not None]
        self._states = [was and now for was, now in zip(self._states, state, strict=True)]
        if state != _state_of(self._first) and len(self._other_rows) < MOST_TOLD:
            self._other_rows.append(line.row)
        if line.kind is LineKind.TAX:
            self._has_tax_row = True
            self._tax_row = self._tax_row or (line.row if line.tax else 0)
        elif (line.untaxed is None or line.tax) and len(self._taxed_rows) < MOST_TOLD:
            self._taxed_rows.append(line.row)
        for period, money in shares:
            self._sums.setdefault(period, _Sums()).add(money)

    def find_errors(self) -> Iterator[RowError]:
        """Lines that have no sum, and tax that may be stated twice."""
        if not any(self._states):
            message = "states its amount otherwise than the first line of the same bill"
            yield from (RowError(row, "untaxed", "mixed_amounts", message) for row in self._other_rows)
        if self._tax_row:
            message = (
                f"states an amount with tax, and row {self._tax_row} of the same bill states tax as a line of"
                " its own"
            )
            yield from (RowError(row, "tax", "tax_twice", message) for row in self._taxed_rows)

    def finish(self) -> Statement:
        """The document as its lines add up."""
        self._digest.update(b"]}")
        return Statement(
            key=self.key,
            row=self._first.row,
            rows=self._rows,
            customer_name=self._first.customer_name,
            digest=self._digest.hexdigest(),
            parts=[self._make_part(period, sums) for period, sums in sorted(self._sums.items(), key=_start)],
        )

    def _keep(self, line: ExternalLine) -> None:
        # As `documents.digest_of` writes the whole, so that a document of any length has the same digest.
        self._digest.update((b"," if self._rows else b"") + _canonical(line.raw))
        self._rows += 1

    def _make_part(self, period: Period, sums: "_Sums") -> Part:
        untaxed, total = sums.untaxed, sums.total
        if untaxed is not None and total is None and self._has_tax_row:
            # The tax on all lines stands in rows of its own.
            total = exact_sum([untaxed, sums.tax])
        tax = None if untaxed is None or total is None else exact_difference(total, untaxed)
        return Part(self.key, self._first.row, period, untaxed, tax, total)


def find_replaced(new: Sequence[Part], kept: Iterable[Kept]) -> list[Kept]:
    """The kept documents of a period that are numbered where the file's are not, or the other way round."""
    return [document for document in kept if document.is_numbered != bool(new[0].key.number)]


def find_conflicts(new: Sequence[Part], kept: Sequence[Kept], *, is_replacing: bool) -> Iterator[RowError]:
    """Where a file's documents of one customer, currency and period cannot count beside each other or the kept.

    A period is stated by numbered documents or by one without a number, never by both: the one may be the sum
    of the others. `is_replacing` lets the file's documents take the place of the kept ones of the other kind.
    And documents of a period state the untaxed amount all of them, or the total all of them: else neither has
    a sum.
    """
    replaced = find_replaced(new, kept)
    yield from _find_mixed_numbers(new)
    if replaced and not is_replacing:
        for part in new:
            yield RowError(part.row, "document", "other_numbering", _say_replaced(part, replaced))
    yield from _find_no_sum(new, [document for document in kept if document not in replaced])


class _Sums:
    """What the lines of one period add up to; None once a line does not state the amount."""

    def __init__(self) -> None:
        self.untaxed: Decimal | None = ZERO
        self.total: Decimal | None = ZERO
        self.tax = ZERO

    def add(self, money: Money) -> None:
        self.untaxed = _add(self.untaxed, money.untaxed)
        self.total = _add(self.total, money.total)
        self.tax = exact_sum([self.tax, money.tax or ZERO])


def _add(reached: Decimal | None, amount: Decimal | None) -> Decimal | None:
    return None if reached is None or amount is None else exact_sum([reached, amount])


def _start(item: tuple[Period, _Sums]) -> tuple[object, ...]:
    return item[0].start, item[0].end


def _state_of(line: ExternalLine) -> list[bool]:
    return [line.untaxed is not None, line.total is not None]


def _find_mixed_numbers(new: Sequence[Part]) -> Iterator[RowError]:
    numbered = next((part for part in new if part.key.number), None)
    for part in new:
        if numbered and not part.key.number:
            message = (
                f"must not be empty: row {numbered.row} bills the same period as {numbered.key.number}, and"
                " a bill without a number may be the same one"
            )
            yield RowError(part.row, "document", "mixed_numbering", message)


def _say_replaced(part: Part, replaced: Sequence[Kept]) -> str:
    more = f" and {len(replaced) - 1} more" if len(replaced) > 1 else ""
    return (
        f"bills as “{part.key.title}” what may be billed already by “{replaced[0].title}”{more} of an"
        " earlier file; if it is the same bill, let this file take its place: --replace"
    )


def _find_no_sum(new: Sequence[Part], kept: Sequence[Kept]) -> Iterator[RowError]:
    others = [(document.title, document.untaxed, document.total) for document in kept]
    others += [(part.key.title, part.untaxed, part.total) for part in new]
    for part in new:
        is_untaxed, is_total = part.total is None, part.untaxed is None
        for title, untaxed, total in others:
            if (is_untaxed and untaxed is None) or (is_total and total is None):
                states, column = ("an untaxed amount", "total") if is_untaxed else ("a total", "untaxed")
                other = "a total" if is_untaxed else "an untaxed amount"
                message = (
                    f"states {states} alone, and “{title}” of the same period {other} alone: they have no sum"
                )
                yield RowError(part.row, column, "mixed_amounts", message)
                break
