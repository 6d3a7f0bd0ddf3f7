"""Which thresholds a growing figure has crossed (Lago: alerts)."""

from collections.abc import Sequence
from decimal import Decimal

from ingest.metering.arithmetic import ZERO, exact_difference, exact_product, exact_sum, quotient

# A small step in a large figure has no end of crossings: the highest ones are told.
MOST_CROSSINGS = 100


def find_crossed(
    *, previous: Decimal, current: Decimal, once: Sequence[Decimal], step: Decimal | None
) -> tuple[list[Decimal], list[Decimal]]:
    """The thresholds above `previous` and not above `current`: those of `once`, and multiples of the step.

    A step counts from the highest of `once`, or from zero. What does not grow crosses nothing.
    """
    if current <= previous:
        return [], []
    crossed = sorted({value for value in once if previous < value <= current})
    return crossed, _find_steps(previous, current, max(once, default=ZERO), step) if step else []


def _find_steps(previous: Decimal, current: Decimal, base: Decimal, step: Decimal) -> list[Decimal]:
    last = int(quotient(exact_difference(current, base), step))
    before = max(int(quotient(exact_difference(previous, base), step)), 0)
    first = max(before + 1, last - MOST_CROSSINGS + 1)
    return [exact_sum((base, exact_product(step, Decimal(number)))) for number in range(first, last + 1)]
