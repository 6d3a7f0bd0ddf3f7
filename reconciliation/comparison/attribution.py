"""Attribution: to which billing periods a billed line belongs, by what it was for, and how it is split over them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from itertools import accumulate
from zoneinfo import ZoneInfo

from ingest.metering.arithmetic import exact_difference, exact_product, exact_sum, quotient
from ingest.metering.periods import BillingTime, Interval, Period, billing_period
from ingest.rating.money import round_to_currency

# A century of months: a line for longer is a mistake, and would fill the memory with its parts.
MOST_PARTS = 1_200


class AttributionError(ValueError):
    """A line that cannot be attributed; `code` says why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Timing(StrEnum):
    """Whether a line was billed before what it is for was over, or after."""

    ADVANCE = "advance"
    ARREARS = "arrears"


@dataclass(frozen=True, slots=True)
class Money:
    """What a line states in its currency; what it leaves unsaid is None, and all three add up."""

    untaxed: Decimal | None
    tax: Decimal | None
    total: Decimal | None


@dataclass(frozen=True, slots=True)
class Days:
    """Whole local days, half-open: `[first, end)`, never none."""

    first: date
    end: date

    @property
    def count(self) -> int:
        """How many they are."""
        return (self.end - self.first).days


@dataclass(frozen=True, slots=True)
class Calendar:
    """How one subscription's periods follow each other; without one, a customer has the months of its calendar."""

    timezone: ZoneInfo
    interval: Interval = Interval.MONTHLY
    billing_time: BillingTime = BillingTime.CALENDAR
    anchor: datetime = datetime(2024, 1, 1, tzinfo=UTC)

    def period_on(self, day: date) -> Period:
        """The period that a local day is of."""
        return _find_period(self, day)[0]

    def days_on(self, day: date) -> Days:
        """The local days of that period."""
        return _find_period(self, day)[1]


@dataclass(frozen=True, slots=True)
class Part:
    """What of a line falls into one period; `days` of it, all of them where the line was not split."""

    period: Period
    days: int
    money: Money


def find_days(start: datetime, end: datetime, timezone: ZoneInfo) -> Days:
    """The local days that a line is for, from the instants that its source states.

    Sources bill from one time of the day to the same: the day of the end is the first day of what follows. An
    end in the last second of a day is that day's end. A line for an instant is for its day. Raises
    AttributionError `ends_before_it_starts`.
    """
    if end < start:
        raise AttributionError("ends_before_it_starts", f"It is for {start} to {end}, which ends first.")
    first = start.astimezone(timezone).date()
    last = (end.astimezone(UTC) + timedelta(seconds=1)).astimezone(timezone).date()
    return Days(first, max(last, first + timedelta(days=1)))


def find_timing(days: Days, issued_on: date) -> Timing:
    """Billed on the day after its last one or later a line is in arrears, else in advance."""
    return Timing.ARREARS if days.end <= issued_on else Timing.ADVANCE


def attribute(money: Money, currency: str, days: Days, calendars: Sequence[Calendar]) -> list[Part]:
    """The line's parts, one for each period that it touches, by days; their sums are the line's own amounts.

    Of several calendars the one counts whose period the line is for: the very period, else the shortest around
    it, else the first one's. Raises AttributionError `too_long` for more than `MOST_PARTS` periods.
    """
    calendar = choose_calendar(days, calendars)
    periods = _find_periods(calendar, days)
    weights = [_count_common(days, whole) for _, whole in periods]
    moneys = split_money(money, weights, currency)
    return [
        Part(period, weight, part) for (period, _), weight, part in zip(periods, weights, moneys, strict=True)
    ]


def choose_calendar(days: Days, calendars: Sequence[Calendar]) -> Calendar:
    """The calendar that a line of those days follows, as `attribute` says."""
    around = []
    for place, calendar in enumerate(calendars):
        whole = calendar.days_on(days.first)
        if days.end <= whole.end:
            around.append((whole != days, whole.count, place))
    return calendars[min(around)[2] if around else 0]


def split_money(money: Money, weights: Sequence[int], currency: str) -> list[Money]:
    """The three amounts in parts: each sums exactly, and in each part the total is untaxed plus tax."""
    untaxed = [None] * len(weights) if money.untaxed is None else split(money.untaxed, weights, currency)
    tax = [None] * len(weights) if money.tax is None else split(money.tax, weights, currency)
    if money.untaxed is None and money.total is not None:
        return [Money(None, None, part) for part in split(money.total, weights, currency)]
    return [
        Money(base, share, None if base is None or share is None else exact_sum([base, share]))
        for base, share in zip(untaxed, tax, strict=True)
    ]


def split(amount: Decimal, weights: Sequence[int], currency: str) -> list[Decimal]:
    """The amount in parts by weight, each in whole minor units but the last, which takes what is left.

    Each boundary is rounded, not each part: so parts never drift from their share by more than a minor unit, and
    their sum is the amount to the last digit. Raises AttributionError `no_weight` when no weight is above zero.
    """
    whole = sum(weights)
    if not whole or min(weights) < 0:
        raise AttributionError("no_weight", "An amount cannot be split over nothing.")
    bounds = [_share(amount, reached, whole, currency) for reached in accumulate(weights)]
    return [
        exact_difference(upper, lower) for lower, upper in zip([Decimal(0), *bounds], bounds, strict=False)
    ]


def separate_tax(
    amount: Decimal,
    *,
    discounts: Iterable[Decimal],
    inclusive: Iterable[Decimal],
    exclusive: Iterable[Decimal],
) -> Money:
    """A line's three amounts from its price: discounts come off it, inclusive tax is in it, exclusive on top."""
    included = exact_sum(inclusive)
    untaxed = exact_difference(amount, exact_sum([*discounts, included]))
    tax = exact_sum([included, *exclusive])
    return Money(untaxed, tax, exact_sum([untaxed, tax]))


def add_up(moneys: Iterable[Money]) -> Money:
    """The sum of each amount, None as soon as one does not state it."""
    known = list(moneys)
    sums = (
        None if None in amounts else exact_sum(amount for amount in amounts if amount is not None)
        for amounts in (
            [money.untaxed for money in known],
            [money.tax for money in known],
            [money.total for money in known],
        )
    )
    return Money(*sums)


def _share(amount: Decimal, reached: int, whole: int, currency: str) -> Decimal:
    if reached == whole:
        return amount
    return round_to_currency(quotient(exact_product(amount, Decimal(reached)), Decimal(whole)), currency)


def _find_periods(calendar: Calendar, days: Days) -> list[tuple[Period, Days]]:
    periods = [_find_period(calendar, days.first)]
    while (end := periods[-1][1].end) < days.end:
        if len(periods) == MOST_PARTS:
            raise AttributionError("too_long", f"It is for {days.first} to {days.end}, too many periods.")
        periods.append(_find_period(calendar, end))
    return periods


@lru_cache(maxsize=10_000)
def _find_period(calendar: Calendar, day: date) -> tuple[Period, Days]:
    """The period of a day and its local days: the lines of a month are for the same few."""
    period = billing_period(
        interval=calendar.interval,
        billing_time=calendar.billing_time,
        anchor=calendar.anchor,
        at=_midnight(day, calendar.timezone),
        timezone=calendar.timezone,
    )
    return period, Days(*(end.astimezone(calendar.timezone).date() for end in (period.start, period.end)))


def _count_common(one: Days, other: Days) -> int:
    return (min(one.end, other.end) - max(one.first, other.first)).days


def _midnight(day: date, timezone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, timezone).astimezone(UTC)
