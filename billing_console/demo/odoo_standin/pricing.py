"""Amounts as Odoo computes them: sums, taxes and rounding of the lines of one document; pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

ZERO = Decimal(0)


class Rounding(StrEnum):
    """Where a company rounds its taxes: `res.company.tax_calculation_rounding_method`."""

    GLOBALLY = "round_globally"
    PER_LINE = "round_per_line"


@dataclass(frozen=True, slots=True)
class Base:
    """A line before rounding: quantity × price less discount, and its taxes' percentages by id."""

    amount: Decimal
    taxes: dict[int, Decimal]


@dataclass(frozen=True, slots=True)
class Amounts:
    """A document's or a line's amounts, rounded to the currency."""

    untaxed: Decimal
    taxes: dict[int, Decimal] = field(default_factory=dict)

    @property
    def tax(self) -> Decimal:
        return sum(self.taxes.values(), ZERO)

    @property
    def total(self) -> Decimal:
        return self.untaxed + self.tax


def round_to(amount: Decimal, step: Decimal) -> Decimal:
    """Round half away from zero to a multiple of the currency's rounding step."""
    return (amount / step).quantize(Decimal(1), ROUND_HALF_UP) * step


def total_document(bases: Sequence[Base], *, step: Decimal, rounding: Rounding) -> Amounts:
    """Return a document's amounts.

    Globally, bases are summed unrounded and each tax is taken on the unrounded sum of its bases, so the
    untaxed amount may differ from the sum of the lines' subtotals. Per line, both are rounded on each line.
    """
    if rounding is Rounding.PER_LINE:
        return _add_up([total_line(base, step=step, rounding=rounding) for base in bases])
    raw: dict[int, Decimal] = defaultdict(Decimal)
    for base in bases:
        for tax, percent in base.taxes.items():
            raw[tax] += base.amount * percent / 100
    untaxed = round_to(sum((base.amount for base in bases), ZERO), step)
    return Amounts(untaxed, {tax: round_to(amount, step) for tax, amount in raw.items()})


def total_line(base: Base, *, step: Decimal, rounding: Rounding) -> Amounts:
    """Return one line's amounts, as its subtotal and total show them."""
    untaxed = round_to(base.amount, step)
    taxed = untaxed if rounding is Rounding.PER_LINE else base.amount
    return Amounts(
        untaxed, {tax: round_to(taxed * percent / 100, step) for tax, percent in base.taxes.items()}
    )


def _add_up(amounts: list[Amounts]) -> Amounts:
    taxes: dict[int, Decimal] = defaultdict(Decimal)
    for each in amounts:
        for tax, amount in each.taxes.items():
            taxes[tax] += amount
    return Amounts(sum((each.untaxed for each in amounts), ZERO), dict(taxes))
