"""Our fees beside another biller's, one for each subscription, charge, filter and group of a period."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from ingest.metering.arithmetic import ZERO, exact_difference, exact_sum

# Other billers keep their unrounded amounts to about so many digits.
CLOSE = Decimal("0.000000000001")


class FeeKey(NamedTuple):
    """What a fee is for; filter and group are texts that equal ones share."""

    subscription: str
    kind: str
    code: str
    filter: str
    group: str


@dataclass(frozen=True, slots=True)
class FeeFigures:
    """What one side says of a fee; what it leaves unsaid is None. `details` is how it was computed."""

    units: Decimal | None
    exact: Decimal | None
    amount: Decimal
    events: int | None = None
    details: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class FeePair:
    """A fee on both sides, and the words for what differs; empty where they agree."""

    key: FeeKey
    ours: FeeFigures | None
    theirs: FeeFigures | None
    differs: Sequence[str]

    @property
    def difference(self) -> Decimal:
        """Ours less theirs; a fee that a side does not have counts as nothing."""
        return exact_difference(*(side.amount if side else ZERO for side in (self.ours, self.theirs)))


def pair_fees(
    *, ours: Iterable[tuple[FeeKey, FeeFigures]], theirs: Iterable[tuple[FeeKey, FeeFigures]]
) -> list[FeePair]:
    """One pair for each key on either side, the largest difference first; fees of one key are summed."""
    own, other = _group(ours), _group(theirs)
    pairs = [_pair(key, own.get(key), other.get(key)) for key in {**own, **other}]
    return sorted(pairs, key=lambda pair: (-abs(pair.difference), not pair.differs, pair.key))


def _pair(key: FeeKey, ours: FeeFigures | None, theirs: FeeFigures | None) -> FeePair:
    if ours is None or theirs is None:
        return FeePair(key, ours, theirs, ["only ours" if ours else "only theirs"])
    sides = (
        ("units", ours.units, theirs.units),
        ("unrounded amount", ours.exact, theirs.exact),
        ("amount", ours.amount, theirs.amount),
        ("events", _count(ours), _count(theirs)),
    )
    return FeePair(key, ours, theirs, [name for name, one, two in sides if _is_apart(one, two)])


def _count(figures: FeeFigures) -> Decimal | None:
    return None if figures.events is None else Decimal(figures.events)


def _is_apart(one: Decimal | None, two: Decimal | None) -> bool:
    return one is not None and two is not None and abs(exact_difference(one, two)) >= CLOSE


def _group(fees: Iterable[tuple[FeeKey, FeeFigures]]) -> dict[FeeKey, FeeFigures]:
    groups: dict[FeeKey, list[FeeFigures]] = {}
    for key, figures in fees:
        groups.setdefault(key, []).append(figures)
    return {key: _sum(figures) for key, figures in groups.items()}


def _sum(figures: Sequence[FeeFigures]) -> FeeFigures:
    events = [each.events for each in figures]
    return FeeFigures(
        units=_add_up([each.units for each in figures]),
        exact=_add_up([each.exact for each in figures]),
        amount=exact_sum(each.amount for each in figures),
        events=None if None in events else sum(filter(None, events)),
        details=tuple(detail for each in figures for detail in each.details),
    )


def _add_up(amounts: Sequence[Decimal | None]) -> Decimal | None:
    known = [amount for amount in amounts if amount is not None]
    return exact_sum(known) if len(known) == len(amounts) else None
