"""From windows and prices to the parameters of the statements."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from ingest.metering.filters import list_values
from ingest.models import Aggregation, ChargeModel, Service
from ingest.prices import Price, PriceBook, PriceList
from ingest.windows import Window

# How an aggregation is measured, whole and by days. A percentage of a total looks at every event, and what is
# billed on arrival is asked for event by event.
WHOLE: Mapping[str, str] = MappingProxyType(
    {
        Aggregation.COUNT: "total",
        Aggregation.SUM: "total",
        Aggregation.MAX: "total",
        Aggregation.UNIQUE_COUNT: "unique",
        Aggregation.WEIGHTED_SUM: "weighted",
        Aggregation.LATEST: "latest",
    }
)
BY_DAYS: Mapping[str, str] = MappingProxyType(
    {Aggregation.SUM: "prorated_sum", Aggregation.UNIQUE_COUNT: "prorated_unique"}
)
ARRIVAL = "arrival"

Parameters = dict[str, Any]


def ask_usage(
    *, service: Service, windows: Sequence[Window], book: PriceBook, on_time: bool = False
) -> tuple[set[str], Parameters]:
    """The ways to measure that are needed, and the parameters; `on_time` leaves late events out."""
    parameters, prices = _ask(service, windows, book, on_time=on_time)
    described = [_describe(price, number) for number, price in prices]
    return {price["measure"] for price in described}, {**parameters, **_bound(described, windows)}


def ask_arrivals(*, service: Service, windows: Sequence[Window], book: PriceBook) -> Parameters | None:
    """The parameters of the prices that are billed on arrival; None where there are none."""
    parameters, prices = _ask(service, windows, book, on_time=False)
    described = [
        {**_describe(price, number), "measure": ARRIVAL}
        for number, price in prices
        if price.version.is_pay_in_advance
    ]
    return {**parameters, **_bound(described, windows)} if described else None


def prices_of(book: PriceBook, window: Window) -> PriceList:
    """The prices that a window is metered and rated with.

    A subscription that ended inside a period is billed at its end (Lago: termination): what a price becomes
    after that is not for it.
    """
    return book.find(plan_id=window.plan_id, period_end=window.counts_to)


def _ask(
    service: Service, windows: Sequence[Window], book: PriceBook, *, on_time: bool
) -> tuple[Parameters, list[tuple[int, Price]]]:
    lists = [prices_of(book, window) for window in windows]
    numbers: dict[int, int] = {}
    for each in lists:
        numbers.setdefault(id(each), len(numbers))
    distinct = {id(each): each for each in lists}
    parameters = {
        "service": service.pk,
        "on_time": on_time,
        **place_subscriptions(windows, [numbers[id(each)] for each in lists]),
        **_columns(service, windows),
    }
    return parameters, [(numbers[key], price) for key, each in distinct.items() for price in each.prices]


def _bound(described: Sequence[dict[str, Any]], windows: Sequence[Window]) -> Parameters:
    """The prices, and the span that all of their events lie in together."""
    reaches_back = any(price["reaches_back"] for price in described)
    first = min((window.counts_from for window in windows), default=None)
    return {
        "prices": json.dumps(described),
        "earliest": "-infinity" if reaches_back or first is None else first,
        "latest": max((window.counts_to for window in windows), default="-infinity"),
    }


def place_subscriptions(windows: Sequence[Window], price_lists: Sequence[int]) -> Parameters:
    """The subscriptions of all windows, each with its window's place among them and its price list's number."""
    return {
        "subscriptions": [key for window in windows for key in window.subscriptions],
        "places": [place for place, window in enumerate(windows, 1) for _ in window.subscriptions],
        "price_lists": [
            number for number, window in zip(price_lists, windows, strict=True) for _ in window.subscriptions
        ],
    }


def _columns(service: Service, windows: Sequence[Window]) -> Parameters:
    grace = timedelta(hours=service.grace_hours)
    return {
        "counts_from": [window.counts_from for window in windows],
        "counts_to": [window.counts_to for window in windows],
        "days_to": [window.days_to for window in windows],
        "closes_at": [window.period.end + grace for window in windows],
        "starts": [window.period.start for window in windows],
        "ends": [window.period.end for window in windows],
        "period_days": [window.period_days for window in windows],
        "timezones": [window.timezone.key for window in windows],
    }


def _describe(price: Price, number: int) -> dict[str, Any]:
    metric, version = price.charge.metric, price.version
    measure = (BY_DAYS if version.is_prorated else WHOLE)[metric.aggregation]
    looks_at_events = version.model == ChargeModel.PERCENTAGE and measure == "total"
    has_filter = bool(price.bucket.matching or price.bucket.ignored)
    return {
        "price_list": number,
        "charge_id": price.charge.pk,
        "code": metric.code,
        "aggregation": metric.aggregation,
        "field_name": metric.field_name,
        "reaches_back": metric.is_recurring,
        "rounding": metric.rounding_function,
        "rounding_precision": metric.rounding_precision,
        "measure": "transactions" if looks_at_events else measure,
        "walks": version.model == (ChargeModel.GRADUATED if version.is_prorated else ChargeModel.PERCENTAGE),
        "is_dynamic": version.model == ChargeModel.DYNAMIC,
        "percentage": _percentage_terms(price.properties) if looks_at_events else None,
        "filter_values": price.filter_values,
        "matching": list_values(price.bucket.matching) if has_filter else None,
        "ignored": [list_values(values) for values in price.bucket.ignored] if has_filter else None,
        "group_keys": price.group_keys or None,
    }


def _percentage_terms(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "free_events": properties.get("free_units_per_events") or 0,
        "free_units": properties.get("free_units_per_total_aggregation") or "0",
        "rate": properties.get("rate") or "0",
        "fixed": properties.get("fixed_amount") or "0",
        "minimum": properties.get("per_transaction_min_amount") or None,
        "maximum": properties.get("per_transaction_max_amount") or None,
    }
