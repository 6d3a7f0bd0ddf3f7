"""Graduated: each part of the quantity is priced by the range it falls into (Lago: graduated)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from ingest.metering.arithmetic import ZERO, exact_product, exact_sum
from ingest.metering.usage import MeteredUsage
from ingest.rating.charge_models import prorated_graduated
from ingest.rating.charge_models.contract import PropertyError, Rated
from ingest.rating.charge_models.ranges import Range, are_touching, read_ranges


@dataclass(frozen=True, slots=True)
class TierLine:
    """What one range gave."""

    from_value: Decimal
    to_value: Decimal | None
    units: Decimal
    per_unit_amount: Decimal
    flat_unit_amount: Decimal
    per_unit_total_amount: Decimal
    total_with_flat_amount: Decimal

    @property
    def total(self) -> Decimal:
        """The range's amount with its flat one."""
        return self.total_with_flat_amount


def read(properties: Mapping[str, object], errors: list[PropertyError]) -> tuple[Range, ...]:
    """The ranges with their unit prices."""
    return read_ranges(properties, "graduated_ranges", errors, price="per_unit_amount", code="invalid_amount")


def price(ranges: tuple[Range, ...], usage: MeteredUsage, _currency: str) -> Rated:
    """The sum over the ranges that the quantity reaches; the first one's flat amount is due for zero too."""
    if usage.is_prorated:
        return prorated_graduated.price(ranges, usage)
    lines = tuple(_price_tiers(ranges, usage.quantity))
    return Rated(usage.quantity, exact_sum(line.total for line in lines), details=lines)


def _price_tiers(ranges: tuple[Range, ...], quantity: Decimal) -> Iterator[TierLine]:
    touching = are_touching(ranges)
    for tier in ranges:
        yield price_tier(tier, tier.units_of(quantity, are_touching=touching))
        if tier.ends_at(quantity):
            return


def price_tier(tier: Range, units: Decimal) -> TierLine:
    """What so many units in one range cost; Lago shows no unit price where no unit was priced."""
    amount = exact_product(units, tier.price)
    return TierLine(
        from_value=tier.from_value,
        to_value=tier.to_value,
        units=units,
        per_unit_amount=tier.price if units else ZERO,
        flat_unit_amount=tier.flat,
        per_unit_total_amount=amount,
        total_with_flat_amount=exact_sum((amount, tier.flat)),
    )
