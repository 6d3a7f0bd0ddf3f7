"""Taxes of an invoice: rates in percent on one base, each rounded once for the whole invoice (Lago: invoice)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from ingest.metering.arithmetic import exact_product, exact_sum
from ingest.rating.money import round_to_currency

PERCENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class TaxRate:
    """One tax: what tells it from others, and its rate in percent with all its digits."""

    code: str
    percent: Decimal


@dataclass(frozen=True, slots=True)
class Taxable:
    """An amount before tax, exact, and the taxes on it; each takes its share of the same base."""

    amount: Decimal
    rates: Sequence[TaxRate]


@dataclass(frozen=True, slots=True)
class Taxes:
    """An invoice's tax: of each rate, rounded for display, and in all, rounded once."""

    by_rate: Mapping[TaxRate, Decimal]
    total: Decimal


def compute_taxes(amounts: Iterable[Taxable], currency: str) -> Taxes:
    """Each tax on the sum of what it is on, unrounded; in all the rounded sum of those, never of rounded ones.

    Rates come from the caller: Odoo's taxes as mirrored, or a document's.
    """
    unrounded: dict[TaxRate, list[Decimal]] = {}
    for taxable in amounts:
        for rate in taxable.rates:
            unrounded.setdefault(rate, []).append(tax_of(taxable.amount, rate))
    sums = {rate: exact_sum(parts) for rate, parts in unrounded.items()}
    return Taxes(
        {rate: round_to_currency(tax, currency) for rate, tax in sums.items()},
        round_to_currency(exact_sum(sums.values()), currency),
    )


def tax_of(amount: Decimal, rate: TaxRate) -> Decimal:
    """The unrounded tax on an amount."""
    return exact_product(exact_product(amount, rate.percent), PERCENT)
