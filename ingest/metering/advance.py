"""Pay in advance: which units an event is billed for when it arrives (Lago: advance charges)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from ingest.metering.aggregation.contract import AggregationError, MetricRule, Span
from ingest.metering.arithmetic import ZERO, exact_difference, exact_sum
from ingest.metering.events import MeteredEvent, property_text, truncate_to_millisecond
from ingest.metering.numeric import read_number
from ingest.metering.usage import MeteredUsage

IN_ADVANCE = ("count_agg", "sum_agg", "unique_count_agg")


@dataclass(frozen=True, slots=True)
class Arrival:
    """One event as it is billed: what it changes the level by, the units it is billed for, and the usage without
    and with it."""

    event: MeteredEvent
    change: Decimal
    units: Decimal
    before: MeteredUsage
    after: MeteredUsage


def billable_units(*, level: Decimal, highest: Decimal, value: Decimal) -> Decimal:
    """The units by which an event lifts the level above the highest one billed in the period; never below zero."""
    return max(exact_difference(exact_sum((level, value)), highest), ZERO)


def walk_arrivals(*, rule: MetricRule, events: Sequence[MeteredEvent], span: Span) -> Iterator[Arrival]:
    """Each event that counts, in the time order in which they are given, with what it is billed for.

    What recurs begins at the level that earlier events left, which is billed in full with the period.
    The usage with an event is all there was with it; without it, that less the units billed. What a price needs to
    know of single events it keeps itself, by their changes. Raises AggregationError for a metric that cannot be
    billed in advance.
    """
    if rule.aggregation not in IN_ADVANCE:
        raise AggregationError("not_in_advance", f"{rule.aggregation} cannot be billed in advance.")
    inside: set[str] = set()
    first = truncate_to_millisecond(span.start)
    level = highest = _read_back(rule, events, first, inside)
    amount = ZERO
    count = 0
    for event in events:
        value = _value_of(event, rule, inside) if first <= event.timestamp < span.end else None
        if value is None:
            continue
        count += 1
        units = billable_units(level=level, highest=highest, value=value)
        level = exact_sum((level, value))
        highest = max(highest, level)
        cents = event.precise_total_amount_cents or ZERO
        after = MeteredUsage(level, count, precise_total_amount_cents=exact_sum((amount, cents)))
        before = replace(
            after,
            quantity=exact_difference(level, units),
            events_count=count - 1,
            precise_total_amount_cents=amount,
        )
        amount = after.precise_total_amount_cents
        yield Arrival(event, value, units, before, after)


def carried_level(*, rule: MetricRule, events: Sequence[MeteredEvent], span: Span) -> Decimal:
    """The level with which the span begins: what earlier events of a recurring metric left, else nothing."""
    return _read_back(rule, events, truncate_to_millisecond(span.start), set())


def _read_back(
    rule: MetricRule, events: Sequence[MeteredEvent], first: datetime, inside: set[str]
) -> Decimal:
    if not rule.is_recurring:
        return ZERO
    values = [_value_of(event, rule, inside) for event in events if event.timestamp < first]
    return exact_sum(value for value in values if value is not None)


def _value_of(event: MeteredEvent, rule: MetricRule, inside: set[str]) -> Decimal | None:
    """What the event changes the level by; None when it does not count."""
    if rule.aggregation == "count_agg":
        return Decimal(1)
    if rule.aggregation == "sum_agg":
        return read_number(event.properties.get(rule.field_name))
    text = property_text(event.properties, rule.field_name)
    if text is None:
        return None
    was_in = text in inside
    if property_text(event.properties, "operation_type") == "remove":
        inside.discard(text)
        return Decimal(-was_in)
    inside.add(text)
    return Decimal(not was_in)
