"""Volume: the range that all units reach prices every one of them (Lago: volume)."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from ingest.metering.arithmetic import ZERO, exact_product, exact_sum, quotient
from ingest.metering.usage import MeteredUsage
from ingest.rating.charge_models.contract import PropertyError, Rated
from ingest.rating.charge_models.ranges import Range, read_ranges


@dataclass(frozen=True, slots=True)
class VolumeLine:
    """What the one range gave."""

    flat_unit_amount: Decimal
    per_unit_amount: Decimal
    per_unit_total_amount: Decimal

    @property
    def total(self) -> Decimal:
        """The units and the flat amount."""
        return exact_sum((self.per_unit_total_amount, self.flat_unit_amount))


def read(properties: Mapping[str, object], errors: list[PropertyError]) -> tuple[Range, ...]:
    """The ranges with their unit prices."""
    return read_ranges(properties, "volume_ranges", errors, price="per_unit_amount", code="invalid_amount")


def price(ranges: tuple[Range, ...], usage: MeteredUsage, _currency: str) -> Rated:
    """All units at the price of the range they reach; by days it is picked by whole units, and prices shares.

    Whole units below zero cost nothing.
    """
    units = usage.whole_quantity if usage.is_prorated else usage.quantity
    if units < 0:
        return Rated(usage.quantity, ZERO)
    tier = _find(ranges, units)
    amount = exact_product(usage.quantity, tier.price)
    # A quotient keeps twenty digits, the price that a unit really has may have more.
    by_unit = quotient(amount, units) if units and units != usage.quantity else tier.price
    line = VolumeLine(tier.flat, by_unit if units else ZERO, amount)
    return Rated(usage.quantity, line.total, details=(line,))


def _find(ranges: tuple[Range, ...], units: Decimal) -> Range:
    """The first range that does not end below the units.

    Lago also asks that it begins at or below them, counted up to whole ones. That tells no ranges apart; it only
    finds none for units in the gap that bounds like 0–0.5, 1.5–∞ leave, where Lago fails. They are in the next one.
    """
    return next(tier for tier in ranges if tier.ends_at(units))
