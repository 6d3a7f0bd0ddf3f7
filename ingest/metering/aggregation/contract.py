"""What every aggregation takes and gives."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from ingest.metering.arithmetic import ZERO
from ingest.metering.events import MeteredEvent
from ingest.metering.numeric import read_number
from ingest.metering.rounding import Rounding


class AggregationError(ValueError):
    """An aggregation that there is not, or that a metric cannot have; `code` says which."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class MetricRule:
    """How a metric's events become a quantity; `aggregation` is a key of `AGGREGATIONS`."""

    aggregation: str
    field_name: str = ""
    is_recurring: bool = False
    rounding: Rounding | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """The half-open part `[start, end)` of a billing period in which events count.

    `period_days` are the days of the whole period, also where the subscription ran in a part of it; days are
    those of the customer's time zone.
    """

    start: datetime
    end: datetime
    period_days: int
    timezone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Aggregated:
    """What an aggregation gives before the metric rounds it.

    `share` is what is priced where that is not the total itself: the total by days, or weighted by time.
    `events` are those that counted.
    """

    total: Decimal
    events: Sequence[MeteredEvent]
    share: Decimal | None = None
    values: tuple[Decimal, ...] = ()
    value_shares: tuple[Decimal, ...] = ()
    counted: int | None = field(default=None)

    @property
    def events_count(self) -> int:
        """How many events counted."""
        return len(self.events) if self.counted is None else self.counted


@dataclass(frozen=True, slots=True)
class Aggregation:
    """One way to aggregate: whole, and by days where a recurring quantity can be prorated."""

    measure: Callable[[Sequence[MeteredEvent], MetricRule, Span, Decimal], Aggregated]
    prorate: Callable[[Sequence[MeteredEvent], MetricRule, Span], Aggregated] | None = None
    has_memory: bool = False


def numbers_of(events: Sequence[MeteredEvent], rule: MetricRule) -> tuple[list[MeteredEvent], list[Decimal]]:
    """The events whose field is a number, and the numbers (Lago: which events count)."""
    pairs = [(event, read_number(event.properties.get(rule.field_name))) for event in events]
    kept = [(event, number) for event, number in pairs if number is not None]
    return [event for event, _ in kept], [number for _, number in kept]


NOTHING = Aggregated(ZERO, ())
