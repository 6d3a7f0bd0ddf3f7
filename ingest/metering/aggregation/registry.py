"""The aggregations that there are, under Lago's names, and the one way to apply them."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType

from ingest.metering.aggregation import count, latest, max, sum, unique_count, weighted_sum
from ingest.metering.aggregation.contract import Aggregated, Aggregation, AggregationError, MetricRule, Span
from ingest.metering.arithmetic import ZERO, exact_sum
from ingest.metering.events import MeteredEvent, truncate_to_millisecond
from ingest.metering.usage import MeteredUsage

AGGREGATIONS: Mapping[str, Aggregation] = MappingProxyType(
    {
        "count_agg": Aggregation(count.measure),
        "sum_agg": Aggregation(sum.measure, sum.prorate, has_memory=True),
        "max_agg": Aggregation(max.measure),
        "unique_count_agg": Aggregation(unique_count.measure, unique_count.prorate, has_memory=True),
        "weighted_sum_agg": Aggregation(weighted_sum.measure, has_memory=True),
        "latest_agg": Aggregation(latest.measure),
    }
)


def find_aggregation(name: str) -> Aggregation:
    """The aggregation of that name; refuses one that there is not, and code that an organisation supplies."""
    if name == "custom_agg":
        raise AggregationError(
            "custom_aggregation_not_supported",
            "Custom code aggregation is not supported: use one of the built-in aggregations.",
        )
    if name not in AGGREGATIONS:
        known = ", ".join(AGGREGATIONS)
        raise AggregationError("unknown_aggregation", f"{name!r} is no aggregation, such as {known}.")
    return AGGREGATIONS[name]


def aggregate(
    *,
    rule: MetricRule,
    events: Iterable[MeteredEvent],
    span: Span,
    is_prorated: bool = False,
    initial_level: Decimal = ZERO,
) -> MeteredUsage:
    """The usage of one metric in the span, the same for any order in which the events are given.

    Only the events' own timestamps decide, the start compared at millisecond precision; what is recurring looks
    back without bound; equal timestamps are taken in order of arrival (Lago: which events count). The metric
    rounds what is priced and what it was before proration. `initial_level` is what a weighted sum starts from when
    the events before the span are not among those given: `level_before` tells it. Raises AggregationError.
    """
    aggregation = find_aggregation(rule.aggregation)
    span = replace(span, start=truncate_to_millisecond(span.start))
    if is_prorated and (aggregation.prorate is None or not rule.is_recurring):
        raise AggregationError("not_prorated", f"{rule.aggregation} is prorated only where it recurs.")
    inside = _select(events, span, reaches_back=rule.is_recurring and aggregation.has_memory)
    if is_prorated and aggregation.prorate is not None:
        found = aggregation.prorate(inside, rule, span)
    else:
        found = aggregation.measure(inside, rule, span, initial_level)
    return _round(found, rule, is_prorated=is_prorated)


def _select(events: Iterable[MeteredEvent], span: Span, *, reaches_back: bool) -> list[MeteredEvent]:
    inside = [
        event
        for event in events
        if event.timestamp < span.end and (reaches_back or event.timestamp >= span.start)
    ]
    return sorted(inside, key=lambda event: (event.timestamp, event.sequence))


def _round(found: Aggregated, rule: MetricRule, *, is_prorated: bool) -> MeteredUsage:
    def rounded(quantity: Decimal) -> Decimal:
        return quantity if rule.rounding is None else rule.rounding.apply(quantity)

    amounts = [event.precise_total_amount_cents for event in found.events]
    return MeteredUsage(
        quantity=rounded(found.total if found.share is None else found.share),
        events_count=found.events_count,
        full_quantity=None if found.share is None else rounded(found.total),
        is_prorated=is_prorated,
        event_values=found.values,
        prorated_values=found.value_shares,
        precise_total_amount_cents=exact_sum(amount for amount in amounts if amount is not None),
    )
