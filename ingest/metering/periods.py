"""Billing periods: which one an instant falls into, its neighbours, its label, and when it is closed."""

import re
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo


class Interval(StrEnum):
    """How often a plan bills (names as in Lago)."""

    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    SEMIANNUAL = "semiannual"
    YEARLY = "yearly"


class BillingTime(StrEnum):
    """Whether periods follow the calendar or the day the subscription began (names as in Lago)."""

    CALENDAR = "calendar"
    ANNIVERSARY = "anniversary"


class PeriodLabelError(ValueError):
    """A text that is no period label."""

    code = "invalid_period_label"

    def __init__(self, label: str) -> None:
        super().__init__(
            f"{label!r} is no period, such as 2026-W21, 2026-05, 2026-Q2, 2026-H1 or 2026-05-15."
        )


@dataclass(frozen=True, slots=True)
class Period:
    """A half-open span `[start, end)` of UTC instants between two local midnights, and what to call it."""

    start: datetime
    end: datetime
    label: str

    def covers(self, instant: datetime) -> bool:
        """Whether the instant belongs to this period; its end already belongs to the next."""
        return self.start <= instant < self.end


@dataclass(frozen=True, slots=True)
class ParsedLabel:
    """The first day that a label names; an anniversary label names no interval."""

    start: date
    interval: Interval | None


# A Monday and a first of January at once: weeks, months and years of the calendar can all be counted from it.
_CALENDAR_ORIGIN = date(2024, 1, 1)

_MONTHS = {Interval.MONTHLY: 1, Interval.QUARTERLY: 3, Interval.SEMIANNUAL: 6, Interval.YEARLY: 12}

# How often an interval comes in a year, to compare plans of different ones (Lago: yearly amount).
PERIODS_A_YEAR = {Interval.WEEKLY: 52, **{interval: 12 // months for interval, months in _MONTHS.items()}}

_CALENDAR_LABELS: dict[Interval, Callable[[date], str]] = {
    Interval.WEEKLY: lambda day: "{0.year:04d}-W{0.week:02d}".format(day.isocalendar()),
    Interval.MONTHLY: lambda day: day.isoformat()[:7],
    Interval.QUARTERLY: lambda day: f"{day.year:04d}-Q{(day.month + 2) // 3}",
    Interval.SEMIANNUAL: lambda day: f"{day.year:04d}-H{(day.month + 5) // 6}",
    Interval.YEARLY: lambda day: day.isoformat()[:4],
}

_LABEL_FORMS: tuple[tuple[str, Interval | None, Callable[..., date]], ...] = (
    ("-W([0-9]{2})", Interval.WEEKLY, lambda year, week: date.fromisocalendar(year, week, 1)),
    ("-([0-9]{2})", Interval.MONTHLY, lambda year, month: date(year, month, 1)),
    ("-Q([1-4])", Interval.QUARTERLY, lambda year, quarter: date(year, 3 * quarter - 2, 1)),
    ("-H([12])", Interval.SEMIANNUAL, lambda year, half: date(year, 6 * half - 5, 1)),
    ("", Interval.YEARLY, lambda year: date(year, 1, 1)),
    ("-([0-9]{2})-([0-9]{2})", None, date),
)


@dataclass(frozen=True, slots=True)
class _Grid:
    """The start dates of all periods of one subscription, counted from an origin."""

    origin: date
    interval: Interval
    timezone: ZoneInfo

    def date_at(self, index: int) -> date:
        if self.interval is Interval.WEEKLY:
            return self.origin + timedelta(weeks=index)
        months = self.origin.year * 12 + self.origin.month - 1 + index * _MONTHS[self.interval]
        year, month = months // 12, months % 12 + 1
        # Clamped from the origin's own day every time: 31 January, 28 February, 31 March.
        return date(year, month, min(self.origin.day, monthrange(year, month)[1]))

    def start_at(self, index: int) -> datetime:
        # Where a clock change makes a midnight twice, the first one counts; where it skips one, the day
        # begins when the clock moves on.
        return datetime.combine(self.date_at(index), time.min, self.timezone).astimezone(UTC)

    def index_of(self, instant: datetime) -> int:
        day = instant.astimezone(self.timezone).date()
        if self.interval is Interval.WEEKLY:
            index = (day - self.origin).days // 7
        else:
            months = (day.year - self.origin.year) * 12 + day.month - self.origin.month
            index = months // _MONTHS[self.interval]
        # The local date alone may be one off: before the start's day of the month, or in an hour that a clock
        # change at midnight gives twice.
        if instant < self.start_at(index):
            return index - 1
        return index + 1 if instant >= self.start_at(index + 1) else index


def billing_period(
    *, interval: Interval, billing_time: BillingTime, anchor: datetime, at: datetime, timezone: ZoneInfo
) -> Period:
    """The period that the instant `at` falls into (Lago: billing periods).

    Periods of one subscription tile time: no gap, no overlap, whatever the time zone does. `anchor` is the
    subscription's start; a calendar subscription ignores it. Equal periods have one label, so that one bill has:
    an anniversary period that is a month of the calendar is called like that month. Raises ValueError for
    naive datetimes.
    """
    _refuse_naive(anchor, at)
    calendar = _Grid(_CALENDAR_ORIGIN, interval, timezone)
    if billing_time is BillingTime.CALENDAR:
        return _period_of(calendar, calendar.index_of(at), _CALENDAR_LABELS[interval])
    grid = _Grid(anchor.astimezone(timezone).date(), interval, timezone)
    index = grid.index_of(at)
    days = grid.date_at(index), grid.date_at(index + 1)
    here = calendar.index_of(grid.start_at(index))
    is_same = days == (calendar.date_at(here), calendar.date_at(here + 1))
    return _period_of(grid, index, _CALENDAR_LABELS[interval] if is_same else date.isoformat)


def _period_of(grid: _Grid, index: int, name: Callable[[date], str]) -> Period:
    return Period(grid.start_at(index), grid.start_at(index + 1), name(grid.date_at(index)))


def previous_period(
    *, period: Period, interval: Interval, billing_time: BillingTime, anchor: datetime, timezone: ZoneInfo
) -> Period:
    """The period that ends where `period` starts."""
    at = period.start - timedelta.resolution
    return billing_period(
        interval=interval, billing_time=billing_time, anchor=anchor, at=at, timezone=timezone
    )


def next_period(
    *, period: Period, interval: Interval, billing_time: BillingTime, anchor: datetime, timezone: ZoneInfo
) -> Period:
    """The period that starts where `period` ends."""
    return billing_period(
        interval=interval, billing_time=billing_time, anchor=anchor, at=period.end, timezone=timezone
    )


def parse_label(label: str) -> ParsedLabel:
    """The first day and the interval that a label names, for the years 1000 to 2999.

    Raises PeriodLabelError for any other text, a thirteenth month and a 53rd week that is none.
    """
    for form, interval, make_date in _LABEL_FORMS:
        match = re.fullmatch(f"([12][0-9]{{3}}){form}", label)
        if match:
            try:
                return ParsedLabel(make_date(*map(int, match.groups())), interval)
            except ValueError:
                break
    raise PeriodLabelError(label)


def period_by_label(
    *,
    label: str,
    interval: Interval,
    billing_time: BillingTime,
    anchor: datetime,
    timezone: ZoneInfo,
) -> Period | None:
    """The subscription's period of that label, or None when none of its periods is called so.

    Raises PeriodLabelError for a text that can be no label at all.
    """
    start = datetime.combine(parse_label(label).start, time.min, timezone)
    period = billing_period(
        interval=interval, billing_time=billing_time, anchor=anchor, at=start, timezone=timezone
    )
    return period if period.label == label else None


def is_closed(*, period_end: datetime, grace: timedelta, now: datetime) -> bool:
    """Whether a period that ended at `period_end` may be judged: its grace is over."""
    return now >= period_end + grace


def active_window(
    *, period: Period, started_at: datetime, ended_at: datetime | None
) -> tuple[datetime, datetime] | None:
    """The half-open part of the period in which the subscription ran, to the instant; None when it did not.

    It is the window in which events count; the whole days of a plan fee are counted by `billed_days`.
    """
    start = max(period.start, started_at)
    end = period.end if ended_at is None else min(period.end, ended_at)
    return (start, end) if start < end else None


def billed_days(*, start: datetime, end: datetime, timezone: ZoneInfo) -> int:
    """How many local calendar days the half-open window `[start, end)` touches.

    A day counts whole from its first instant to its last (Lago: both days inclusive), a day of 23 or 25 hours
    as one. Given a period's own bounds it is the number of days to prorate by.
    """
    _refuse_naive(start, end)
    last = (end.astimezone(UTC) - timedelta.resolution).astimezone(timezone).date()
    return (last - start.astimezone(timezone).date()).days + 1


def _refuse_naive(*instants: datetime) -> None:
    if any(instant.tzinfo is None for instant in instants):
        raise ValueError("Periods are made from aware datetimes.")
