"""Pay in advance: what one event costs when it arrives (Lago: advance charges)."""

from collections.abc import Mapping

from ingest.metering.arithmetic import ZERO, exact_difference, quotient
from ingest.metering.usage import MeteredUsage
from ingest.rating.charge_models.contract import ChargeModel, Rated

# Models whose first range has a flat amount: nothing was paid for it before the first unit.
_WITH_FLAT = frozenset({"graduated", "graduated_percentage"})


def rate_arrival(
    *,
    name: str,
    model: ChargeModel,
    properties: Mapping[str, object],
    before: MeteredUsage,
    after: MeteredUsage,
    currency: str,
) -> Rated:
    """The exact amount of the usage with the event less that without it, for the units it added; never below zero.

    Rounded for each event, so that a period's events may differ from its price by cents. Raises as
    `ChargeModel.rate` does.
    """
    with_event = model.rate(properties, after, currency=currency).amount
    is_first = name in _WITH_FLAT and not before.quantity
    without = ZERO if is_first else model.rate(properties, before, currency=currency).amount
    # Lago: common. A dynamic event that takes an amount back is no fee.
    amount = max(exact_difference(with_event, without), ZERO)
    units = exact_difference(after.quantity, before.quantity)
    return Rated(units, amount, quotient(amount, units) if units else ZERO)
