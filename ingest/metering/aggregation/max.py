"""The largest value of a numeric property (Lago: max_agg)."""

from collections.abc import Sequence
from decimal import Decimal

from ingest.metering.aggregation.contract import NOTHING, Aggregated, MetricRule, Span, numbers_of
from ingest.metering.arithmetic import ZERO
from ingest.metering.events import MeteredEvent


def measure(events: Sequence[MeteredEvent], rule: MetricRule, _span: Span, _initial: Decimal) -> Aggregated:
    """The maximum, zero without a number; the first event that reaches it carries it, the others nothing."""
    counted, numbers = numbers_of(events, rule)
    if not numbers:
        return NOTHING
    first = numbers.index(max(numbers))
    values = tuple(number if place == first else ZERO for place, number in enumerate(numbers))
    return Aggregated(numbers[first], counted, values=values)
