"""Pay in advance on rows: each event of a period billed as on its arrival, in time order."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import groupby
from typing import Any

from django.db import connection

from ingest.buckets import canonical
from ingest.calendar import Window
from ingest.measuring.questions import ask_arrivals
from ingest.measuring.statement import compose_arrivals
from ingest.metering.advance import Arrival, carried_level, walk_arrivals
from ingest.metering.aggregation.contract import MetricRule, Span
from ingest.metering.arithmetic import ZERO, exact_difference, exact_sum
from ingest.metering.events import MeteredEvent
from ingest.metering.proration import ceil_share, days_from
from ingest.metering.usage import MeteredUsage
from ingest.models import Service
from ingest.prices import Price, PriceBook
from ingest.rating.advance import rate_arrivals
from ingest.rating.charge_models.contract import Rated
from ingest.rating.charge_models.registry import CHARGE_MODELS
from ingest.rating.money import round_to_currency

# A fee shows so many of its events; the others are one line together, and the link to the events has them all.
MOST_LINES = 100

Key = tuple[int, int, str, str]


@dataclass
class BilledEvents:
    """What the events of one bucket came to, each rounded by itself; `late` is what came late makes of it."""

    exact: Decimal = ZERO
    amount: Decimal = ZERO
    late: Decimal = ZERO
    lines: list[dict[str, Any]] = field(default_factory=list)
    others: list[Decimal] = field(default_factory=list)

    def add(self, rated: Rated, currency: str, *, name: str) -> None:
        """One more event, or what the period began with."""
        amount = round_to_currency(rated.amount, currency)
        self.exact = exact_sum((self.exact, rated.amount))
        self.amount = exact_sum((self.amount, amount))
        if len(self.lines) < MOST_LINES:
            line = {"transaction": name, "units": rated.quantity, "exact": rated.amount, "amount": amount}
            self.lines.append(line)
        else:
            self.others.append(amount)

    @property
    def details(self) -> list[dict[str, Any]]:
        """A line for each event, the last one for those that are not shown."""
        if not self.others:
            return self.lines
        rest = {"transaction": f"{len(self.others)} more events", "amount": exact_sum(self.others)}
        return [*self.lines, rest]


def bill_arrivals(
    *, service: Service, windows: Sequence[Window], book: PriceBook, prices: dict[tuple[int, int, str], Price]
) -> dict[Key, BilledEvents]:
    """What each bucket of the prices that are billed on arrival came to, streamed from the database.

    By subscription, charge, filter and group as they are stored; `prices` are by subscription, charge and filter.
    """
    parameters = ask_arrivals(service=service, windows=windows, book=book)
    if parameters is None:
        return {}
    by_subscription = {window.subscription.pk: window for window in windows}
    billed: dict[Key, BilledEvents] = defaultdict(BilledEvents)
    with connection.cursor() as cursor:
        cursor.execute(compose_arrivals(), parameters)
        for key, rows in groupby(cursor, key=lambda row: row[:4]):
            subscription_id, charge_id, filters, group = key
            found: Key = (subscription_id, charge_id, canonical(filters), canonical(group))
            price = prices[found[:3]]
            _bill(billed[found], price, by_subscription[subscription_id], [row[4:] for row in rows])
    return billed


def _bill(billed: BilledEvents, price: Price, window: Window, rows: Sequence[Sequence[Any]]) -> None:
    _add_events(billed, price, window, rows)
    if any(is_late for *_, is_late in rows):
        # An event that came late may move those after it into another tier: what it makes is the difference.
        on_time = BilledEvents()
        _add_events(on_time, price, window, [row for row in rows if not row[-1]])
        billed.late = exact_difference(billed.amount, on_time.amount)


def _add_events(billed: BilledEvents, price: Price, window: Window, rows: Sequence[Sequence[Any]]) -> None:
    metric = price.charge.metric
    rule = MetricRule(metric.aggregation, metric.field_name, metric.is_recurring)
    span = _span_of(window)
    events = list(_events_of(rows, metric.field_name))
    currency = price.charge.plan.currency
    model = CHARGE_MODELS[price.version.model]
    carried = carried_level(rule=rule, events=events, span=span)
    if carried > 0:
        began = model.rate(price.properties, MeteredUsage(carried, 1), currency=currency)
        billed.add(began, currency, name="carried into the period")
    arrivals = walk_arrivals(rule=rule, events=events, span=span)
    if price.version.is_prorated:
        arrivals = (_by_days(arrival, span) for arrival in arrivals)
    for arrival, rated in rate_arrivals(
        name=price.version.model,
        model=model,
        properties=price.properties,
        arrivals=arrivals,
        currency=currency,
    ):
        name, *_ = rows[arrival.event.sequence]
        billed.add(rated, currency, name=name)


def _by_days(arrival: Arrival, span: Span) -> Arrival:
    """The event's units by the days that are left of the period, priced by themselves."""
    days = Decimal(days_from(arrival.event.timestamp, span))
    after = MeteredUsage(ceil_share(arrival.units * days, span), 1)
    return replace(arrival, before=MeteredUsage(ZERO, 0), after=after)


def _events_of(rows: Iterable[Sequence[Any]], field_name: str) -> Iterator[MeteredEvent]:
    for place, (_, timestamp, value, operation, cents, _) in enumerate(rows):
        properties = {"operation_type": operation, field_name: value}
        yield MeteredEvent(timestamp, place, properties, cents)


def _span_of(window: Window) -> Span:
    return Span(window.counts_from, window.counts_to, window.period_days, window.timezone)
