"""Ranges of units with a price each: what graduated, graduated percentage and volume prices are made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from ingest.metering.arithmetic import exact_difference, exact_sum
from ingest.rating.charge_models.contract import PropertyError
from ingest.rating.charge_models.fields import read_amount, read_bound


@dataclass(frozen=True, slots=True)
class Range:
    """The price of the units from one bound up to and including the other; an open range has no end.

    `price` is what one unit costs, or a rate in percent.
    """

    from_value: Decimal
    to_value: Decimal | None
    price: Decimal
    flat: Decimal

    def units_of(self, quantity: Decimal, *, are_touching: bool = False) -> Decimal:
        """How many of the quantity's units lie in this range (Lago: graduated).

        Bounds count whole units (0–10, 11–20), so a range begins one unit below its first, and a fraction flows
        into the next. Where all ranges touch (0–10, 10–20) they begin at their first bound.
        """
        end = quantity if self.to_value is None else min(quantity, self.to_value)
        if self.from_value == 0:
            return end
        units = exact_difference(end, self.from_value)
        return units if are_touching else exact_sum((units, Decimal(1)))

    def ends_at(self, quantity: Decimal) -> bool:
        """Whether the quantity does not reach beyond this range."""
        return self.to_value is None or self.to_value >= quantity


def read_ranges(
    properties: Mapping[str, object], field: str, errors: list[PropertyError], *, price: str, code: str
) -> tuple[Range, ...]:
    """The ranges in order, contiguous from zero, the last one open; `price` names what a unit costs."""
    items = properties.get(field)
    if not isinstance(items, list) or not items:
        errors.append(PropertyError(field, f"missing_{field}", "must list at least one range"))
        return ()
    ranges = tuple(
        _read_range(item, f"{field}[{place}].", errors, price, code) for place, item in enumerate(items)
    )
    if not errors:
        errors.extend(_check_bounds(ranges, field))
    return ranges


def are_touching(ranges: Sequence[Range]) -> bool:
    """Whether each range begins where the one before it ends."""
    return len(ranges) > 1 and all(after.from_value == before.to_value for before, after in pairwise(ranges))


def _read_range(item: object, path: str, errors: list[PropertyError], price: str, code: str) -> Range:
    fields = item if isinstance(item, Mapping) else {}
    return Range(
        from_value=read_bound(fields, "from_value", errors, path=path),
        to_value=None
        if fields.get("to_value") is None
        else read_bound(fields, "to_value", errors, path=path),
        price=read_amount(fields, price, errors, path=path, code=code),
        flat=read_amount(fields, "flat_amount", errors, path=path),
    )


def _check_bounds(ranges: Sequence[Range], field: str) -> list[PropertyError]:
    """What Lago refuses too: each range begins where the one before it ends, or one unit above.

    Lago takes a mixture of both, and then prices the unit where two ranges touch in both; so do we, because we
    agree with what is billed.
    """
    errors: list[PropertyError] = []

    def refuse(place: int, name: str, message: str) -> None:
        errors.append(PropertyError(f"{field}[{place}].{name}", f"invalid_{field}", message))

    if ranges[0].from_value != 0:
        refuse(0, "from_value", "must be 0 in the first range")
    if ranges[-1].to_value is not None:
        refuse(len(ranges) - 1, "to_value", "must be null in the last range")
    for place, (before, after) in enumerate(pairwise(ranges)):
        if before.to_value is None or before.to_value < before.from_value:
            refuse(place, "to_value", "must be set, and not below from_value, before the last range")
        elif exact_difference(after.from_value, before.to_value) not in (0, 1):
            refuse(place + 1, "from_value", "must be the to_value before it, or one more")
    return errors
