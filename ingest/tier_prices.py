"""The set-based half of rating: what usage costs by the unit, by tiers and by packages, all of it at once.

The pure charge models define what this computes; a property test shows that both agree to the last digit.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from types import MappingProxyType
from typing import Any

from ingest.metering.arithmetic import ZERO, exact_difference
from ingest.models import ChargeModel
from ingest.prices import Price
from ingest.rating.charge_models.package import PackagePrice
from ingest.rating.charge_models.ranges import Range, are_touching
from ingest.rating.money import exponent

Row = dict[str, Any]

TIERS = """
, tier AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(%(tiers)s) AS tier (
        price int, place int, model text, exponent int, above numeric, from_value numeric, to_value numeric,
        before numeric, unit_price numeric, flat numeric, size numeric
    )
)
"""

# The tiers of some `asked (question, price, quantity)`: those that the quantity reaches, of a volume price the last.
_REACHED = """
FROM asked JOIN tier USING (price)
CROSS JOIN LATERAL (
    SELECT CASE model
        WHEN 'graduated' THEN coalesce(least(quantity, to_value) - before, least(quantity, to_value))
        WHEN 'package' THEN greatest(quantity - before, 0)
        ELSE quantity END AS units
) AS reaching
CROSS JOIN LATERAL (
    SELECT CASE model WHEN 'package' THEN ceil_quotient(units, size, 0) ELSE units END AS sold
) AS selling
WHERE (above IS NULL OR quantity > above) AND (model <> 'volume' OR to_value IS NULL OR quantity <= to_value)
"""

# Usage below zero costs nothing. A unit price is cut as `quotient` of the pure room cuts it.
COMPUTED = f"""
SELECT question, price, exact_amount, round(exact_amount, exponent) AS amount, CASE WHEN divisor > 0
    THEN div(exact_amount * '1e20'::numeric, divisor) * '1e-20'::numeric ELSE 0 END AS unit_amount
FROM (
    SELECT question, price, exponent, CASE model WHEN 'package' THEN max(units) ELSE quantity END AS divisor,
        CASE WHEN quantity < 0 OR (model = 'package' AND quantity = 0) THEN 0 ELSE sum(sold * unit_price + flat)
            END AS exact_amount
    {_REACHED}
    GROUP BY question, price, exponent, model, quantity
) AS summed
"""

# What each tier gave, under the names of the pure room's lines.
PARTS = f"""
SELECT question, CASE WHEN quantity < 0 OR model = 'standard' THEN '[]' ELSE jsonb_agg(CASE
    WHEN model = 'graduated' THEN jsonb_build_object(
        'from_value', from_value::text, 'to_value', to_value::text, 'units', units::text,
        'per_unit_amount', CASE WHEN units = 0 THEN '0' ELSE unit_price::text END,
        'flat_unit_amount', flat::text, 'per_unit_total_amount', (sold * unit_price)::text,
        'total_with_flat_amount', (sold * unit_price + flat)::text
    )
    WHEN model = 'volume' THEN jsonb_build_object(
        'flat_unit_amount', flat::text, 'per_unit_total_amount', (sold * unit_price)::text,
        'per_unit_amount', CASE WHEN units = 0 THEN '0' ELSE unit_price::text END
    )
    WHEN quantity = 0 THEN jsonb_build_object(
        'free_units', '0', 'paid_units', '0', 'per_package_size', '0', 'per_package_unit_amount', '0',
        'packages', '0'
    )
    ELSE jsonb_build_object(
        'free_units', before::text, 'paid_units', units::text, 'per_package_size', size::text,
        'per_package_unit_amount', unit_price::text, 'packages', sold::text
    ) END ORDER BY place) END AS lines
{_REACHED}
GROUP BY question, model, quantity
"""


def list_tiers(price: Price) -> list[Row]:
    """The tiers of a price that is computed here; none of any other.

    Refuses a price that cannot be priced with (`invalid_properties`).
    """
    list_parts = None if price.version.is_prorated else _TIERS.get(price.version.model)
    if list_parts is None:
        return []
    shared = {"model": price.version.model, "exponent": exponent(price.charge.plan.currency)}
    return [{**shared, "place": place, **tier} for place, tier in enumerate(list_parts(price.terms))]


def _list_standard(amount: Decimal) -> Iterator[Row]:
    yield {"unit_price": amount, "flat": ZERO}


def _list_package(package: PackagePrice) -> Iterator[Row]:
    yield {"unit_price": package.amount, "flat": ZERO, "before": package.free_units, "size": package.size}


def _list_ranges(ranges: Sequence[Range]) -> Iterator[Row]:
    touching = are_touching(ranges)
    ends = [None, *(before.to_value for before, _ in pairwise(ranges))]
    for above, tier in zip(ends, ranges, strict=True):
        before = tier.from_value if touching else exact_difference(tier.from_value, Decimal(1))
        yield {
            "above": above,
            "from_value": tier.from_value,
            "to_value": tier.to_value,
            "before": before if tier.from_value else None,
            "unit_price": tier.price,
            "flat": tier.flat,
        }


_TIERS: Mapping[str, Callable[[Any], Iterator[Row]]] = MappingProxyType(
    {
        ChargeModel.STANDARD: _list_standard,
        ChargeModel.PACKAGE: _list_package,
        ChargeModel.GRADUATED: _list_ranges,
        ChargeModel.VOLUME: _list_ranges,
    }
)
