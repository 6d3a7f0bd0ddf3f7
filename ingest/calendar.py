"""A subscription's billing periods: the pure calendar applied to the rows of the mirror."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import TypedDict
from zoneinfo import ZoneInfo

from django.db.models import (
    Case,
    DateField,
    DateTimeField,
    Func,
    Max,
    Min,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce, Greatest, NullIf

from ingest.metering.periods import (
    BillingTime,
    Interval,
    Period,
    billing_period,
    is_closed,
    next_period,
    parse_label,
    previous_period,
)
from ingest.models import Customer, Service, Subscription

# What anniversaries would count from, for a calendar without them.
_ANY_DAY = date(2000, 1, 1)


class Grid(TypedDict):
    """What decides a subscription's periods, as the pure calendar takes it."""

    interval: Interval
    billing_time: BillingTime
    anchor: datetime
    timezone: ZoneInfo


def customer_timezone(customer: Customer) -> ZoneInfo:
    """The customer's own time zone, else the service's (Lago: applicable timezone)."""
    return ZoneInfo(customer.timezone or customer.service.timezone)


def grid_of(subscription: Subscription) -> Grid:
    """The subscription's calendar; needs its plan, its customer and the customer's service."""
    return Grid(
        interval=Interval(subscription.plan.interval),
        billing_time=BillingTime(subscription.billing_time),
        anchor=subscription.anchor,
        timezone=customer_timezone(subscription.customer),
    )


def first_period_from(subscription: Subscription, at: datetime) -> Period:
    """The subscription's first period that starts at or after an instant.

    For one that itself starts there or later it is the period of that instant, begun though the calendar's may
    have: it has no part before.
    """
    grid = grid_of(subscription)
    period = billing_period(at=at, **grid)
    is_first = period.start >= at or subscription.started_at >= at
    return period if is_first else next_period(period=period, **grid)


def first_period_on(subscription: Subscription, day: date) -> Period:
    """The subscription's first period that starts on or after a day, as its customer's calendar has it."""
    return first_period_from(subscription, midnight_of(subscription.customer, day))


def midnight_of(customer: Customer, day: date) -> datetime:
    """When a day begins where the customer is."""
    return midnight_in(customer_timezone(customer), day)


def midnight_in(timezone: ZoneInfo, day: date) -> datetime:
    """When a day begins there."""
    return datetime.combine(day, time.min, timezone).astimezone(UTC)


def subscriptions_of(service: Service, customers: Iterable[int] | None = None) -> QuerySet[Subscription]:
    """A service's subscriptions with what `grid_of` needs, for all customers or for some.

    A canceled one is none of them: it never runs, so that it has no period and no biller.
    """
    rows = Subscription.objects.filter(service=service, canceled_at=None).select_related(
        "plan", "customer__service"
    )
    return rows if customers is None else rows.filter(customer__in=customers)


def running_subscriptions(service: Service, now: datetime) -> QuerySet[Subscription]:
    """Those that run now or later; one whose end is set already is billed until then like any other."""
    return subscriptions_of(service).filter(Q(terminated_at=None) | Q(terminated_at__gt=now))


def is_history(metered_from: datetime | None, period: Period) -> bool:
    """Whether a period ended before the console took the subscription over."""
    return metered_from is not None and period.end <= metered_from


def start_bounds(period_label: str) -> tuple[datetime, datetime]:
    """Between which instants a period of that label starts, wherever its customer is.

    Local midnights lie within a day of UTC's; with these bounds an index on the start serves a label. Raises
    PeriodLabelError.
    """
    midnight = datetime.combine(parse_label(period_label).start, time.min, UTC)
    return midnight - timedelta(days=1), midnight + timedelta(days=1)


def closed_labels(*, service: Service, now: datetime) -> list[str]:
    """The labels of all closed periods in which a subscription of the service was metered, oldest first."""
    starts: dict[str, datetime] = {}
    grace = timedelta(hours=service.grace_hours)
    for grid, first, last in _read_spans(service, now):
        period = billing_period(at=first, **grid)
        while period.start < last and is_closed(period_end=period.end, grace=grace, now=now):
            starts[period.label] = min(period.start, starts.get(period.label, period.start))
            period = next_period(period=period, **grid)
    return sorted(starts, key=lambda label: (starts[label], label))


def newest_closed_periods(*, service: Service, now: datetime, count: int) -> set[Period]:
    """The newest closed periods of every calendar that a subscription of the service has.

    Months, quarters and each anniversary have newest periods of their own: of one calendar they may all be older
    than of another. Where customers are in several time zones, there are several periods of one label.
    """
    closed_until = now - timedelta(hours=service.grace_hours)
    periods = set()
    for grid, first, last in _read_spans(service, now):
        period = billing_period(at=closed_until, **grid)
        for _ in range(count):
            period = previous_period(period=period, **grid)
            if first < period.end and period.start < last:
                periods.add(period)
    return periods


def _read_spans(service: Service, now: datetime) -> Iterable[tuple[Grid, datetime, datetime]]:
    """Each calendar once, from its first subscription's start to its last one's end.

    Thousands of subscriptions share a few calendars, anniversaries those of the same local day: reading each, and
    walking its periods, would take minutes.
    """
    day = first_day(service)
    calendars = (
        # One that is still to start has had no period.
        subscriptions_of(service)
        .filter(started_at__lt=now)
        .values_list(
            "plan__interval",
            "billing_time",
            zone_of(service),
            Case(When(billing_time=BillingTime.ANNIVERSARY, then=day)),
        )
        .annotate(
            first=Min(Greatest("started_at", "metered_from")), last=Max(Coalesce("terminated_at", Value(now)))
        )
        .order_by()
    )
    for interval, billing_time, timezone, began_on, first, last in calendars.iterator():
        yield make_grid(interval, billing_time, timezone, began_on), first, last


def zone_of(service: Service) -> Coalesce:
    """The time zone of each of a service's subscriptions, as `customer_timezone` has it."""
    return Coalesce(NullIf("customer__timezone", Value("")), Value(service.timezone))


def first_day(service: Service) -> Cast:
    """The local day that each of a service's subscriptions counts its anniversaries and its trial from."""
    anchored_at = Coalesce("subscription_at", "started_at")
    local = Func(zone_of(service), anchored_at, function="timezone", output_field=DateTimeField())
    return Cast(local, DateField())


def make_grid(interval: str, billing_time: str, timezone: str, began_on: date | None) -> Grid:
    """The calendar of all subscriptions that have these in common; one that follows no day needs none."""
    zone = ZoneInfo(timezone)
    return Grid(
        interval=Interval(interval),
        billing_time=BillingTime(billing_time),
        anchor=datetime.combine(began_on or _ANY_DAY, time(12), zone),
        timezone=zone,
    )
