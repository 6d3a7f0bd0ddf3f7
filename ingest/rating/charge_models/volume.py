"""Volume: the range that all units reach prices every one of them (Lago: volume)."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from ingest.metering.arithmetic import ZERO, ceil_quotient, exact_product, exact_sum, quotient
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
    """All units at the price of the range they reach; by days it is picked by whole units, and prices shares."""
    tier = _find(ranges, usage.whole_quantity if usage.is_prorated else usage.quantity)
    if tier is None:
        return Rated(usage.quantity, ZERO)
    amount = exact_product(usage.quantity, tier.price)
    units = usage.whole_quantity
    line = VolumeLine(tier.flat, quotient(amount, units) if units > 0 else ZERO, amount)
    return Rated(usage.quantity, line.total, details=(line,))


def _find(ranges: tuple[Range, ...], units: Decimal) -> Range | None:
    """The first range that begins at or below the units, counted up to whole ones, and does not end below them."""
    whole = ceil_quotient(units, Decimal(1), 0)
    return next((tier for tier in ranges if tier.from_value <= whole and tier.ends_at(units)), None)
