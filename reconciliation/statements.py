"""Statements: a file's lines as the documents that they become, and which documents cannot stand together."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from ingest.metering.arithmetic import exact_difference, exact_sum
from reconciliation.connectors.files.detect import parse_file
from reconciliation.connectors.files.records import ExternalLine, LineKind, RowError
from reconciliation.documents import digest_of


class StatementKey(NamedTuple):
    """What makes lines one document: a customer's bill for a period in one currency, under its number if any."""

    customer: str
    currency: str
    period_start: date
    period_end: date
    number: str

    @property
    def reference(self) -> str:
        """The document's identity across files: the digest of its parts, so that no two are ever the same."""
        days = (self.period_start.isoformat(), self.period_end.isoformat())
        return digest_of([self.customer, self.currency, *days, self.number])

    @property
    def title(self) -> str:
        """The same for people to read."""
        days = f"{self.period_start}/{self.period_end}"
        return f"{self.number or 'statement'} {self.customer} {self.currency} {days}"


@dataclass(frozen=True, slots=True)
class Statement:
    """One document of a file: its lines and what they sum to; a sum that a line leaves unsaid is None."""

    key: StatementKey
    lines: Sequence[ExternalLine]
    untaxed: Decimal | None
    tax: Decimal | None
    total: Decimal | None

    @property
    def row(self) -> int:
        """Where it begins in the file."""
        return self.lines[0].row


@dataclass(frozen=True, slots=True)
class Kept:
    """A document of an earlier file that counts today for a period, beside those that the file states anew."""

    reference: str
    title: str
    is_numbered: bool
    untaxed: Decimal | None
    total: Decimal | None


def read_statements(path: Path, echo: Callable[[int], None] | None) -> tuple[list[Statement], list[RowError]]:
    """A file's statements, and every row that is wrong; raises ConnectorError for a file that is no table."""
    lines: dict[StatementKey, list[ExternalLine]] = defaultdict(list)
    errors: list[RowError] = []
    for item in parse_file(path).rows:
        if echo:
            echo(item.row)
        if isinstance(item, RowError):
            errors.append(item)
        else:
            days = (item.period_start, item.period_end)
            lines[StatementKey(item.customer, item.currency, *days, item.document)].append(item)
    for rows in lines.values():
        errors += [*_find_mixture(rows), *_find_tax_twice(rows)]
    return [_add_up(key, rows) for key, rows in lines.items()], errors


def find_replaced(new: Sequence[Statement], kept: Iterable[Kept]) -> list[Kept]:
    """The kept documents of a period that are numbered where the file's are not, or the other way round."""
    return [document for document in kept if document.is_numbered != bool(new[0].key.number)]


def find_conflicts(
    new: Sequence[Statement], kept: Sequence[Kept], *, is_replacing: bool
) -> Iterator[RowError]:
    """Where a file's documents of one customer, currency and period cannot count beside each other or the kept.

    A period is stated by numbered documents or by one without a number, never by both: the one may be the sum
    of the others. `is_replacing` lets the file's documents take the place of the kept ones of the other kind.
    And documents of a period state the untaxed amount all of them, or the total all of them: else neither has
    a sum.
    """
    replaced = find_replaced(new, kept)
    yield from _find_mixed_numbers(new)
    if replaced and not is_replacing:
        for statement in new:
            yield RowError(statement.row, "document", "other_numbering", _say_replaced(statement, replaced))
    yield from _find_no_sum(new, [document for document in kept if document not in replaced])


def _add_up(key: StatementKey, lines: Sequence[ExternalLine]) -> Statement:
    untaxed, total = _sum(line.untaxed for line in lines), _sum(line.total for line in lines)
    if untaxed is not None and total is None and any(line.kind is LineKind.TAX for line in lines):
        # The tax on all lines stands in rows of its own.
        total = exact_sum([untaxed, *(line.tax for line in lines if line.tax is not None)])
    tax = None if untaxed is None or total is None else exact_difference(total, untaxed)
    return Statement(key, lines, untaxed, tax, total)


def _sum(amounts: Iterable[Decimal | None]) -> Decimal | None:
    """The exact sum, or None when one line does not state the amount."""
    stated = list(amounts)
    known = [amount for amount in stated if amount is not None]
    return exact_sum(known) if len(known) == len(stated) else None


def _find_mixture(lines: Sequence[ExternalLine]) -> Iterator[RowError]:
    """A bill whose lines state totals here and untaxed amounts there has no sum of either."""
    states = [(line.untaxed is not None, line.total is not None) for line in lines]
    if all(untaxed for untaxed, _ in states) or all(total for _, total in states):
        return
    message = "states its amount otherwise than the first line of the same bill"
    for line, state in zip(lines, states, strict=True):
        if state != states[0]:
            yield RowError(line.row, "untaxed", "mixed_amounts", message)


def _find_tax_twice(lines: Sequence[ExternalLine]) -> Iterator[RowError]:
    """Tax in rows of its own beside lines with tax of their own: nobody can tell whether it is the same tax."""
    tax_row = next((line.row for line in lines if line.kind is LineKind.TAX and line.tax), None)
    if tax_row is None:
        return
    message = f"states an amount with tax, and row {tax_row} of the same bill states tax as a line of its own"
    for line in lines:
        if line.kind is not LineKind.TAX and (line.untaxed is None or line.tax):
            yield RowError(line.row, "tax", "tax_twice", message)


def _find_mixed_numbers(new: Sequence[Statement]) -> Iterator[RowError]:
    numbered = next((statement for statement in new if statement.key.number), None)
    for statement in new:
        if numbered and not statement.key.number:
            message = (
                f"must not be empty: row {numbered.row} bills the same period as {numbered.key.number}, and"
                " a bill without a number may be the same one"
            )
            yield RowError(statement.row, "document", "mixed_numbering", message)


def _say_replaced(statement: Statement, replaced: Sequence[Kept]) -> str:
    more = f" and {len(replaced) - 1} more" if len(replaced) > 1 else ""
    return (
        f"bills as “{statement.key.title}” what may be billed already by “{replaced[0].title}”{more} of an"
        " earlier file; if it is the same bill, let this file take its place: --replace"
    )


def _find_no_sum(new: Sequence[Statement], kept: Sequence[Kept]) -> Iterator[RowError]:
    others = [(document.title, document.untaxed, document.total) for document in kept]
    others += [(statement.key.title, statement.untaxed, statement.total) for statement in new]
    for statement in new:
        is_untaxed, is_total = statement.total is None, statement.untaxed is None
        for title, untaxed, total in others:
            if (is_untaxed and untaxed is None) or (is_total and total is None):
                states, column = ("an untaxed amount", "total") if is_untaxed else ("a total", "untaxed")
                other = "a total" if is_untaxed else "an untaxed amount"
                message = (
                    f"states {states} alone, and “{title}” of the same period {other} alone: they have no sum"
                )
                yield RowError(statement.row, column, "mixed_amounts", message)
                break
