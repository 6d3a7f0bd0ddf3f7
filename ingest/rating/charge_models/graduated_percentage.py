"""Graduated percentage: each part of the quantity costs its range's rate (Lago: graduated_percentage)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from ingest.metering.arithmetic import exact_product, exact_sum
from ingest.metering.usage import MeteredUsage
from ingest.rating.charge_models.contract import PropertyError, Rated
from ingest.rating.charge_models.ranges import Range, read_ranges

PERCENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class RateLine:
    """What one range gave."""

    from_value: Decimal
    to_value: Decimal | None
    units: Decimal
    rate: Decimal
    flat_unit_amount: Decimal
    per_unit_total_amount: Decimal
    total_with_flat_amount: Decimal

    @property
    def total(self) -> Decimal:
        """The range's amount with its flat one."""
        return self.total_with_flat_amount


def read(properties: Mapping[str, object], errors: list[PropertyError]) -> tuple[Range, ...]:
    """The ranges with their rates in percent."""
    return read_ranges(properties, "graduated_percentage_ranges", errors, price="rate", code="invalid_rate")


def price(ranges: tuple[Range, ...], usage: MeteredUsage, _currency: str) -> Rated:
    """The sum over the ranges that the quantity reaches; the first one's flat amount is due for zero too.

    Lago knows no touching ranges here: the unit where two of them touch is priced in both.
    """
    lines = tuple(_price_tiers(ranges, usage.quantity))
    return Rated(usage.quantity, exact_sum(line.total for line in lines), details=lines)


def _price_tiers(ranges: tuple[Range, ...], quantity: Decimal) -> Iterator[RateLine]:
    for tier in ranges:
        yield price_tier(tier, quantity)
        if tier.ends_at(quantity):
            return


def price_tier(tier: Range, quantity: Decimal) -> RateLine:
    """What the part of a quantity in one range costs."""
    units = tier.units_of(quantity)
    amount = exact_product(exact_product(units, tier.price), PERCENT)
    return RateLine(
        from_value=tier.from_value,
        to_value=tier.to_value,
        units=units,
        rate=tier.price,
        flat_unit_amount=tier.flat,
        per_unit_total_amount=amount,
        total_with_flat_amount=exact_sum((amount, tier.flat)),
    )
