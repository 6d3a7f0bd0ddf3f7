"""A subscription's billing periods: the pure calendar applied to the rows of the mirror."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypedDict
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from ingest.metering.periods import (
    BillingTime,
    Interval,
    Period,
    active_window,
    billing_period,
    is_closed,
    next_period,
    period_by_label,
)
from ingest.models import Customer, Service, Subscription


class Grid(TypedDict):
    """What decides a subscription's periods, as the pure calendar takes it."""

    interval: Interval
    billing_time: BillingTime
    anchor: datetime
    timezone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Window:
    """One subscription's period and the part of it in which its events count."""

    subscription: Subscription
    period: Period
    counts_from: datetime
    counts_to: datetime


def customer_timezone(customer: Customer) -> ZoneInfo:
    """The customer's own time zone, else the service's (Lago: applicable timezone)."""
    return ZoneInfo(customer.timezone or customer.service.timezone)


def grid_of(subscription: Subscription) -> Grid:
    """The subscription's calendar; needs its plan, its customer and the customer's service."""
    return Grid(
        interval=Interval(subscription.plan.interval),
        billing_time=BillingTime(subscription.billing_time),
        anchor=subscription.started_at,
        timezone=customer_timezone(subscription.customer),
    )


def first_period_from(subscription: Subscription, at: datetime) -> Period:
    """The subscription's first period that starts at or after an instant."""
    grid = grid_of(subscription)
    period = billing_period(at=at, **grid)
    return period if period.start >= at else next_period(period=period, **grid)


def subscriptions_of(service: Service, customers: Iterable[int] | None = None) -> QuerySet[Subscription]:
    """A service's subscriptions with what `grid_of` needs, for all customers or for some."""
    rows = Subscription.objects.filter(service=service).select_related("plan", "customer__service")
    return rows if customers is None else rows.filter(customer__in=customers)


def windows_of(
    *, service: Service, period_label: str, customers: Iterable[int] | None = None
) -> list[Window]:
    """The windows of every subscription that has a period of that label and ran in it.

    Raises PeriodLabelError for a text that is no period label.
    """
    windows = []
    for subscription in subscriptions_of(service, customers).iterator():
        period = period_by_label(label=period_label, **grid_of(subscription))
        if period is None:
            continue
        bounds = active_window(
            period=period, started_at=subscription.started_at, ended_at=subscription.terminated_at
        )
        if bounds is not None:
            windows.append(Window(subscription, period, *bounds))
    return windows


def closed_labels(*, service: Service, now: datetime) -> list[str]:
    """The labels of all closed periods in which a subscription of the service ran, oldest first."""
    starts: dict[str, datetime] = {}
    grace = timedelta(hours=service.grace_hours)
    for subscription in subscriptions_of(service).iterator():
        grid = grid_of(subscription)
        period = billing_period(at=subscription.started_at, **grid)
        while is_closed(period_end=period.end, grace=grace, now=now) and (
            subscription.terminated_at is None or period.start < subscription.terminated_at
        ):
            starts.setdefault(period.label, period.start)
            period = next_period(period=period, **grid)
    return sorted(starts, key=lambda label: starts[label])
