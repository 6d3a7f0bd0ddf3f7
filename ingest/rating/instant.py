"""Instant estimates: what one event alone would cost, without what came before (Lago: fee estimation)."""

from collections.abc import Mapping
from decimal import Decimal

from ingest.metering.arithmetic import ZERO, quotient
from ingest.metering.usage import MeteredUsage
from ingest.rating.charge_models import percentage
from ingest.rating.charge_models.contract import ChargePropertiesError, PropertyError, Rated
from ingest.rating.charge_models.registry import CHARGE_MODELS

ESTIMATED = ("standard", "percentage")


def estimate(*, name: str, properties: Mapping[str, object], units: Decimal, currency: str) -> Rated:
    """The exact amount of one event; below zero units nothing, and at zero a percentage's fixed amount.

    Raises ChargePropertiesError, and for another model ValueError.
    """
    if name not in ESTIMATED:
        raise ValueError(f"Only {' and '.join(ESTIMATED)} charges are estimated at once.")
    if units < 0:
        return Rated(ZERO, ZERO)
    if name == "standard":
        return CHARGE_MODELS[name].rate(properties, MeteredUsage(units, 1), currency=currency)
    errors: list[PropertyError] = []
    prices = percentage.read(properties, errors)
    if errors:
        raise ChargePropertiesError(errors)
    amount = prices.amount_of(units)
    return Rated(units, amount, quotient(amount, units) if units else ZERO)
