"""A waterfall: from one amount to another, one bar per step, adding up exactly."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from ingest.metering.arithmetic import exact_difference, exact_sum

# How much of the picture stays free around the bars' range, so that the lowest one can be seen.
MARGIN = Decimal("0.15")


class Step(NamedTuple):
    """What moves the amount, and by how much."""

    label: str
    amount: Decimal
    code: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: the ends stand on the axis, a step hangs between the amounts before and after it.

    `left` and `width` place it, in percent of the picture.
    """

    label: str
    amount: Decimal
    code: str
    is_end: bool
    left: Decimal
    width: Decimal

    @property
    def tone(self) -> str:
        """Whether the bar is an end, adds or takes away."""
        return "end" if self.is_end else "up" if self.amount > 0 else "down"


@dataclass(frozen=True, slots=True)
class Waterfall:
    """The bars from the first amount to the last; `is_cut` when the axis does not begin at zero."""

    currency: str
    bars: tuple[Bar, ...]
    is_cut: bool


def draw(*, currency: str, first: Step, steps: Sequence[Step], last_label: str, last: Decimal) -> Waterfall:
    """Places the bars; what the steps leave of the way to `last` is a step of its own, so that none is lost."""
    rest = exact_difference(last, exact_sum([first.amount, *(step.amount for step in steps)]))
    steps = [*steps, Step("Not explained", rest)] if rest else list(steps)
    levels = [first.amount]
    for step in steps:
        levels.append(exact_sum([levels[-1], step.amount]))
    low, high = _range(levels)
    bars = [_bar(first, low, first.amount, low, high, is_end=True)]
    bars += [_bar(step, levels[at], levels[at + 1], low, high) for at, step in enumerate(steps)]
    bars.append(_bar(Step(last_label, last), low, last, low, high, is_end=True))
    return Waterfall(currency, tuple(bars), is_cut=low != 0)


def _range(levels: Sequence[Decimal]) -> tuple[Decimal, Decimal]:
    """From zero when the steps are large enough to be seen so, else only around them."""
    low, high = min(levels), max(levels)
    span = high - low
    if low <= 0 or not span or span > high / 4:
        return min(low, Decimal(0)), max(high, Decimal(0))
    return low - span * MARGIN, high


def _bar(
    step: Step, start: Decimal, end: Decimal, low: Decimal, high: Decimal, *, is_end: bool = False
) -> Bar:
    # An end stands on the axis: on zero where that is in the picture, else on its cut edge.
    start = Decimal(0) if is_end and low <= 0 else start
    left, right = sorted((start, end))
    return Bar(
        label=step.label,
        amount=step.amount,
        code=step.code,
        is_end=is_end,
        left=_percent(left - low, high - low),
        width=_percent(right - left, high - low),
    )


def _percent(part: Decimal, whole: Decimal) -> Decimal:
    return (part / whole * 100).quantize(Decimal("0.01"), ROUND_HALF_UP) if whole else Decimal(0)
