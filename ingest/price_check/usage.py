"""The usage that a question is about: its metric, its period and its events, read and measured."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from ingest.metering.aggregation.contract import AggregationError, MetricRule, Span
from ingest.metering.aggregation.registry import aggregate, find_aggregation
from ingest.metering.arithmetic import ZERO, exact_sum
from ingest.metering.events import MeteredEvent, UnreadablePropertyError, property_text
from ingest.metering.filters import Bucket
from ingest.metering.grouping import group_of, measure_groups
from ingest.metering.periods import billed_days
from ingest.metering.rounding import FUNCTIONS, Rounding
from ingest.metering.usage import MeteredUsage
from ingest.price_check.errors import PriceCheckError
from ingest.price_check.fields import Fields

Figures = dict[str, Any]

# As many digits as a metric can round to, on either side of the point.
FINEST = 1_000

# When the events of a question happened that does not say: any time will do where none is compared.
ANY_TIME = datetime(2024, 1, 1, tzinfo=UTC)


def read_rule(case: Fields, default: str = "") -> MetricRule:
    """The metric's rule under `aggregation`; `default` is its type where the question does not say one."""
    given = case.fields("aggregation")
    rule = MetricRule(
        aggregation=given.text("type", default),
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
    function = given.choice("rounding_function", FUNCTIONS)
    precision = given.count("rounding_precision", 0)
    if abs(precision) > FINEST:
        raise given.error("rounding_precision", f"must be within {FINEST} digits of the point")
    return Rounding(function, precision)


def read_span(given: Fields) -> Span:
    """The period of the events; its last instant is inside, as the cases have it."""
    period = given.fields("period")
    zone = given.zone()
    start, last = period.instant("from", zone), period.instant("to", zone)
    if last < start:
        raise period.error("to", "must not be before from")
    try:
        end = last + timedelta.resolution
        days = billed_days(start=start, end=end, timezone=zone)
    except (OverflowError, ValueError) as error:
        raise given.error("period", "must be within the years that have days everywhere") from error
    days = period.count("charges_duration_days", days)
    if days < 1:
        raise period.error("charges_duration_days", "must be at least one day")
    return Span(start, end, days, zone)


def read_events(
    given: Fields, field_name: str = "value", *, untimed: datetime | None = None
) -> list[MeteredEvent]:
    """The events in order of arrival, with `properties` or with a bare `value`.

    An event without a timestamp happened at `untimed`; it is refused where that is not given.
    """
    events: list[MeteredEvent] = []
    for place, event in enumerate(given.each("events")):
        properties = dict(event.fields("properties").values)
        if event.has("value"):
            properties.setdefault(field_name, event.values["value"])
        check_properties(event, properties)
        cents = (
            event.number("precise_total_amount_cents") if event.has("precise_total_amount_cents") else None
        )
        instant = untimed if untimed and not event.has("timestamp") else event.instant("timestamp")
        events.append(MeteredEvent(instant, place, properties, cents))
    return events


def check_properties(event: Fields, properties: Mapping[str, Any]) -> None:
    """Refuses a property that has no text: a float, which has lost digits, or what no database would take."""
    for name in properties:
        try:
            (property_text(properties, name) or "").encode()
        except (TypeError, UnreadablePropertyError, UnicodeError) as error:
            raise event.error(
                f"properties.{name}", "must be JSON with decimal numbers and plain text"
            ) from error


def read_values(given: Fields) -> Mapping[str, tuple[str, ...]]:
    """Lists of texts by property, as a filter has them."""
    return {key: given.texts(key) for key in given.values}


@dataclass(frozen=True, slots=True)
class Asked:
    """A question's events, narrowed down by its filters, and how they are measured."""

    given: Fields
    rule: MetricRule
    span: Span
    events: Sequence[MeteredEvent]
    is_prorated: bool = False
    initial: Decimal = ZERO

    def measure(self) -> MeteredUsage:
        """The usage of all events together."""
        return aggregate(
            rule=self.rule,
            events=self.events,
            span=self.span,
            is_prorated=self.is_prorated,
            initial_level=self.initial,
        )

    def group(self, show: Callable[[MeteredUsage], Figures]) -> Figures:
        """The figures of the pricing groups and of the breakdown, where they are asked for.

        Without usage there is one group, which is billed, and no line of a breakdown, which only shows.
        """
        figures: Figures = {}
        keys, presented = self.given.texts("grouped_by"), self.given.texts("presentation_by")
        if keys:
            groups = self._measure_groups(keys)
            figures["groups"] = [{"grouped_by": group, **show(usage)} for group, usage in groups]
            figures["total_units"] = exact_sum(usage.quantity for _, usage in groups)
        if presented:
            groups = self._measure_groups(tuple(dict.fromkeys((*keys, *presented))))
            figures["breakdown"] = [
                {"groups": group, "units": usage.quantity} for group, usage in groups if not _is_empty(usage)
            ]
        return figures

    def _measure_groups(self, keys: Sequence[str]) -> list[tuple[dict[str, str | None], MeteredUsage]]:
        groups = measure_groups(
            rule=self.rule,
            events=self.events,
            span=self.span,
            keys=keys,
            is_prorated=self.is_prorated,
            initial_level=self.initial,
        )
        return [(dict(zip(keys, group, strict=True)), usage) for group, usage in groups.items()]


def _is_empty(usage: MeteredUsage) -> bool:
    return not (usage.events_count or usage.quantity or usage.whole_quantity)


def narrow(given: Fields, field_name: str) -> list[MeteredEvent]:
    """The events that match the filters and the group that a question asks for."""
    ignored = [read_values(item) for item in given.each("ignored_filters")]
    bucket = Bucket(None, read_values(given.fields("matching_filters")), tuple(ignored))
    wanted = given.fields("grouped_by_values")
    group = tuple(wanted.text(key) if wanted.has(key) else None for key in wanted.values)
    return [
        event
        for event in read_events(given, field_name)
        if bucket.takes(event.properties) and group_of(event.properties, tuple(wanted.values)) == group
    ]
