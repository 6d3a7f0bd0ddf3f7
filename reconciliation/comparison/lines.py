"""The lines of both sides next to each other, paired by what they bill."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from itertools import chain

from ingest.metering.arithmetic import ZERO, exact_difference, exact_sum


class LineKind(StrEnum):
    """What a line bills."""

    USAGE = "usage"
    PLAN = "plan"
    ONE_TIME = "one_time"
    DISCOUNT = "discount"
    CREDIT = "credit"
    ADJUSTMENT = "adjustment"
    TAX = "tax"


# Lines that correct a bill stand apart from the line with the same code that they correct.
CORRECTIONS = frozenset({LineKind.DISCOUNT, LineKind.CREDIT, LineKind.ADJUSTMENT, LineKind.TAX})


@dataclass(frozen=True, slots=True)
class LineAmount:
    """One line of a side, in the row's currency; `code` is that of its metric or plan.

    Its amount is without tax, unless the external side states nothing but totals: then both sides' lines are
    with it. `late` is the part of our own rating that usage makes which arrived after its period had closed, and
    `deferred` what such usage makes beside it that this bill does not have: another one does, or none.
    """

    code: str
    kind: LineKind
    description: str
    quantity: Decimal | None
    amount: Decimal
    is_priced_by_odoo: bool = False
    late: Decimal = ZERO
    deferred: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class LineSum:
    """All lines of one side that bill the same; their quantity is unknown when one of theirs is."""

    quantity: Decimal | None
    amount: Decimal
    lines: tuple[LineAmount, ...]

    @property
    def late(self) -> Decimal:
        """What of the amount late usage makes."""
        return exact_sum(line.late for line in self.lines)

    @property
    def deferred(self) -> Decimal:
        """What late usage makes beside the amount."""
        return exact_sum(line.deferred for line in self.lines)

    @property
    def is_priced_by_odoo(self) -> bool:
        """Whether Odoo itself set the price of any of the lines."""
        return any(line.is_priced_by_odoo for line in self.lines)


@dataclass(frozen=True, slots=True)
class LinePair:
    """What Odoo, the service and our own rating say for one code; `delta` is Odoo minus external.

    A line that a side does not have counts as nothing here: both sides are there, only the line is not.
    """

    code: str
    kind: LineKind
    description: str
    odoo: LineSum | None
    external: LineSum | None
    expected: LineSum | None
    delta: Decimal


def pair_lines(
    *, odoo: Iterable[LineAmount], external: Iterable[LineAmount], expected: Iterable[LineAmount]
) -> list[LinePair]:
    """One pair for each code on any side, the largest difference first.

    Lines with the same code are summed, corrections apart from what they correct. The deltas of all pairs sum
    exactly to the difference of both sides' lines; what is left of a row's delta is its `remainder`.
    """
    sides = [_group(lines) for lines in (odoo, external, expected)]
    keys = dict.fromkeys(chain.from_iterable(sides))
    pairs = [_pair(*(side.get(key) for side in sides)) for key in keys]
    return sorted(pairs, key=lambda pair: (-abs(pair.delta), pair.code, pair.kind))


def remainder(*, pairs: Iterable[LinePair], delta: Decimal) -> Decimal:
    """What of a row's delta its lines do not show: tax on a total, and sums that a source rounded."""
    return exact_difference(delta, exact_sum(pair.delta for pair in pairs))


_Key = tuple[str, LineKind | None]


def _group(lines: Iterable[LineAmount]) -> dict[_Key, list[LineAmount]]:
    groups: dict[_Key, list[LineAmount]] = {}
    for line in lines:
        key = (line.code, line.kind if line.kind in CORRECTIONS else None)
        groups.setdefault(key, []).append(line)
    return groups


def _pair(
    odoo: Sequence[LineAmount] | None,
    external: Sequence[LineAmount] | None,
    expected: Sequence[LineAmount] | None,
) -> LinePair:
    first = (odoo or external or expected or ())[0]
    ours, theirs = _sum(odoo), _sum(external)
    return LinePair(
        code=first.code,
        kind=first.kind,
        description=first.description,
        odoo=ours,
        external=theirs,
        expected=_sum(expected),
        delta=exact_difference(ours.amount if ours else ZERO, theirs.amount if theirs else ZERO),
    )


def _sum(lines: Sequence[LineAmount] | None) -> LineSum | None:
    if not lines:
        return None
    quantities = [line.quantity for line in lines if line.quantity is not None]
    quantity = exact_sum(quantities) if len(quantities) == len(lines) else None
    return LineSum(quantity, exact_sum(line.amount for line in lines), tuple(lines))
