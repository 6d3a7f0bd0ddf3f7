"""Count: every event counts once, whatever its properties hold (Lago: count_agg)."""

from collections.abc import Sequence
from decimal import Decimal

from ingest.metering.aggregation.contract import Aggregated, MetricRule, Span
from ingest.metering.events import MeteredEvent


def measure(events: Sequence[MeteredEvent], _rule: MetricRule, _span: Span, _initial: Decimal) -> Aggregated:
    """The number of events; each adds one."""
    return Aggregated(Decimal(len(events)), events, values=(Decimal(1),) * len(events))
