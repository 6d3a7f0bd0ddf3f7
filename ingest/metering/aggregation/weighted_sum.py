"""The time-weighted average of a level that events raise and lower (Lago: weighted_sum_agg)."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from ingest.metering.aggregation.contract import Aggregated, MetricRule, Span, numbers_of
from ingest.metering.arithmetic import ceil_quotient, exact_product, exact_sum
from ingest.metering.events import MeteredEvent, truncate_to_millisecond

_SECONDS_A_DAY = 86_400
_PLACES = 20


def measure(events: Sequence[MeteredEvent], rule: MetricRule, span: Span, initial: Decimal) -> Aggregated:
    """The average level over the whole period, cut up at twenty digits after the point.

    The level starts from `initial`, or from what the events before the span leave of it. Each value weighs from
    its event to the span's end, lifted to the whole second; the whole period's days divide, 86,400 seconds each.
    """
    counted, numbers = numbers_of(events, rule)
    end = _lift(span.end)
    weights = [(initial, _seconds(span.start, end))]
    weights += [
        (number, _seconds(max(event.timestamp, span.start), end))
        for event, number in zip(counted, numbers, strict=True)
    ]
    level_seconds = exact_sum(exact_product(number, seconds) for number, seconds in weights)
    whole = Decimal(span.period_days * _SECONDS_A_DAY)
    return Aggregated(
        exact_sum([initial, *numbers]),
        counted,
        share=ceil_quotient(level_seconds, whole, _PLACES),
        counted=sum(event.timestamp >= span.start for event in counted),
    )


def level_before(*, rule: MetricRule, events: Iterable[MeteredEvent], span: Span) -> Decimal:
    """The level that the events before the span leave, from nothing; zero for a metric that does not recur.

    Measuring the span with this level and its own events gives what measuring it with all events gives: pass
    the one or the other, not both.
    """
    first = truncate_to_millisecond(span.start)
    earlier = [event for event in events if event.timestamp < first] if rule.is_recurring else []
    return exact_sum(numbers_of(earlier, rule)[1])


def _seconds(start: datetime, end: datetime) -> Decimal:
    microseconds = (end - start) // timedelta.resolution
    return Decimal(microseconds).scaleb(-6)


def _lift(instant: datetime) -> datetime:
    return instant if not instant.microsecond else instant.replace(microsecond=0) + timedelta(seconds=1)
