"""Which windows and prices decide on some events: those that the events lie in, and those that reach back to them."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from ingest.calendar import grid_of, is_history
from ingest.metering.events import truncate_to_millisecond
from ingest.metering.filters import list_values
from ingest.metering.periods import BillingTime, Period, active_window, billing_period, next_period
from ingest.models import Metric, Subscription
from ingest.prices import Price, PriceBook, PriceList

Spans = Mapping[tuple[int, str], Sequence[tuple[datetime, datetime]]]
CHUNK = 20_000

Parameters = dict[str, Any]


class _Window(NamedTuple):
    """A subscription's period, until when its events count, and whether they may lie in it."""

    subscription: Subscription
    period: Period
    counts_to: datetime
    is_own: bool


def ask_windows(*, spans: Spans, now: datetime) -> Parameters:
    """The windows that events in those spans need, and their prices, as parameters of the statement that judges.

    `spans` are by service and external id of subscriptions. Beside the windows that the events lie in these are,
    where anything recurs, the first and the current one of each subscription: what recurs counts in the first that
    comes after it.
    """
    periods = _Periods()
    services = {service_id for service_id, _ in spans}
    reaches_back = Metric.objects.filter(service__in=services, is_recurring=True).exists()
    windows = [
        window
        for subscription in _find_subscriptions(services, {external_id for _, external_id in spans})
        for window in _list_windows(
            subscription,
            spans.get((subscription.service_id, subscription.external_id), ()),
            periods,
            now if reaches_back else None,
        )
    ]
    return _describe_windows(windows)


def _find_subscriptions(services: Collection[int], external_ids: Collection[str]) -> Iterator[Subscription]:
    """Thousands: what they share is read once, and of each what its periods are made from."""
    rows = Subscription.objects.filter(service__in=services, external_id__in=external_ids, canceled_at=None)
    rows = rows.select_related("customer").prefetch_related("plan", "customer__service")
    return rows.only(
        *("external_id", "billing_time", "subscription_at", "started_at", "terminated_at", "metered_from"),
        *("service", "plan", "customer__service", "customer__timezone"),
    ).iterator(CHUNK)


def _describe_windows(windows: Sequence[_Window]) -> Parameters:
    """A window by its subscription, the number of its period and that of its prices: many share both."""
    book = PriceBook({window.subscription.plan_id for window in windows})
    periods: dict[tuple[datetime, datetime, datetime], int] = {}
    lists: dict[int, PriceList] = {}
    numbers: dict[int, int] = {}
    rows = []
    for window in windows:
        found = book.find(plan_id=window.subscription.plan_id, period_end=window.counts_to)
        lists[id(found)] = found
        price_list = numbers.setdefault(id(found), len(numbers))
        closes_at = window.period.end + timedelta(hours=window.subscription.customer.service.grace_hours)
        period = periods.setdefault((window.period.start, window.period.end, closes_at), len(periods))
        rows.append((window.subscription.pk, period, price_list, window.is_own))
    prices = [row for key, each in lists.items() for row in _describe(each, numbers[key])]
    return {
        "prices": json.dumps(prices),
        "subscriptions": [row[0] for row in rows],
        "window_periods": [row[1] for row in rows],
        "price_lists": [row[2] for row in rows],
        "is_own": [row[3] for row in rows],
        "periods": list(periods.values()),
        "starts": [start for start, _, _ in periods],
        "ends": [end for _, end, _ in periods],
        "closes_at": [closes_at for _, _, closes_at in periods],
    }


class _Periods:
    """Thousands of subscriptions share the few periods of a calendar: each is made once."""

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], list[Period]] = {}

    def find(self, subscription: Subscription, at: datetime) -> Period:
        """The subscription's period at an instant."""
        grid = grid_of(subscription)
        if grid["billing_time"] is not BillingTime.CALENDAR:
            return billing_period(at=at, **grid)
        known = self._known.setdefault((grid["interval"], grid["timezone"].key), [])
        found = next((period for period in known if period.start <= at < period.end), None)
        if found is None:
            found = billing_period(at=at, **grid)
            known.append(found)
        return found


def _list_windows(
    subscription: Subscription,
    spans: Iterable[tuple[datetime, datetime]],
    periods: _Periods,
    now: datetime | None,
) -> Iterator[_Window]:
    """Those of the spans, which events may lie in, and with `now` the first and the current one."""
    started_at = truncate_to_millisecond(subscription.started_at)
    ended_at = subscription.terminated_at and truncate_to_millisecond(subscription.terminated_at)
    found: dict[datetime, tuple[Period, bool]] = {}
    if now is not None:
        current = now if ended_at is None else min(now, ended_at - timedelta.resolution)
        begun_at = max(started_at, subscription.metered_from or started_at)
        for at in (begun_at, max(begun_at, current)):
            period = periods.find(subscription, at)
            found[period.start] = (period, False)
    for first, last in spans:
        if last < started_at or (ended_at is not None and first >= ended_at):
            continue
        period = periods.find(subscription, max(first, started_at))
        while period.start <= last:
            found[period.start] = (period, True)
            if last < period.end:
                break
            period = next_period(period=period, **grid_of(subscription))
    for period, is_own in found.values():
        bounds = active_window(period=period, started_at=started_at, ended_at=ended_at)
        if bounds is not None and not is_history(subscription.metered_from, period):
            yield _Window(subscription, period, bounds[1], is_own)


def _describe(prices: PriceList, number: int) -> Iterator[dict[str, Any]]:
    """Each charge once: by the price for what no filter takes, which ignores all of its filters."""
    rests = (price for price in prices.prices if price.bucket.filter is None)
    return (_describe_charge(price, number) for price in rests)


def _describe_charge(price: Price, number: int) -> dict[str, Any]:
    metric = price.charge.metric
    ignored = [list_values(values) for values in price.bucket.ignored]
    return {
        "price_list": number,
        "charge_id": price.charge.pk,
        "code": metric.code,
        "aggregation": metric.aggregation,
        "field_name": metric.field_name,
        "reaches_back": metric.is_recurring,
        "ignored": ignored or None,
        "allowed": metric.filters or None,
        "group_keys": price.group_keys or None,
    }
