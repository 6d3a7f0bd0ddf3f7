"""How many distinct values are in, with adds and removes (Lago: unique_count_agg)."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from ingest.metering.aggregation.contract import Aggregated, MetricRule, Span
from ingest.metering.arithmetic import quotient
from ingest.metering.events import MeteredEvent, property_text
from ingest.metering.proration import ceil_share, last_day, local_day


@dataclass(frozen=True, slots=True)
class Stay:
    """From when to when a value was in; `place` and `gone_place` order adds and removes of all values."""

    place: int
    came_at: datetime
    gone_place: int | None = None
    gone_at: datetime | None = None


def measure(events: Sequence[MeteredEvent], rule: MetricRule, _span: Span, _initial: Decimal) -> Aggregated:
    """The values that are in at the end; each is worth one."""
    counted = _with_value(events, rule)
    inside = sum(stay.gone_at is None for stays in _stays(counted, rule) for stay in stays)
    return Aggregated(Decimal(inside), counted, values=(Decimal(1),) * inside)


def prorate(events: Sequence[MeteredEvent], rule: MetricRule, span: Span) -> Aggregated:
    """Each value by the local days on which it was in at some instant; the day of a remove counts.

    Steps are one up with its share for each add, and one down with none for each remove, in time order.
    """
    counted = _with_value(events, rule)
    days = 0
    inside = 0
    steps: list[tuple[int, Decimal, int]] = []
    for stays in _stays(counted, rule):
        for stay, stay_days in _days(stays, span):
            days += stay_days
            inside += stay.gone_at is None
            steps.append((stay.place, Decimal(1), stay_days))
            if stay.gone_place is not None:
                steps.append((stay.gone_place, Decimal(-1), 0))
    steps.sort()
    return Aggregated(
        Decimal(inside),
        counted,
        share=ceil_share(Decimal(days), span),
        values=tuple(change for _, change, _ in steps),
        value_shares=tuple(quotient(Decimal(day), Decimal(span.period_days)) for _, _, day in steps),
    )


def _with_value(events: Sequence[MeteredEvent], rule: MetricRule) -> list[MeteredEvent]:
    return [event for event in events if property_text(event.properties, rule.field_name) is not None]


def _stays(events: Sequence[MeteredEvent], rule: MetricRule) -> Iterator[list[Stay]]:
    """By value; an add of what is in and a remove of what is not change nothing."""
    found: dict[str | None, list[Stay]] = defaultdict(list)
    for place, event in enumerate(events):
        stays = found[property_text(event.properties, rule.field_name)]
        is_in = bool(stays) and stays[-1].gone_at is None
        is_add = property_text(event.properties, "operation_type") != "remove"
        if is_add and not is_in:
            stays.append(Stay(place, event.timestamp))
        elif is_in and not is_add:
            stays[-1] = Stay(stays[-1].place, stays[-1].came_at, place, event.timestamp)
    yield from found.values()


def _days(stays: Sequence[Stay], span: Span) -> Iterator[tuple[Stay, int]]:
    """The stays that reach into the span, each with the days that none before it had."""
    until = None
    for stay in stays:
        if stay.gone_at is not None and stay.gone_at < span.start:
            continue
        start = local_day(max(stay.came_at, span.start), span)
        end = last_day(span) if stay.gone_at is None else min(local_day(stay.gone_at, span), last_day(span))
        taken = 0 if until is None else max(0, (until - start).days + 1)
        yield stay, max(0, (end - start).days + 1 - taken)
        until = end if until is None else max(until, end)
