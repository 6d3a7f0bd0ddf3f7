"""Which of a customer's periods a file's line is for, and what of it falls into each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo

from ingest.calendar import customer_timezone, grid_of, subscriptions_of
from ingest.metering.periods import BillingTime, Interval, Period, billing_period
from ingest.models import Customer, Service
from reconciliation.comparison.attribution import Calendar, Days, Money, attribute, find_days
from reconciliation.connectors.files.records import ExternalLine

Share = tuple[Period, Money]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a customer's days begin, and how its subscriptions' periods follow each other, if it has any."""

    timezone: ZoneInfo
    calendars: tuple[Calendar, ...] = ()
    # Of each subscription by its external id, for lines that say which one they are of.
    of_subscription: Mapping[str, tuple[Calendar, ...]] = field(default_factory=dict)

    def share_out(self, line: ExternalLine) -> list[Share]:
        """The periods that the line is for with what of it each has, their sums the line's own amounts.

        By what it is for, in the customer's time zone, on its subscription's calendar; a line that does not say
        what it is for is for its bill's period. Raises AttributionError.
        """
        money = Money(line.untaxed, line.tax, line.total)
        days = self.find_days(line)
        stated = self._stated(line)
        if days is None or (stated and not self.calendars and _lies_in(days, line)):
            return [(stated, money)] if stated else []
        return self.share(money, line.currency, days, line.subscription, self._guess_calendar(line))

    def share(
        self, money: Money, currency: str, days: Days, subscription: str, guess: Calendar | None = None
    ) -> list[Share]:
        """The periods that those days are of, on the calendar of that subscription, else of all that there are.

        Where there are none, on the one that is guessed, else by months. Raises AttributionError.
        """
        calendars = self.of_subscription.get(subscription) or self.calendars
        calendars = calendars or (guess or Calendar(self.timezone),)
        period = _find_whole(days, calendars)
        if period is not None:
            return [(period, money)]
        return [(part.period, part.money) for part in attribute(money, currency, days, calendars)]

    def find_days(self, line: ExternalLine) -> Days | None:
        """The local days that a line is for, None where it does not say so."""
        if line.used_from is None or line.used_to is None:
            return None
        return find_days(self._place(line.used_from), self._place(line.used_to), self.timezone)

    def _place(self, end: datetime) -> datetime:
        """The instant itself, or that of a midnight of the customer's own days."""
        return end if end.tzinfo else end.replace(tzinfo=self.timezone)

    def _stated(self, line: ExternalLine) -> Period | None:
        if line.period_start is None or line.period_end is None:
            return None
        return make_period(line.period_start, line.period_end, self.timezone)

    def _guess_calendar(self, line: ExternalLine) -> Calendar:
        """Of a customer without subscriptions: that whose period the bill is for, else months."""
        stated = self._stated(line)
        for interval in Interval if stated else ():
            calendar = Calendar(self.timezone, interval)
            if calendar.period_on(_day(stated, self.timezone)) == stated:
                return calendar
        return Calendar(self.timezone)


@lru_cache(maxsize=10_000)
def make_period(first: date, end: date, timezone: ZoneInfo) -> Period:
    """The period of those days, called as the calendar calls it if it is one of its own, else by its first day."""
    start, stop = (midnight(day, timezone) for day in (first, end))
    for interval in Interval:
        period = billing_period(
            interval=interval, billing_time=BillingTime.CALENDAR, anchor=start, at=start, timezone=timezone
        )
        if (period.start, period.end) == (start, stop):
            return period
    return Period(start, stop, first.isoformat())


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """When a day begins there."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def read_places(
    service: Service, external_ids: Iterable[str], customers: Mapping[str, Customer]
) -> dict[str, Place]:
    """Places by the customers' external ids; one that nobody knows yet is where its service is."""
    known = {customer.pk: customer for customer in customers.values()}
    calendars: dict[int, dict[str, list[Calendar]]] = {pk: {} for pk in known}
    for row in subscriptions_of(service, known) if known else ():
        calendars[row.customer_id].setdefault(row.external_id, []).append(Calendar(**grid_of(row)))
    places = {
        customer.external_id: _make_place(customer_timezone(customer), calendars[pk])
        for pk, customer in known.items()
    }
    own = Place(ZoneInfo(service.timezone))
    return {external_id: places.get(external_id, own) for external_id in external_ids}


def _make_place(timezone: ZoneInfo, calendars: Mapping[str, Sequence[Calendar]]) -> Place:
    every = dict.fromkeys(calendar for each in calendars.values() for calendar in each)
    return Place(timezone, tuple(every), {code: tuple(each) for code, each in calendars.items()})


@lru_cache(maxsize=50_000)
def _find_whole(days: Days, calendars: Sequence[Calendar]) -> Period | None:
    """The one period that those days lie in, None where they span several."""
    [first, *others] = attribute(Money(None, None, None), "XXX", days, calendars)
    return None if others else first.period


def _lies_in(days: Days, line: ExternalLine) -> bool:
    return bool(
        line.period_start
        and line.period_end
        and line.period_start <= days.first
        and days.end <= line.period_end
    )


def _day(period: Period | None, timezone: ZoneInfo) -> date:
    assert period is not None
    return period.start.astimezone(timezone).date()
