"""What a file of billed amounts gives: its lines, and where a row could not be read."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum


class LineKind(StrEnum):
    """What a line bills."""

    USAGE = "usage"
    PLAN = "plan"
    ONE_TIME = "one_time"
    DISCOUNT = "discount"
    CREDIT = "credit"
    ADJUSTMENT = "adjustment"
    TAX = "tax"


@dataclass(frozen=True, slots=True)
class ExternalLine:
    """One billed line, amounts in `currency`; what the file does not state is None, or empty for texts.

    `row` counts as a spreadsheet does, the header being row 1. The period is the bill's own,
    `[period_start, period_end)` in the customer's days, None where the file does not state one. What the line is
    for is `[used_from, used_to)`: instants with their zone, or midnights of the customer's own days without one.
    Who was billed is told by the customer's id, by one of its subscriptions or by its id in Stripe. `raw` is the
    row as it stands in the file, with the columns nobody asked for.
    """

    row: int
    customer: str
    customer_name: str
    currency: str
    period_start: date | None
    period_end: date | None
    document: str
    kind: LineKind
    code: str
    description: str
    quantity: Decimal | None
    unit_price: Decimal | None
    untaxed: Decimal | None
    tax: Decimal | None
    total: Decimal | None
    raw: dict[str, str]
    subscription: str = ""
    stripe_customer: str = ""
    used_from: datetime | None = None
    used_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A row that is no bill, as its status says: a draft, one that was voided."""

    row: int
    status: str


@dataclass(frozen=True, slots=True)
class RowError:
    """A row that could not be read; `column` is empty when it is the row as a whole."""

    row: int
    column: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class FileFormat:
    """One format: the columns that its header must have, those it may have, and how a row becomes a line.

    `parse_row` raises `cells.CellError` for the first cell that it cannot read.
    """

    name: str
    columns: frozenset[str]
    parse_row: Callable[[int, Mapping[str, str]], ExternalLine | LeftOut]
    optional: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """A file being read: the name of its format, the SHA-256 of its bytes, and its rows, once through.

    A row is a line, what is left out, or the error that stands in its place; reading goes on after an error.
    """

    format: str
    digest: str
    rows: Iterator[ExternalLine | LeftOut | RowError]
