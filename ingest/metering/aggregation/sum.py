"""Sum of a numeric property, below zero too (Lago: sum_agg)."""

from collections.abc import Sequence
from decimal import Decimal

from ingest.metering.aggregation.contract import Aggregated, MetricRule, Span, numbers_of
from ingest.metering.arithmetic import exact_product, exact_sum, quotient
from ingest.metering.events import MeteredEvent
from ingest.metering.proration import ceil_share, days_from, days_of


def measure(events: Sequence[MeteredEvent], rule: MetricRule, _span: Span, _initial: Decimal) -> Aggregated:
    """The sum; an event without a number there is skipped, neither summed nor counted."""
    counted, numbers = numbers_of(events, rule)
    return Aggregated(exact_sum(numbers), counted, values=tuple(numbers))


def prorate(events: Sequence[MeteredEvent], rule: MetricRule, span: Span) -> Aggregated:
    """The sum, each value by the days from its event to the end (Lago: proration).

    What was there before the span counts for all of its days, and is the first of the values, if anything was.
    """
    counted, numbers = numbers_of(events, rule)
    days = [days_from(event.timestamp, span) for event in counted]
    before = [n for event, n in zip(counted, numbers, strict=True) if event.timestamp < span.start]
    steps = list(zip(numbers[len(before) :], days[len(before) :], strict=True))
    if before:
        steps.insert(0, (exact_sum(before), days_of(span)))
    weighed = exact_sum(
        exact_product(number, Decimal(day)) for number, day in zip(numbers, days, strict=True)
    )
    return Aggregated(
        exact_sum(numbers),
        counted,
        share=ceil_share(weighed, span),
        values=tuple(number for number, _ in steps),
        value_shares=tuple(
            quotient(exact_product(number, Decimal(day)), Decimal(span.period_days)) for number, day in steps
        ),
    )
