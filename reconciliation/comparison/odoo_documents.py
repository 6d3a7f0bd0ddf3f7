"""How a document of Odoo's is shared out over its lines, and which period a line is of.

The header is what Odoo bills: a line of a posted document can be edited without it following. So the lines only
say in which proportion the header is theirs, and what they are given adds up to it to the cent.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from ingest.metering.arithmetic import ZERO, exact_sum
from ingest.metering.periods import Period


@dataclass(frozen=True, slots=True)
class LineFigures:
    """What a line says of itself: as it is shown, and what it has booked."""

    untaxed: Decimal
    total: Decimal
    balance: Decimal
    is_taxed: bool


@dataclass(frozen=True, slots=True)
class Share:
    """A line's part of its document, with the document's sign."""

    untaxed: Decimal
    tax: Decimal

    @property
    def total(self) -> Decimal:
        """Both together."""
        return self.untaxed + self.tax


def share_out(*, untaxed: Decimal, tax: Decimal, lines: Sequence[LineFigures], step: Decimal) -> list[Share]:
    """Each line's part of a header; the parts add up to it exactly.

    By what the lines show, where that comes to the header but for roundings of `step` per line; else they were
    edited after it was posted, and the parts are by what they have booked.
    """
    shown = [line.untaxed for line in lines]
    booked = [line.balance for line in lines]
    shown_taxes = [line.total - line.untaxed for line in lines]
    booked_taxes = [line.balance if line.is_taxed else ZERO for line in lines]
    untaxed_parts = allocate(untaxed, shown if _comes_to(shown, untaxed, step) else booked, step)
    tax_parts = allocate(tax, shown_taxes if _comes_to(shown_taxes, tax, step) else booked_taxes, step)
    return [Share(*parts) for parts in zip(untaxed_parts, tax_parts, strict=True)]


def allocate(whole: Decimal, weights: Sequence[Decimal], step: Decimal) -> list[Decimal]:
    """The whole in proportion to the weights, each part rounded to the step; the heaviest takes what is left."""
    if not weights:
        return []
    total = exact_sum(weights)
    parts = [(whole * weight / total).quantize(step, ROUND_HALF_UP) if total else ZERO for weight in weights]
    heaviest = max(range(len(weights)), key=lambda index: abs(weights[index]))
    parts[heaviest] += whole - exact_sum(parts)
    return parts


def find_period(*, first: date, last: date, periods: Iterable[Period], zone: ZoneInfo) -> Period | None:
    """The one period that holds all days from the first to the last; None when no one or several do."""
    start = datetime.combine(first, time.min, zone)
    end = datetime.combine(last + timedelta(days=1), time.min, zone)
    found = {period for period in periods if period.start <= start < end <= period.end}
    return found.pop() if len(found) == 1 else None


def _comes_to(parts: Sequence[Decimal], whole: Decimal, step: Decimal) -> bool:
    """Whether parts that are positive on a credit note too are those of a header."""
    return abs(exact_sum(parts) - abs(whole)) <= step * len(parts)
