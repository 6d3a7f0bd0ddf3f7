"""What each aggregation means: many events of one metric become one quantity.

The database aggregates set-based; these functions define what it has to give. Another aggregation is one more
function and its line in `AGGREGATIONS`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType

from ingest.metering.arithmetic import exact_sum
from ingest.metering.events import MeteredEvent, truncate_to_millisecond
from ingest.metering.numeric import read_number
from ingest.metering.usage import MeteredUsage

Aggregate = Callable[[Sequence[MeteredEvent], str], MeteredUsage]


def count_events(events: Sequence[MeteredEvent], _field_name: str) -> MeteredUsage:
    """Every event counts once, whatever its properties hold (Lago: count_agg)."""
    return MeteredUsage(Decimal(len(events)), len(events))


def sum_field(events: Sequence[MeteredEvent], field_name: str) -> MeteredUsage:
    """The sum of a numeric property, below zero too (Lago: sum_agg).

    An event without a number there is skipped: neither summed nor counted.
    """
    values = [read_number(event.properties.get(field_name)) for event in events]
    numbers = [value for value in values if value is not None]
    return MeteredUsage(exact_sum(numbers), len(numbers))


AGGREGATIONS: Mapping[str, Aggregate] = MappingProxyType({"count_agg": count_events, "sum_agg": sum_field})


def aggregate(
    *, aggregation: str, field_name: str, events: Iterable[MeteredEvent], start: datetime, end: datetime
) -> MeteredUsage:
    """The usage of one metric in `[start, end)`, the same for any order in which the events are given.

    Only the events' own timestamps decide, compared with the start at millisecond precision (Lago: which
    events count); equal ones are taken in order of arrival. `aggregation` is a key of `AGGREGATIONS`.
    """
    first = truncate_to_millisecond(start)
    inside = [event for event in events if first <= event.timestamp < end]
    inside.sort(key=lambda event: (event.timestamp, event.sequence))
    return AGGREGATIONS[aggregation](inside, field_name)
