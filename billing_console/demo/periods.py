"""The billing periods of the story: which ones an account has, and in which month each closes."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from billing_console.demo.terms import Account, ServiceStory
from billing_console.demo.window import Window, add_months, count_months, midnight
from ingest.metering.periods import BillingTime, Interval, Period, billing_period, next_period


def find_start(story: ServiceStory, account: Account, window: Window) -> datetime:
    """When the account's subscription begins."""
    return midnight(account.begins(window), ZoneInfo(story.timezone))


def list_periods(story: ServiceStory, account: Account, window: Window) -> list[Period]:
    """The account's periods that end in one of the service's generated months, oldest first."""
    zone = ZoneInfo(story.timezone)
    interval, billing_time = Interval(story.plan(account.plan).interval), BillingTime(account.billing_time)
    anchor = find_start(story, account, window)
    period = billing_period(
        interval=interval,
        billing_time=billing_time,
        anchor=anchor,
        at=max(anchor, midnight(add_months(window.newest, 1 - story.months), zone)),
        timezone=zone,
    )
    found = []
    while period.end <= midnight(window.end, zone):
        found.append(period)
        period = next_period(
            period=period, interval=interval, billing_time=billing_time, anchor=anchor, timezone=zone
        )
    return found


def read_days(period: Period, story: ServiceStory) -> tuple[date, date]:
    """The period's first day and the day after its last, where the service bills."""
    zone = ZoneInfo(story.timezone)
    return period.start.astimezone(zone).date(), period.end.astimezone(zone).date()


def months_ago(period: Period, story: ServiceStory, window: Window) -> int:
    """How many months before the newest month the period's last day lies: 0 to 5."""
    last_day = read_days(period, story)[1] - timedelta(days=1)
    return count_months(last_day, window.newest)
