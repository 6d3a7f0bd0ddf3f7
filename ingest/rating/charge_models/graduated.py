"""Graduated: each part of the quantity is priced by the range it falls into (Lago: graduated)."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from ingest.metering.arithmetic import ZERO, exact_difference, exact_product, exact_sum
from ingest.metering.usage import MeteredUsage
from ingest.rating.charge_models.contract import PropertyError, Rated, TierLine
from ingest.rating.charge_models.fields import read_amount, read_bound

_FIELD = "graduated_ranges"


@dataclass(frozen=True, slots=True)
class PriceRange:
    """The price of the units from one bound up to and including the other; an open range has no end."""

    from_value: Decimal
    to_value: Decimal | None
    unit_price: Decimal
    flat: Decimal


def read(properties: Mapping[str, object], errors: list[PropertyError]) -> tuple[PriceRange, ...]:
    """The ranges in order, contiguous from zero, the last one open."""
    items = properties.get(_FIELD)
    if not isinstance(items, list) or not items:
        errors.append(PropertyError(_FIELD, "missing_graduated_ranges", "must list at least one range"))
        return ()
    ranges = tuple(_read_range(item, f"{_FIELD}[{index}].", errors) for index, item in enumerate(items))
    if not errors:
        errors.extend(_check_bounds(ranges))
    return ranges


def price(ranges: tuple[PriceRange, ...], usage: MeteredUsage) -> Rated:
    """The sum over the ranges that the quantity reaches; the first one's flat amount is due for zero too.

    A range holds the units above the end of the one before it. That is Lago's "from - 1" for bounds that
    count whole units and "from" for bounds that touch, and it lets fractions flow into the next range.
    """
    lines: list[TierLine] = []
    floor = ZERO
    for tier in ranges:
        reached = usage.quantity if tier.to_value is None else min(usage.quantity, tier.to_value)
        lines.append(_price_units(tier, exact_difference(reached, floor)))
        floor = reached
        if reached == usage.quantity:
            break
    amount = exact_sum(line.total_with_flat_amount for line in lines)
    return Rated(usage.quantity, amount, tuple(lines))


def _price_units(tier: PriceRange, units: Decimal) -> TierLine:
    amount = exact_product(units, tier.unit_price)
    return TierLine(
        from_value=tier.from_value,
        to_value=tier.to_value,
        units=units,
        # Lago shows no unit price where no unit was priced.
        per_unit_amount=tier.unit_price if units else ZERO,
        flat_unit_amount=tier.flat,
        per_unit_total_amount=amount,
        total_with_flat_amount=exact_sum((amount, tier.flat)),
    )


def _read_range(item: object, path: str, errors: list[PropertyError]) -> PriceRange:
    fields = item if isinstance(item, Mapping) else {}
    return PriceRange(
        from_value=read_bound(fields, "from_value", errors, path=path),
        to_value=None
        if fields.get("to_value") is None
        else read_bound(fields, "to_value", errors, path=path),
        unit_price=read_amount(fields, "per_unit_amount", errors, path=path),
        flat=read_amount(fields, "flat_amount", errors, path=path),
    )


def _check_bounds(ranges: tuple[PriceRange, ...]) -> list[PropertyError]:
    """Refuses gaps and overlaps.

    All bounds count whole units (0–10, 11–20) or all of them touch (0–10, 10–20). Lago accepts a mixture and
    then prices the unit where two ranges touch twice; here it is refused.
    """
    errors: list[PropertyError] = []

    def refuse(index: int, name: str, message: str) -> None:
        errors.append(PropertyError(f"{_FIELD}[{index}].{name}", "invalid_graduated_ranges", message))

    if ranges[0].from_value != 0:
        refuse(0, "from_value", "must be 0 in the first range")
    if ranges[-1].to_value is not None:
        refuse(len(ranges) - 1, "to_value", "must be null in the last range")
    steps = set()
    for index, (before, after) in enumerate(pairwise(ranges)):
        if before.to_value is None or before.to_value < before.from_value:
            refuse(index, "to_value", "must be set, and not below from_value, before the last range")
            continue
        steps.add(exact_difference(after.from_value, before.to_value))
        if steps not in ({0}, {1}):
            refuse(index + 1, "from_value", "must be the to_value before it plus one, or equal in all ranges")
    return errors
