"""The windows of a period: what of it counts for which subscriptions, made once for all that share it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Case, Exists, F, OuterRef, Q, When

from ingest.calendar import (
    first_day,
    is_history,
    make_grid,
    midnight_in,
    start_bounds,
    subscriptions_of,
    zone_of,
)
from ingest.metering.events import truncate_to_millisecond
from ingest.metering.periods import Period, active_window, billed_days, period_by_label
from ingest.models import BillingTime, PlanVersion, Service, Subscription

# No period is longer, wherever clocks change in it.
LONGEST = timedelta(days=368)


@dataclass(frozen=True, slots=True)
class Window:
    """A period of some subscriptions of one plan, and the part of it in which their events count."""

    subscriptions: Sequence[int]
    plan_id: int
    timezone: ZoneInfo
    period: Period
    counts_from: datetime
    counts_to: datetime
    # Whether another plan takes over at its end, before the period's.
    is_replaced: bool = False
    # The day of the first start; None where no trial counts from it.
    began_on: date | None = None
    # Base amounts of periods that start before were due before it was known.
    plan_billed_from: datetime | None = None

    @property
    def days_to(self) -> datetime:
        """Until when its days count, whole: the day on which another plan takes over is a day of that plan's.

        Counted with both, it would be charged twice (Lago: an upgraded subscription is billed to the day before).
        """
        if not self.is_replaced:
            return self.counts_to
        return midnight_in(self.timezone, self.counts_to.astimezone(self.timezone).date())

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
    return billed_days(start=start, end=end, timezone=timezone)


class _Group(NamedTuple):
    """Subscriptions that share a window; what lies before any period of the label does not tell them apart."""

    subscriptions: list[int]
    plan_id: int
    interval: str
    billing_time: str
    timezone: str
    began_on: date | None
    started_at: datetime | None
    terminated_at: datetime | None
    metered_from: datetime | None
    plan_billed_from: datetime | None
    has_successor: bool


def windows_of(
    *, service: Service, period_label: str, customers: Iterable[int] | None = None
) -> list[Window]:
    """The windows of every subscription that has a period of that label and ran in it, history left out.

    Both ends are whole milliseconds: an event in the one in which a plan replaces another under the same
    external id counts for the new one alone. Raises PeriodLabelError for a text that is no period label.
    """
    periods: dict[tuple[Any, ...], Period | None] = {}
    windows: list[Window] = []
    for group in _read_groups(service, period_label, customers):
        calendar = (group.interval, group.billing_time, group.timezone, group.began_on)
        if calendar not in periods:
            periods[calendar] = period_by_label(label=period_label, **make_grid(*calendar))
        period = periods[calendar]
        if period is not None and not is_history(group.metered_from, period):
            windows += _make_window(group, period)
    return windows


def _make_window(group: _Group, period: Period) -> Iterator[Window]:
    bounds = active_window(
        period=period,
        started_at=truncate_to_millisecond(group.started_at) if group.started_at else period.start,
        ended_at=group.terminated_at and truncate_to_millisecond(group.terminated_at),
    )
    if bounds is not None:
        yield Window(
            group.subscriptions,
            group.plan_id,
            ZoneInfo(group.timezone),
            period,
            *bounds,
            is_replaced=group.has_successor and bounds[1] < period.end,
            began_on=group.began_on,
            plan_billed_from=group.plan_billed_from,
        )


def _read_groups(service: Service, period_label: str, customers: Iterable[int] | None) -> Iterator[_Group]:
    earliest, latest = start_bounds(period_label)
    successor = Subscription.objects.filter(
        previous=OuterRef("pk"), started_at=OuterRef("terminated_at"), canceled_at=None
    )
    has_trial = PlanVersion.objects.filter(plan=OuterRef("plan"), trial_days__gt=0)
    rows = (
        subscriptions_of(service, customers)
        .filter(Q(terminated_at=None) | Q(terminated_at__gt=earliest), started_at__lt=latest + LONGEST)
        .values_list(
            "plan",
            "plan__interval",
            "billing_time",
            zone_of(service),
            Case(When(Q(billing_time=BillingTime.ANNIVERSARY) | Exists(has_trial), then=first_day(service))),
            *(_after(name, earliest) for name in ("started_at", "terminated_at", "metered_from")),
            _after("plan_billed_from", earliest),
            Exists(successor),
        )
        .annotate(subscriptions=ArrayAgg("pk"))
        .order_by()
    )
    for *shared, subscriptions in rows:
        yield _Group(subscriptions, *shared)


def _after(name: str, instant: datetime) -> Case:
    return Case(When(**{f"{name}__gt": instant}, then=F(name)))
