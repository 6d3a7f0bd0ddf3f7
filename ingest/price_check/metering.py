"""Questions about quantities: aggregations, proration, rounding, filters and periods."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from ingest.metering.advance import billable_units
from ingest.metering.aggregation.contract import AggregationError, MetricRule, Span
from ingest.metering.aggregation.registry import aggregate, find_aggregation
from ingest.metering.arithmetic import ZERO, exact_sum
from ingest.metering.events import MeteredEvent, truncate_to_millisecond
from ingest.metering.filters import Bucket, ChargeFilter, buckets_of
from ingest.metering.grouping import split_by_group
from ingest.metering.numeric import read_number
from ingest.metering.periods import BillingTime, Interval, billed_days, billing_period
from ingest.metering.rounding import FUNCTIONS, Rounding
from ingest.metering.usage import MeteredUsage
from ingest.price_check.errors import PriceCheckError
from ingest.price_check.fields import Fields
from ingest.rating.charge_models.percentage import PercentagePrice, running_totals

Figures = dict[str, Any]


def read_rule(case: Fields) -> MetricRule:
    """The metric's rule under `aggregation`."""
    given = case.fields("aggregation")
    rule = MetricRule(
        aggregation=given.text("type", ""),
        field_name=given.text("field_name", "value"),
        is_recurring=given.flag("recurring"),
        rounding=read_rounding(given),
    )
    try:
        find_aggregation(rule.aggregation)
    except AggregationError as error:
        raise PriceCheckError(error.code, f"aggregation.type: {error}") from error
    return rule


def read_rounding(given: Fields) -> Rounding | None:
    """The metric's rounding, if it has one."""
    if not given.has("rounding_function"):
        return None
    function = given.text("rounding_function")
    precision = given.count("rounding_precision", 0)
    if function not in FUNCTIONS or abs(precision) > 1_000:
        raise given.error("rounding_function", f"must be one of {', '.join(FUNCTIONS)}, with few digits")
    return Rounding(function, precision)


def read_span(given: Fields) -> Span:
    """The period of the events; its last instant is inside, as the cases have it."""
    period = given.fields("period")
    zone = given.zone()
    start, last = period.instant("from", zone), period.instant("to", zone)
    if last < start:
        raise period.error("to", "must not be before from")
    end = last + timedelta.resolution
    days = period.count("charges_duration_days", billed_days(start=start, end=end, timezone=zone))
    if days < 1:
        raise period.error("charges_duration_days", "must be at least one day")
    return Span(start, end, days, zone)


def read_events(given: Fields, field_name: str = "value") -> list[MeteredEvent]:
    """The events in order of arrival, with `properties` or with a bare `value`."""
    events: list[MeteredEvent] = []
    for place, event in enumerate(given.each("events")):
        properties = dict(event.fields("properties").values)
        if event.has("value"):
            properties.setdefault(field_name, event.values["value"])
        cents = (
            event.number("precise_total_amount_cents") if event.has("precise_total_amount_cents") else None
        )
        instant = event.instant("timestamp") if event.has("timestamp") else _ANY_TIME
        events.append(MeteredEvent(instant, place, properties, cents))
    return events


def answer_aggregation(case: Fields) -> Figures:
    """Units and events, of groups too, as a percentage or dynamic charge is given them."""
    given, rule = case.fields("input"), read_rule(case)
    asked = _Asked(given, rule, read_span(given))
    usage = asked.measure(asked.events)
    figures = asked.group(
        lambda usage: {"units": usage.quantity, "events_count": usage.events_count},
    )
    return {
        "units": usage.quantity,
        "events_count": usage.events_count,
        "total_aggregated_units": usage.whole_quantity,
        "raw_value": _raw_value(asked, usage),
        "running_total": _running_total(given.fields("options"), rule, usage),
        "precise_total_amount_cents": usage.precise_total_amount_cents,
        **figures,
    }


def answer_weighted_sum(case: Fields) -> Figures:
    """The average level over the period; what was there before is `initial_value`."""
    given, rule = case.fields("input"), read_rule(case)
    initial = given.number("initial_value", 0)
    asked = _Asked(given, replace(rule, is_recurring=False), read_span(given), initial=initial)
    usage = asked.measure(asked.events)
    variation = exact_sum((usage.full_quantity or ZERO, -initial))
    return {
        "units": usage.quantity,
        "events_count": usage.events_count,
        "variation": variation,
        "total_aggregated_units": exact_sum((variation, initial)) if rule.is_recurring else variation,
        **asked.group(lambda usage: {"units": usage.quantity, "events_count": usage.events_count}),
    }


def answer_proration(case: Fields) -> Figures:
    """A recurring quantity by the days it was there, and what it is in full."""
    given, rule = case.fields("input"), replace(read_rule(case), is_recurring=True)
    asked = _Asked(given, rule, read_span(given), is_prorated=True)
    usage = asked.measure(asked.events)
    before = any(event.timestamp < asked.span.start for event in asked.events)
    shares = usage.prorated_values[1:] if before and rule.aggregation == "sum_agg" else usage.prorated_values
    return {
        "prorated_units": usage.quantity,
        "units": usage.quantity,
        "full_units": usage.whole_quantity,
        "events_count": usage.events_count,
        "per_event_prorated": list(shares),
        **asked.group(
            lambda usage: {
                "units": usage.quantity,
                "prorated_units": usage.quantity,
                "full_units": usage.whole_quantity,
                "events_count": usage.events_count,
            }
        ),
    }


def answer_rounding(case: Fields) -> Figures:
    """Units as the metric rounds them."""
    units = case.fields("input").number("units")
    rounding = read_rounding(case.fields("aggregation"))
    return {"units": rounding.apply(units) if rounding else units}


def answer_period_maximum(case: Fields) -> Figures:
    """The units of one event above what was billed in advance."""
    given = case.fields("input")
    level = given.number("previous_current_aggregation", 0)
    highest = given.number("previous_max_aggregation", 0)
    value = given.number("event_value")
    return {"billable_units": billable_units(level=level, highest=highest, value=value)}


def answer_filters(case: Fields) -> Figures:
    """Which filter takes which events, and their sum."""
    given = case.fields("input")
    filters = sorted(given.each("filters"), key=lambda item: item.count("created_order", 0))
    chosen = [ChargeFilter(item.text("id"), _values(item.fields("values"))) for item in filters]
    rule = MetricRule("sum_agg", given.text("field_name", "value"))
    events = read_events(given, rule.field_name)
    span = Span(_ANY_TIME, _ANY_TIME + timedelta(days=1), 1, given.zone())
    allowed = _values(given.fields("allowed_values"))
    buckets = {}
    for bucket in buckets_of(chosen, allowed):
        taken = [replace(event, timestamp=_ANY_TIME) for event in events if bucket.takes(event.properties)]
        usage = aggregate(rule=rule, events=taken, span=span)
        key = bucket.filter.key if bucket.filter else "default"
        buckets[key] = {"units": usage.quantity, "events_count": usage.events_count}
    return {"buckets": buckets}


def answer_period(case: Fields) -> Figures:
    """The billing period that an instant falls into."""
    given = case.fields("input")
    zone = given.zone()
    try:
        interval, billing_time = Interval(given.text("interval")), BillingTime(given.text("billing_time"))
    except ValueError as error:
        raise given.error("interval or billing_time", f"is none there is: {error}") from error
    try:
        period = billing_period(
            interval=interval,
            billing_time=billing_time,
            anchor=given.instant("subscription_at", zone),
            at=given.instant("at", zone),
            timezone=zone,
        )
    except (OverflowError, ValueError) as error:
        raise given.error("at", "is out of range") from error
    last = period.end - timedelta(seconds=1)
    return {name: f"{at:%Y-%m-%dT%H:%M:%SZ}" for name, at in (("from", period.start), ("to", last))}


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question's events, narrowed down by its filters, and how they are measured."""

    given: Fields
    rule: MetricRule
    span: Span
    is_prorated: bool = False
    initial: Decimal = ZERO

    @property
    def events(self) -> list[MeteredEvent]:
        ignored = [_values(item) for item in self.given.each("ignored_filters")]
        bucket = Bucket(None, _values(self.given.fields("matching_filters")), tuple(ignored))
        group = self.given.fields("grouped_by_values")
        wanted = {key: group.text(key) if group.has(key) else None for key in group.values}
        events = read_events(self.given, self.rule.field_name)
        keys = tuple(wanted)
        groups = split_by_group((event for event in events if bucket.takes(event.properties)), keys)
        return groups.get(tuple(wanted[key] for key in keys), [])

    def measure(self, events: Sequence[MeteredEvent]) -> MeteredUsage:
        try:
            return aggregate(
                rule=self.rule,
                events=events,
                span=self.span,
                is_prorated=self.is_prorated,
                initial_level=self.initial,
            )
        except AggregationError as error:
            raise PriceCheckError(error.code, str(error)) from error

    def group(self, show: Callable[[MeteredUsage], Figures]) -> Figures:
        """The figures of the pricing groups and of the breakdown, where they are asked for."""
        figures: Figures = {}
        keys, presented = self.given.texts("grouped_by"), self.given.texts("presentation_by")
        if keys:
            groups = self._measure_groups(keys)
            figures["groups"] = [{"grouped_by": group, **show(usage)} for group, usage in groups]
            figures["total_units"] = exact_sum(usage.quantity for _, usage in groups)
        if presented:
            groups = self._measure_groups(tuple(dict.fromkeys((*keys, *presented))))
            figures["breakdown"] = [{"groups": group, "units": usage.quantity} for group, usage in groups]
        return figures

    def _measure_groups(self, keys: Sequence[str]) -> list[tuple[dict[str, str | None], MeteredUsage]]:
        groups = [
            (dict(zip(keys, group, strict=True)), self.measure(events))
            for group, events in split_by_group(self.events, keys).items()
        ]
        counted = [(group, usage) for group, usage in groups if usage.events_count]
        return counted or [(dict.fromkeys(keys), self.measure([]))]


def _raw_value(asked: _Asked, usage: MeteredUsage) -> Decimal:
    """What the newest event says, below zero too; of other aggregations what they give."""
    if asked.rule.aggregation != "latest_agg":
        return usage.quantity
    first = truncate_to_millisecond(asked.span.start)
    numbers = [
        (event.timestamp, event.sequence, number)
        for event in asked.events
        if first <= event.timestamp < asked.span.end
        and (number := read_number(event.properties.get(asked.rule.field_name))) is not None
    ]
    return max(numbers)[-1] if numbers else ZERO


def _running_total(options: Fields, rule: MetricRule, usage: MeteredUsage) -> list[Decimal]:
    free = PercentagePrice(
        rate=ZERO,
        free_events=options.count("free_units_per_events", 0),
        free_units=options.number("free_units_per_total_aggregation", 0),
    )
    if rule.aggregation in ("count_agg", "unique_count_agg") and (free.free_events or free.free_units):
        return [Decimal(place + 1) for place in range(int(usage.quantity))]
    return list(running_totals(free, usage.event_values))


def _values(given: Fields) -> Mapping[str, tuple[str, ...]]:
    return {key: given.texts(key) for key in given.values}


_ANY_TIME = Fields({"at": "2024-01-01T00:00:00+00:00"}).instant("at")

KINDS: Mapping[str, Callable[[Fields], Figures]] = MappingProxyType(
    {
        "aggregation": answer_aggregation,
        "weighted_sum": answer_weighted_sum,
        "prorated_sum": answer_proration,
        "prorated_unique_count": answer_proration,
        "metric_rounding": answer_rounding,
        "period_maximum": answer_period_maximum,
        "filter_assignment": answer_filters,
        "billing_period": answer_period,
    }
)
