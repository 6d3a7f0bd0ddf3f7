"""What metering gives and rating takes: the usage that one charge prices."""

from dataclasses import dataclass
from decimal import Decimal

from ingest.metering.arithmetic import ZERO


@dataclass(frozen=True, slots=True)
class Transactions:
    """What a percentage charge needs to know of the single events (Lago: percentage).

    `free_units` and `free_events` are what its allowances take off; `bounded_amount` is the sum of the events'
    amounts, each within the charge's minimum and maximum, where it has any.
    """

    free_units: Decimal = ZERO
    free_events: int = 0
    bounded_amount: Decimal | None = None


@dataclass(frozen=True, slots=True)
class MeteredUsage:
    """The usage of one metric in one period, for one charge, filter and group.

    `quantity` is what is priced: aggregated, rounded as the metric says, and prorated where the charge is;
    `full_quantity` is what it was before proration or weighting, None when that is the same. `event_values`
    are what single events added, in time order, and `prorated_values` their shares by days, beside one another;
    only charges that walk through the events are given them. Quantities have no unit of their own, the
    precise amount is in cents of the currency.
    """

    quantity: Decimal
    events_count: int
    full_quantity: Decimal | None = None
    is_prorated: bool = False
    event_values: tuple[Decimal, ...] = ()
    prorated_values: tuple[Decimal, ...] = ()
    transactions: Transactions | None = None
    precise_total_amount_cents: Decimal = ZERO

    @property
    def whole_quantity(self) -> Decimal:
        """The quantity before proration: what picks a tier and what a unit price divides by."""
        return self.quantity if self.full_quantity is None else self.full_quantity
