"""Pay in advance on rows: each event of a period billed as on its arrival, in time order."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import groupby
from typing import Any

from django.db import connection

from ingest.buckets import canonical, name_bucket
from ingest.measuring.questions import ask_arrivals, prices_of
from ingest.measuring.statement import compose_arrivals
from ingest.metering.advance import Arrival, carried_level, walk_arrivals
from ingest.metering.aggregation.contract import MetricRule, Span
from ingest.metering.arithmetic import ZERO, exact_difference, exact_sum
from ingest.metering.events import MeteredEvent, property_text
from ingest.metering.grouping import group_of
from ingest.metering.proration import ceil_share, days_from
from ingest.metering.usage import MeteredUsage
from ingest.models import Service
from ingest.prices import Price, PriceBook
from ingest.rating.advance import rate_arrivals
from ingest.rating.charge_models.contract import Rated
from ingest.rating.charge_models.registry import CHARGE_MODELS
from ingest.rating.money import round_to_currency
from ingest.windows import Window

# A fee shows so many of its events; the others are one line together, and the link to the events has them all.
MOST_LINES = 100

# Of a bucket: its subscription, charge, name and filter.
Key = tuple[int, int, str, str]
# An event: its transaction id, when, the metric's field, the operation, its amount in cents, whether it is late.
Row = Sequence[Any]


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
    *, service: Service, windows: Sequence[Window], book: PriceBook
) -> Iterator[tuple[int, int, str, BilledEvents]]:
    """What each bucket of the prices that are billed on arrival came to, streamed from the database.

    By subscription, charge and the bucket's name.
    """
    priced = [(window, prices_of(book, window)) for window in windows]
    asked = [each for each in priced if any(price.version.is_pay_in_advance for price in each[1].prices)]
    by_subscription = {key: each for each in asked for key in each[0].subscriptions}
    buckets = _read_buckets(service, [window for window, _ in asked], book)
    for (subscription_id, charge_id, bucket, filters), rows in buckets:
        window, prices = by_subscription[subscription_id]
        yield subscription_id, charge_id, bucket, _bill(prices.find(charge_id, filters), window, rows)


def rate_one_more(
    *, service: Service, window: Window, book: PriceBook, price: Price, event: MeteredEvent
) -> Rated | None:
    """What one more event of a window would be billed on its arrival; None when it does not count.

    It comes after the events of its bucket that happened until then; nothing is stored.
    """
    group = dict(zip(price.group_keys, group_of(event.properties, price.group_keys), strict=True))
    wanted = (price.charge.pk, name_bucket(price.filter_values, group))
    rows = next((rows for key, rows in _read_buckets(service, [window], book) if key[1:3] == wanted), [])
    place = sum(row[1] <= event.timestamp for row in rows)
    field_name = price.charge.metric.field_name
    texts = (property_text(event.properties, name) for name in (field_name, "operation_type"))
    row = ("", event.timestamp, *texts, event.precise_total_amount_cents, False)
    rated = _rate_events(price, window, [*rows[:place], row, *rows[place:]])
    return next((each for sequence, each in rated if sequence == place), None)


def _read_buckets(
    service: Service, windows: Sequence[Window], book: PriceBook
) -> Iterator[tuple[Key, list[Row]]]:
    """The events of each bucket that are billed on arrival, in time order, streamed bucket by bucket."""
    parameters = ask_arrivals(service=service, windows=windows, book=book)
    if parameters is None:
        return
    with connection.cursor() as cursor:
        cursor.execute(compose_arrivals(), parameters)
        for (*key, filters), rows in groupby(cursor, key=lambda row: row[:4]):
            subscription_id, charge_id, bucket = key
            yield (subscription_id, charge_id, bucket, canonical(filters)), [row[4:] for row in rows]


def _bill(price: Price, window: Window, rows: Sequence[Row]) -> BilledEvents:
    billed = BilledEvents()
    _add_events(billed, price, window, rows)
    if any(is_late for *_, is_late in rows):
        # An event that came late may move those after it into another tier: what it makes is the difference.
        on_time = BilledEvents()
        _add_events(on_time, price, window, [row for row in rows if not row[-1]])
        billed.late = exact_difference(billed.amount, on_time.amount)
    return billed


def _add_events(billed: BilledEvents, price: Price, window: Window, rows: Sequence[Row]) -> None:
    currency = price.charge.plan.currency
    for sequence, rated in _rate_events(price, window, rows):
        name = "carried into the period" if sequence is None else rows[sequence][0]
        billed.add(rated, currency, name=name)


def _rate_events(price: Price, window: Window, rows: Sequence[Row]) -> Iterator[tuple[int | None, Rated]]:
    """What each event that counts costs, by its place; first, without one, the level that a period begins with."""
    metric = price.charge.metric
    rule = MetricRule(metric.aggregation, metric.field_name, metric.is_recurring)
    span = _span_of(window)
    events = list(_events_of(rows, metric.field_name))
    currency = price.charge.plan.currency
    model = CHARGE_MODELS[price.version.model]
    carried = carried_level(rule=rule, events=events, span=span)
    if carried > 0:
        yield None, model.rate(price.properties, MeteredUsage(carried, 1), currency=currency)
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
        yield arrival.event.sequence, rated


def _by_days(arrival: Arrival, span: Span) -> Arrival:
    """The event's units by the days that are left of the period, priced by themselves."""
    days = Decimal(days_from(arrival.event.timestamp, span))
    after = MeteredUsage(ceil_share(arrival.units * days, span), 1)
    return replace(arrival, before=MeteredUsage(ZERO, 0), after=after)


def _events_of(rows: Iterable[Row], field_name: str) -> Iterator[MeteredEvent]:
    for place, (_, timestamp, value, operation, cents, _) in enumerate(rows):
        properties = {"operation_type": operation, field_name: value}
        yield MeteredEvent(timestamp, place, properties, cents)


def _span_of(window: Window) -> Span:
    return Span(window.counts_from, window.counts_to, window.period_days, window.timezone)
