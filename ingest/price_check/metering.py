"""Questions about quantities: aggregations, proration, rounding, filters and periods."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from types import MappingProxyType

from ingest.metering.advance import billable_units
from ingest.metering.aggregation.contract import MetricRule, Span, numbers_of
from ingest.metering.aggregation.registry import aggregate
from ingest.metering.aggregation.weighted_sum import level_before
from ingest.metering.arithmetic import ZERO, exact_difference
from ingest.metering.events import MeteredEvent, property_text, truncate_to_millisecond
from ingest.metering.filters import ALL_VALUES, ChargeFilter, Values, buckets_of
from ingest.metering.numeric import read_number
from ingest.metering.periods import BillingTime, Interval, billing_period
from ingest.metering.usage import MeteredUsage
from ingest.price_check.fields import Fields
from ingest.price_check.usage import (
    ANY_TIME,
    Asked,
    Figures,
    narrow,
    read_events,
    read_rounding,
    read_rule,
    read_span,
    read_values,
)
from ingest.rating.charge_models.percentage import PercentagePrice, running_totals

REST = "default"


def answer_aggregation(case: Fields) -> Figures:
    """Units and events, of groups too, as a percentage or dynamic charge is given them.

    `raw_value` is what the metric's rounding and the floor of a newest value have not touched; `running_total` is
    empty without free units or events.
    """
    given, rule = case.fields("input"), read_rule(case)
    asked = Asked(given, rule, read_span(given), narrow(given, rule.field_name))
    usage = asked.measure()
    return {
        **_count(usage),
        "total_units": usage.quantity,
        "total_aggregated_units": usage.whole_quantity,
        "raw_value": _raw_value(asked),
        "running_total": _running_total(given.fields("options"), rule, usage),
        "precise_total_amount_cents": usage.precise_total_amount_cents,
        **asked.group(_count),
    }


def answer_weighted_sum(case: Fields) -> Figures:
    """The average level over the period, from `initial_value`, or from what earlier events left of what recurs."""
    given, rule = case.fields("input"), _read_rule_of(case, "weighted_sum_agg")
    span, events = read_span(given), narrow(given, rule.field_name)
    is_given = given.has("initial_value")
    before = given.number("initial_value") if is_given else level_before(rule=rule, events=events, span=span)
    measured = replace(rule, is_recurring=rule.is_recurring and not is_given)
    asked = Asked(given, measured, span, events, initial=before if is_given else ZERO)
    usage, unrounded = asked.measure(), replace(asked, rule=replace(measured, rounding=None)).measure()
    variation = exact_difference(unrounded.whole_quantity, before)
    return {
        **_count(usage),
        "variation": variation,
        "total_aggregated_units": usage.whole_quantity if rule.is_recurring else variation,
        "raw_value": unrounded.quantity,
        **asked.group(_count),
    }


def answer_proration(case: Fields) -> Figures:
    """A recurring quantity by the days it was there, and what it is in full.

    `per_event_prorated` are the shares of the period's events, and of the values carried in for a unique count.
    """
    given = case.fields("input")
    name = "sum_agg" if case.text("kind") == "prorated_sum" else "unique_count_agg"
    rule = replace(_read_rule_of(case, name), is_recurring=True)
    asked = Asked(given, rule, read_span(given), narrow(given, rule.field_name), is_prorated=True)
    usage = asked.measure()
    return {
        **_show_shares(usage),
        "total_aggregated_units": usage.whole_quantity,
        "precise_total_amount_cents": usage.precise_total_amount_cents,
        "per_event_prorated": _shares_of_events(asked, usage),
        **asked.group(_show_shares),
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
    """Which filter takes which events, and their sum; `allowed_values` are the metric's, for the sentinel."""
    given = case.fields("input")
    chosen = _read_filters(given)
    rule = MetricRule("sum_agg", given.text("field_name", "value"))
    events = [
        replace(event, timestamp=ANY_TIME) for event in read_events(given, rule.field_name, untimed=ANY_TIME)
    ]
    span = Span(ANY_TIME, ANY_TIME + timedelta(days=1), 1, given.zone())
    buckets = {}
    for bucket in buckets_of(chosen, _allowed(given, chosen, events)):
        taken = [event for event in events if bucket.takes(event.properties)]
        buckets[bucket.filter.key if bucket.filter else REST] = _count(
            aggregate(rule=rule, events=taken, span=span)
        )
    return {"buckets": buckets}


def answer_period(case: Fields) -> Figures:
    """The billing period that an instant falls into."""
    given = case.fields("input")
    zone = given.zone()
    interval = Interval(given.choice("interval", [each.value for each in Interval]))
    billing_time = BillingTime(given.choice("billing_time", [each.value for each in BillingTime]))
    anchor, at = given.instant("subscription_at", zone), given.instant("at", zone)
    try:
        period = billing_period(
            interval=interval, billing_time=billing_time, anchor=anchor, at=at, timezone=zone
        )
    except (OverflowError, ValueError) as error:
        raise given.error("at", "is out of range") from error
    return {"from": _write_second(period.start), "to": _write_second(period.end - timedelta.resolution)}


def _write_second(instant: datetime) -> str:
    """As Lago prints it: whole seconds in UTC."""
    return f"{instant.replace(microsecond=0, tzinfo=None).isoformat()}Z"


def _read_rule_of(case: Fields, name: str) -> MetricRule:
    rule = read_rule(case, name)
    if rule.aggregation != name:
        raise case.fields("aggregation").error("type", f"must be {name} for this kind")
    return rule


def _count(usage: MeteredUsage) -> Figures:
    return {"units": usage.quantity, "events_count": usage.events_count}


def _show_shares(usage: MeteredUsage) -> Figures:
    return {**_count(usage), "prorated_units": usage.quantity, "full_units": usage.whole_quantity}


def _shares_of_events(asked: Asked, usage: MeteredUsage) -> Sequence[Decimal]:
    """Without the one share that a sum has of all history."""
    is_sum = asked.rule.aggregation == "sum_agg"
    counted, _ = numbers_of(asked.events, asked.rule)
    first = truncate_to_millisecond(asked.span.start)
    has_history = is_sum and any(event.timestamp < first for event in counted)
    return usage.prorated_values[has_history:]


def _raw_value(asked: Asked) -> Decimal:
    """What the newest event says, below zero too; of other aggregations what they give before it is rounded."""
    if asked.rule.aggregation != "latest_agg":
        return replace(asked, rule=replace(asked.rule, rounding=None)).measure().quantity
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
    if free.free_events < 0 or free.free_units < 0:
        raise options.error(
            "free_units_per_events and free_units_per_total_aggregation", "must not be negative"
        )
    if rule.aggregation in ("count_agg", "unique_count_agg") and (free.free_events or free.free_units):
        # Lago: running totals of a count go on to the end, whatever is free.
        return [Decimal(place + 1) for place in range(len(usage.event_values))]
    return list(running_totals(free, usage.event_values))


def _read_filters(given: Fields) -> list[ChargeFilter]:
    found = sorted(given.each("filters"), key=lambda item: item.count("created_order", 0))
    chosen = [ChargeFilter(item.text("id"), read_values(item.fields("values"))) for item in found]
    keys = [item.key for item in chosen]
    if len({*keys, REST}) <= len(keys):
        raise given.error("filters", f"must have ids of their own, none of them {REST!r}")
    return chosen


def _allowed(given: Fields, chosen: Sequence[ChargeFilter], events: Sequence[MeteredEvent]) -> Values:
    """The values that the metric allows; where the question does not list a property's, all that it names."""
    allowed = dict(read_values(given.fields("allowed_values")))
    for key in {key for item in chosen for key in item.values} - allowed.keys():
        listed = [value for item in chosen for value in item.values.get(key, ()) if value != ALL_VALUES]
        sent = [property_text(event.properties, key) for event in events]
        allowed[key] = tuple(dict.fromkeys([*listed, *(text for text in sent if text is not None)]))
    return allowed


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
