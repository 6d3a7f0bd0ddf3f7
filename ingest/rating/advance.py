"""Pay in advance: what events cost when they arrive (Lago: advance charges)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from ingest.metering.advance import Arrival
from ingest.metering.arithmetic import ZERO, exact_difference, quotient
from ingest.metering.usage import MeteredUsage
from ingest.rating.charge_models.contract import ChargeModel, Rated
from ingest.rating.charge_models.percentage import RunningTransactions

# Models whose first range has a flat amount: nothing was paid for it before the first unit.
_WITH_FLAT = frozenset({"graduated", "graduated_percentage"})


def rate_arrivals(
    *,
    name: str,
    model: ChargeModel[Any],
    properties: Mapping[str, object],
    arrivals: Iterable[Arrival],
    currency: str,
) -> Iterator[tuple[Arrival, Rated]]:
    """What each event of a period costs, in the time order in which they are given.

    What a percentage looks at of single events is kept as running totals, so that a period costs as much more as
    it has events. Raises as `ChargeModel.prepare` does.
    """
    prices = model.prepare(properties)
    running = RunningTransactions(prices) if name == "percentage" else None
    for arrival in arrivals:
        before, after = arrival.before, arrival.after
        if running is not None:
            before = replace(before, transactions=running.known)
            running.add(arrival.change)
            after = replace(after, transactions=running.known)
        yield (
            arrival,
            rate_arrival(
                name=name, model=model, prices=prices, before=before, after=after, currency=currency
            ),
        )


def rate_arrival(
    *,
    name: str,
    model: ChargeModel[Any],
    prices: Any,
    before: MeteredUsage,
    after: MeteredUsage,
    currency: str,
) -> Rated:
    """The exact amount of the usage with the event less that without it, for the units it added; never below zero.

    Rounded for each event, so that a period's events may differ from its price by cents.
    """
    with_event = model.apply(prices, after, currency=currency).amount
    is_first = name in _WITH_FLAT and not before.quantity
    without = ZERO if is_first else model.apply(prices, before, currency=currency).amount
    # Lago: common. A dynamic event that takes an amount back is no fee.
    amount = max(exact_difference(with_event, without), ZERO)
    units = exact_difference(after.quantity, before.quantity)
    return Rated(units, amount, quotient(amount, units) if units else ZERO)
