"""Standard: every unit costs the same (Lago: standard)."""

from collections.abc import Mapping
from decimal import Decimal

from ingest.metering.arithmetic import exact_product
from ingest.metering.usage import MeteredUsage
from ingest.rating.charge_models.contract import PropertyError, Rated
from ingest.rating.charge_models.fields import read_amount


def read(properties: Mapping[str, object], errors: list[PropertyError]) -> Decimal:
    """The price of one unit."""
    return read_amount(properties, "amount", errors)


def price(unit_price: Decimal, usage: MeteredUsage, _currency: str) -> Rated:
    """Quantity times unit price."""
    return Rated(usage.quantity, exact_product(usage.quantity, unit_price))
