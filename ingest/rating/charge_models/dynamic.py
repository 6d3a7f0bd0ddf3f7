"""Dynamic: the sender prices each event; we add them up (Lago: dynamic)."""

from collections.abc import Mapping

from ingest.metering.arithmetic import ZERO
from ingest.metering.usage import MeteredUsage
from ingest.rating.charge_models.contract import PropertyError, Rated
from ingest.rating.money import exponent


def read(_properties: Mapping[str, object], _errors: list[PropertyError]) -> None:
    """There is nothing to read."""


def price(_prices: None, usage: MeteredUsage, currency: str) -> Rated:
    """The events' precise amounts in cents, in the currency's main unit; nothing where no unit was used."""
    if not usage.whole_quantity:
        return Rated(usage.quantity, ZERO)
    return Rated(usage.quantity, usage.precise_total_amount_cents.scaleb(-exponent(currency)))
