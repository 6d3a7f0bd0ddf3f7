"""A subscription's billing periods: the pure calendar applied to the rows of the mirror."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import TypedDict
from zoneinfo import ZoneInfo

from django.db.models import (
    Case,
    DateField,
    DateTimeField,
    Exists,
    Func,
    Max,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce, Greatest, NullIf

from ingest.metering.events import truncate_to_millisecond
from ingest.metering.periods import (
    BillingTime,
    Interval,
    Period,
    active_window,
    billed_days,
    billing_period,
    is_closed,
    next_period,
    parse_label,
    period_by_label,
    previous_period,
)
from ingest.models import Customer, Service, Subscription

CHUNK = 20_000


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
    # Whether another plan takes over at its end, before the period's.
    is_replaced: bool = False

    @property
    def timezone(self) -> ZoneInfo:
        """Where its days begin."""
        return customer_timezone(self.subscription.customer)

    @property
    def days_to(self) -> datetime:
        """Until when its days count, whole: the day on which another plan takes over is a day of that plan's.

        Counted with both, it would be charged twice (Lago: an upgraded subscription is billed to the day before).
        """
        if not self.is_replaced:
            return self.counts_to
        return midnight_of(self.subscription.customer, self.counts_to.astimezone(self.timezone).date())

    @property
    def days(self) -> int:
        """How many days of the period the subscription ran, each counting whole; none if replaced on its first."""
        if self.days_to <= self.counts_from:
            return 0
        return _count_days(self.counts_from, self.days_to, self.timezone)

    @property
    def period_days(self) -> int:
        """How many days the whole period has."""
        return _count_days(self.period.start, self.period.end, self.timezone)


@lru_cache(maxsize=1_000)
def _count_days(start: datetime, end: datetime, timezone: ZoneInfo) -> int:
    """Thousands of subscriptions share a few windows."""
    return billed_days(start=start, end=end, timezone=timezone)


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
    return datetime.combine(day, time.min, customer_timezone(customer)).astimezone(UTC)


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


def windows_of(
    *, service: Service, period_label: str, customers: Iterable[int] | None = None
) -> list[Window]:
    """The windows of every subscription that has a period of that label and ran in it, history left out.

    Both ends are whole milliseconds: an event in the one in which a plan replaces another under the same
    external id counts for the new one alone. Raises PeriodLabelError for a text that is no period label.
    """
    windows = []
    successor = Subscription.objects.filter(
        previous=OuterRef("pk"), started_at=OuterRef("terminated_at"), canceled_at=None
    )
    # Thousands share a few plans and one service: each is read once, not once per subscription.
    rows = subscriptions_of(service, customers).select_related(None).select_related("customer")
    rows = rows.annotate(has_successor=Exists(successor))
    for subscription in rows.prefetch_related("plan", "customer__service").iterator(CHUNK):
        period = period_by_label(label=period_label, **grid_of(subscription))
        if period is None or is_history(subscription, period):
            continue
        ended_at = subscription.terminated_at
        bounds = active_window(
            period=period,
            started_at=truncate_to_millisecond(subscription.started_at),
            ended_at=ended_at and truncate_to_millisecond(ended_at),
        )
        if bounds is not None:
            is_replaced = subscription.has_successor and bounds[1] < period.end
            windows.append(Window(subscription, period, *bounds, is_replaced))
    return windows


def is_history(subscription: Subscription, period: Period) -> bool:
    """Whether a period ended before the console took the subscription over."""
    return subscription.metered_from is not None and period.end <= subscription.metered_from


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
    zone = Coalesce(NullIf("customer__timezone", Value("")), Value(service.timezone))
    anchored_at = Coalesce("subscription_at", "started_at")
    day = Cast(Func(zone, anchored_at, function="timezone", output_field=DateTimeField()), DateField())
    calendars = (
        # One that is still to start has had no period.
        subscriptions_of(service)
        .filter(started_at__lt=now)
        .values_list(
            "plan__interval",
            "billing_time",
            zone,
            Case(When(billing_time=BillingTime.ANNIVERSARY, then=day)),
        )
        .annotate(
            first=Min(Greatest("started_at", "metered_from")), last=Max(Coalesce("terminated_at", Value(now)))
        )
        .order_by()
    )
    for interval, billing_time, timezone, anchor, first, last in calendars.iterator():
        grid = Grid(
            interval=Interval(interval),
            billing_time=BillingTime(billing_time),
            anchor=datetime.combine(anchor, time(12), ZoneInfo(timezone)) if anchor else first,
            timezone=ZoneInfo(timezone),
        )
        yield grid, first, last
