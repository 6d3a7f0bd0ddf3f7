"""The fees of one window: the plan's base amount, its usage under each price, and what minimums add."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from ingest.arrivals import BilledEvents
from ingest.buckets import canonical_group, name_bucket
from ingest.calendar import Window
from ingest.metering.arithmetic import ZERO, exact_difference
from ingest.models import FeeKind
from ingest.prices import Price, PriceList
from ingest.rating.charge_models.contract import Line
from ingest.rating.minimum import rate_true_up
from ingest.rating.money import round_to_currency
from ingest.rating.plan_fee import rate_plan_fee, trial_days_of
from ingest.usage import Measured, read_usage


class NewFee(msgspec.Struct, frozen=True, gc=False):
    """A rated amount before it is stored; amounts in `currency`. As JSON it is a row of the storing statement."""

    subscription_id: int
    kind: FeeKind
    charge_id: int | None
    charge_version_id: int | None
    plan_version_id: int | None
    period_start: datetime
    period_end: datetime
    counts_from: datetime
    counts_to: datetime
    filter_values: dict[str, list[str]] | None
    grouped_by: dict[str, str | None]
    bucket: str
    currency: str
    quantity: Decimal
    full_quantity: Decimal | None
    events_count: int
    exact_amount: Decimal
    amount: Decimal
    unit_amount: Decimal
    late_amount: Decimal
    late_events_count: int
    details: Sequence[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class WindowUsage:
    """A window's usage by charge and filter; `on_time` is what it would be without late events, where there are."""

    stored: Mapping[tuple[int, str], Sequence[Measured]] = field(default_factory=dict)
    on_time: Mapping[tuple[int, str, str], Measured] = field(default_factory=dict)
    arrivals: Mapping[tuple[int, str, str], BilledEvents] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Days:
    """How many days of the period are billed, and how many of those a trial takes off the plan's base amount."""

    billed: int
    period: int
    trial: int


def rate_window(window: Window, prices: PriceList, used: WindowUsage) -> Iterator[NewFee]:
    """All of the window's fees that have an amount, units or events (Lago: what a fee carries).

    Refuses a price that cannot be priced with (`invalid_properties`).
    """
    days = count_days(window, prices)
    fees = [fee for fee in _rate_parts(window, prices, used, days) if _is_something(fee)]
    yield from fees
    yield from _commit(window, prices, days, fees)


def count_days(window: Window, prices: PriceList) -> Days:
    """The days of the window and of its period, whole days where the customer is.

    A trial counts from the first start, through every change of plan (Lago: trial period).
    """
    zone = window.timezone
    started = window.subscription.anchor.astimezone(zone).date()
    trial = prices.plan.trial_days if prices.plan else 0
    return Days(
        billed=window.days,
        period=window.period_days,
        trial=trial_days_of(
            trial_ends_on=started + timedelta(days=trial) if trial else None,
            first=window.counts_from.astimezone(zone).date(),
            days=window.days,
        ),
    )


def _rate_parts(window: Window, prices: PriceList, used: WindowUsage, days: Days) -> Iterator[NewFee]:
    plan_fee = _rate_plan(window, prices, days)
    if plan_fee is not None:
        yield plan_fee
    topped_up: dict[int, tuple[Price, list[NewFee]]] = {}
    for price in prices.prices:
        for fee in _rate_price(window, price, used, days):
            yield fee
            topped_up.setdefault(price.charge.pk, (price, []))[1].append(fee)
    for price, fees in topped_up.values():
        if price.version.min_amount:
            yield _top_up(window, price, days, fees)


def _is_something(fee: NewFee) -> bool:
    return bool(fee.exact_amount or fee.quantity or fee.events_count or fee.late_amount)


def _rate_plan(window: Window, prices: PriceList, days: Days) -> NewFee | None:
    version = prices.plan
    if version is None or not version.amount or days.billed == days.trial:
        return None
    billed_from = window.subscription.plan_billed_from
    if billed_from is not None and window.period.start < billed_from:
        return None
    billed = days.billed - days.trial
    exact = rate_plan_fee(base_amount=version.amount, billed_days=billed, period_days=days.period)
    detail = {"base_amount": str(version.amount), "billed_days": billed, "period_days": days.period}
    if days.trial:
        detail["trial_days"] = days.trial
    return _fee(
        window, FeeKind.PLAN, plan_version_id=version.pk, quantity=Decimal(1), exact=exact, details=[detail]
    )


def _rate_price(window: Window, price: Price, used: WindowUsage, days: Days) -> Iterator[NewFee]:
    for usage in used.stored.get(price.key, ()) or (None,):
        bucket = (*price.key, canonical_group(usage.grouped_by if usage else {}))
        if not price.version.is_pay_in_advance:
            yield _rate_usage(window, price, usage, used.on_time.get(bucket), days)
        elif usage is not None and bucket in used.arrivals:
            yield _rate_arrived(window, price, usage, used.arrivals[bucket])


def _rate_usage(
    window: Window, price: Price, usage: Measured | None, on_time: Measured | None, days: Days
) -> NewFee:
    rated = price.rate(read_usage(price, usage, period_days=days.period))
    amount = round_to_currency(rated.amount, price.charge.plan.currency)
    late = usage.late_events_count if usage else 0
    late_amount = ZERO
    if late:
        punctual = price.rate(read_usage(price, on_time, period_days=days.period))
        punctual_amount = round_to_currency(punctual.amount, price.charge.plan.currency)
        late_amount = exact_difference(amount, punctual_amount)
    return _fee(
        window,
        FeeKind.USAGE,
        price=price,
        usage=usage,
        quantity=usage.quantity if usage else ZERO,
        exact=rated.amount,
        unit_amount=rated.unit_amount,
        late_amount=late_amount,
        details=[_price_of(price), *map(_line_of, rated.details)],
    )


def _rate_arrived(window: Window, price: Price, usage: Measured, arrived: BilledEvents) -> NewFee:
    return _fee(
        window,
        FeeKind.USAGE,
        price=price,
        usage=usage,
        quantity=usage.quantity,
        exact=arrived.exact,
        amount=arrived.amount,
        late_amount=arrived.late,
        details=[_price_of(price), *map(_as_text, arrived.details)],
    )


def _top_up(window: Window, price: Price, days: Days, fees: Sequence[NewFee]) -> NewFee:
    minimum = price.version.min_amount
    missing, late = _missing(minimum, days, fees, price.charge.plan.currency)
    detail = _minimum_of(minimum, days, [fee.amount for fee in fees])
    return _fee(
        window,
        FeeKind.TRUE_UP,
        price=price,
        quantity=ZERO,
        exact=missing,
        late_amount=late,
        details=[detail],
    )


def _missing(minimum: Decimal, days: Days, fees: Sequence[NewFee], currency: str) -> tuple[Decimal, Decimal]:
    """What a minimum adds to fees, and what of that late usage makes: below zero where it filled the minimum up."""
    whole, on_time = (
        rate_true_up(
            minimum=minimum,
            billed_days=days.billed,
            period_days=days.period,
            fees=amounts,
            currency=currency,
        )
        for amounts in (
            [fee.amount for fee in fees],
            [exact_difference(fee.amount, fee.late_amount) for fee in fees],
        )
    )
    return whole, exact_difference(whole, on_time)


def _commit(window: Window, prices: PriceList, days: Days, fees: Sequence[NewFee]) -> Iterator[NewFee]:
    if prices.plan is None or not prices.plan.minimum_commitment:
        return
    minimum = prices.plan.minimum_commitment
    missing, late = _missing(minimum, days, fees, window.subscription.plan.currency)
    if missing or late:
        yield _fee(
            window,
            FeeKind.COMMITMENT,
            plan_version_id=prices.plan.pk,
            quantity=ZERO,
            exact=missing,
            late_amount=late,
            details=[_minimum_of(minimum, days, [fee.amount for fee in fees])],
        )


def _minimum_of(minimum: Decimal, days: Days, amounts: Iterable[Decimal]) -> dict[str, Any]:
    return {
        "minimum": str(minimum),
        "minimum_days": days.billed,
        "minimum_period_days": days.period,
        "fees": format(sum(amounts, ZERO), "f"),
    }


def _empty_bucket(
    kind: FeeKind, price: Price | None
) -> tuple[dict[str, list[str]] | None, dict[str, str | None]]:
    """Where no event was: the price's filter, and the group of events that lack its properties."""
    if price is None or kind != FeeKind.USAGE:
        return None, {}
    return price.filter_values, dict.fromkeys(price.group_keys)


def _price_of(price: Price) -> dict[str, Any]:
    return {"model": price.version.model, "properties": price.properties}


def _line_of(line: Line) -> dict[str, Any]:
    return _as_text({name: getattr(line, name) for name in line.__dataclass_fields__})


def _as_text(line: Mapping[str, Any]) -> dict[str, Any]:
    return {name: format(value, "f") if isinstance(value, Decimal) else value for name, value in line.items()}


def _fee(
    window: Window,
    kind: FeeKind,
    *,
    quantity: Decimal,
    exact: Decimal,
    details: Sequence[dict[str, Any]],
    price: Price | None = None,
    plan_version_id: int | None = None,
    usage: Measured | None = None,
    amount: Decimal | None = None,
    unit_amount: Decimal = ZERO,
    late_amount: Decimal = ZERO,
) -> NewFee:
    currency = window.subscription.plan.currency
    filters, group = (usage.filter_values, usage.grouped_by) if usage else _empty_bucket(kind, price)
    return NewFee(
        subscription_id=window.subscription.pk,
        kind=kind,
        charge_id=price.charge.pk if price else None,
        charge_version_id=price.version.pk if price else None,
        plan_version_id=plan_version_id,
        period_start=window.period.start,
        period_end=window.period.end,
        counts_from=window.counts_from,
        counts_to=window.counts_to,
        filter_values=filters,
        grouped_by=group,
        bucket=usage.bucket if usage else name_bucket(filters, group),
        currency=currency,
        quantity=quantity,
        full_quantity=usage.full_quantity if usage else None,
        events_count=usage.events_count if usage else 0,
        exact_amount=exact,
        amount=round_to_currency(exact, currency) if amount is None else amount,
        unit_amount=unit_amount,
        late_amount=late_amount,
        late_events_count=usage.late_events_count if usage else 0,
        details=details,
    )
