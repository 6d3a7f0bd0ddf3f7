"""Graduated by days: whole units pick the tier, their shares of the period are priced there (Lago: 6.10)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate, pairwise

from ingest.metering.arithmetic import (
    QUOTIENT_PLACES,
    ZERO,
    exact_difference,
    exact_product,
    exact_sum,
    quotient,
)
from ingest.metering.usage import MeteredUsage
from ingest.rating.charge_models.contract import Rated
from ingest.rating.charge_models.ranges import Range

_LONGEST_PERIOD = 366


@dataclass(frozen=True, slots=True)
class WalkLine:
    """What a step up or down through the tiers gave, or the flat amounts of the tiers that were reached."""

    from_level: Decimal
    to_level: Decimal
    units: Decimal
    per_unit_total_amount: Decimal
    flat_unit_amount: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        """The step's amount."""
        return exact_sum((self.per_unit_total_amount, self.flat_unit_amount))


def price(ranges: Sequence[Range], usage: MeteredUsage) -> Rated:
    """The steps through the tiers, each at its share, and the flat amounts up to the highest level, in full.

    Below zero the first range's price holds. A level that ends below zero costs nothing, and steps that together
    gave less than nothing cost only the flat amounts. Where the days leave a sum without a last digit, the running
    sums are cut as `quotient` says, so that the steps sum to a whole that was cut once.
    """
    lines = tuple(_walk(ranges, usage)) if usage.quantity else ()
    level = lines[-1].to_level if lines else ZERO
    if level < 0:
        return Rated(usage.quantity, ZERO)
    flats = _flat_amounts(ranges, max((line.to_level for line in lines), default=ZERO))
    amount = exact_sum(line.per_unit_total_amount for line in lines)
    if amount < 0:
        lines, amount = (), ZERO
    flat = WalkLine(level, level, ZERO, ZERO, flats)
    return Rated(usage.quantity, exact_sum((amount, flats)), details=(*lines, flat))


def _walk(ranges: Sequence[Range], usage: MeteredUsage) -> Iterator[WalkLine]:
    moves = list(_moves(usage))
    costs = (
        Fraction(exact_difference(_cost_up_to(ranges, after), _cost_up_to(ranges, level)))
        * _proration(share, exact_difference(after, level))
        for level, after, share in moves
    )
    sums = [_cut(total) for total in accumulate(costs)]
    for (level, after, share), before, total in zip(moves, [ZERO, *sums], sums, strict=False):
        yield WalkLine(level, after, share, exact_difference(total, before))


def _moves(usage: MeteredUsage) -> Iterator[tuple[Decimal, Decimal, Decimal]]:
    """From which level to which each event moves, and its share."""
    level = ZERO
    for value, share in zip(usage.event_values, usage.prorated_values, strict=True):
        after = exact_sum((level, value))
        # An addition that was not there in the period, and the removal of such a one, change nothing.
        if not value or (not share and (value > 0 or after < 0)):
            continue
        yield level, after, share
        level = after


def _proration(share: Decimal, value: Decimal) -> Fraction:
    """share ÷ value; for a share by days that was cut, the days' own fraction again.

    Else what was cut could decide a cent: a third of 0.015 is half a cent, 0.33333333333333333333 of it is less.
    """
    given = Fraction(share) / Fraction(value)
    by_days = given.limit_denominator(_LONGEST_PERIOD)
    is_cut = abs(by_days * Fraction(value) - Fraction(share)) < Fraction(1, 10**QUOTIENT_PLACES)
    return by_days if is_cut else given


def _cut(number: Fraction) -> Decimal:
    return quotient(Decimal(number.numerator), Decimal(number.denominator))


def _cost_up_to(ranges: Sequence[Range], level: Decimal) -> Decimal:
    """What a level would cost in full, without flat amounts."""
    if level <= 0:
        return exact_product(level, ranges[0].price)
    floor = ZERO
    cost = ZERO
    for tier in ranges:
        end = level if tier.to_value is None else min(level, tier.to_value)
        if end > floor:
            cost = exact_sum((cost, exact_product(exact_difference(end, floor), tier.price)))
            floor = end
    return cost


def _flat_amounts(ranges: Sequence[Range], highest: Decimal) -> Decimal:
    reached = [tier.flat for tier in ranges[:1]]
    reached += [
        tier.flat
        for before, tier in pairwise(ranges)
        if before.to_value is not None and highest > before.to_value
    ]
    return exact_sum(reached)
