"""From windows and their prices to what the rating statement is given: prices, base amounts and minimums."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec

from ingest.answers import Answers
from ingest.buckets import name_bucket
from ingest.measuring.questions import place_subscriptions, prices_of
from ingest.models import FeeKind
from ingest.prices import Price, PriceBook, PriceList
from ingest.rating.minimum import share_minimum
from ingest.rating.money import round_to_currency
from ingest.rating.plan_fee import rate_plan_fee, trial_days_of
from ingest.tier_prices import list_tiers
from ingest.windows import Window

Row = dict[str, Any]


def describe_windows(*, windows: Sequence[Window], book: PriceBook, answers: Answers) -> dict[str, Any]:
    """The windows and what their plans cost, as parameters of the rating statement; `answers` learns the prices."""
    placed = [(place, window, prices_of(book, window)) for place, window in enumerate(windows, 1)]
    lists = {id(prices): prices for _, _, prices in placed}
    numbers = {key: number for number, key in enumerate(lists)}
    price_lists = [numbers[id(prices)] for _, _, prices in placed]
    priced = [(price, numbers[key], answers.add(price)) for key in lists for price in lists[key].prices]
    return {
        **place_subscriptions(windows, price_lists),
        "spans": encode(_describe_span(place, window) for place, window in enumerate(windows, 1)),
        "prices": encode(_describe_price(*each) for each in priced),
        "tiers": encode(
            {**tier, "price": number} for price, _, number in priced for tier in list_tiers(price)
        ),
        "plans": encode(row for each in placed for row in _rate_plan(*each)),
        "minimums": encode(row for each in placed for row in _share_minimums(*each)),
    }


def encode(rows: Iterable[Any]) -> str:
    """Rows as JSON, their decimals as text."""
    return msgspec.json.encode(list(rows)).decode()


def _describe_span(place: int, window: Window) -> Row:
    return {
        "place": place,
        "period_start": window.period.start,
        "period_end": window.period.end,
        "counts_from": window.counts_from,
        "counts_to": window.counts_to,
        "period_days": window.period_days,
    }


def _describe_price(price: Price, price_list: int, number: int) -> Row:
    """A price; without events there is one bucket, of the group of events that lack its properties."""
    empty = dict.fromkeys(price.group_keys)
    return {
        "price_list": price_list,
        "price": number,
        "charge_id": price.charge.pk,
        "charge_version_id": price.version.pk,
        "currency": price.charge.plan.currency,
        "filter_values": price.filter_values,
        "empty_group": empty,
        "empty_bucket": name_bucket(price.filter_values, empty),
        "is_in_advance": price.version.is_pay_in_advance,
        "is_computed": bool(list_tiers(price)),
        "facts": {"model": price.version.model, "properties": price.properties},
    }


def _rate_plan(place: int, window: Window, prices: PriceList) -> Iterator[Row]:
    """The plan's base amount, unless a trial takes it off or it was due before it was known."""
    version = prices.plan
    if version is None or not version.amount:
        return
    trial = _count_trial(window, version.trial_days)
    if window.days == trial or (window.plan_billed_from and window.period.start < window.plan_billed_from):
        return
    billed = window.days - trial
    exact = rate_plan_fee(base_amount=version.amount, billed_days=billed, period_days=window.period_days)
    detail = {"base_amount": str(version.amount), "billed_days": billed, "period_days": window.period_days}
    currency = version.plan.currency
    yield {
        "place": place,
        "plan_version_id": version.pk,
        "currency": currency,
        "exact_amount": exact,
        "amount": round_to_currency(exact, currency),
        "detail": {**detail, "trial_days": trial} if trial else detail,
    }


def _count_trial(window: Window, days: int) -> int:
    """The days that a trial takes off, from the first start through every change of plan (Lago: trial period)."""
    return trial_days_of(
        trial_ends_on=window.began_on + timedelta(days=days) if days and window.began_on else None,
        first=window.counts_from.astimezone(window.timezone).date(),
        days=window.days,
    )


def _share_minimums(place: int, window: Window, prices: PriceList) -> Iterator[Row]:
    """What each charge, and the plan with all of its fees, costs at least, by the days that it ran."""
    charges = {price.charge.pk: price for price in prices.prices if not price.version.is_pay_in_advance}
    for key, price in charges.items():
        charge = {"kind": FeeKind.TRUE_UP, "charge_id": key, "charge_version_id": price.version.pk}
        currency = price.charge.plan.currency
        yield from _share(window, price.version.min_amount, {**charge, "place": place, "currency": currency})
    if prices.plan is not None:
        plan = {"kind": FeeKind.COMMITMENT, "plan_version_id": prices.plan.pk}
        currency = prices.plan.plan.currency
        yield from _share(
            window, prices.plan.minimum_commitment, {**plan, "place": place, "currency": currency}
        )


def _share(window: Window, minimum: Decimal, of: Row) -> Iterator[Row]:
    if minimum:
        billed, period = window.days, window.period_days
        share = share_minimum(
            minimum=minimum, billed_days=billed, period_days=period, currency=of["currency"]
        )
        detail = {"minimum": str(minimum), "minimum_days": billed, "minimum_period_days": period}
        yield {**of, "share": share, "detail": detail}
