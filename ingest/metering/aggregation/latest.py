"""The newest value of a numeric property (Lago: latest_agg)."""

from collections.abc import Sequence
from decimal import Decimal

from ingest.metering.aggregation.contract import NOTHING, Aggregated, MetricRule, Span, numbers_of
from ingest.metering.arithmetic import ZERO
from ingest.metering.events import MeteredEvent


def measure(events: Sequence[MeteredEvent], rule: MetricRule, _span: Span, _initial: Decimal) -> Aggregated:
    """The last number in time and arrival; below zero it is nothing, though its event counts."""
    counted, numbers = numbers_of(events, rule)
    return Aggregated(max(numbers[-1], ZERO), counted) if numbers else NOTHING
