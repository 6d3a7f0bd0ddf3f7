"""Generated usage: what an account used in a period, the same on every load, and the events that say so."""

import random
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal

import msgspec

from billing_console.demo.periods import list_periods, months_ago, read_days
from billing_console.demo.terms import Account, Metric, ServiceStory
from billing_console.demo.window import MONTHS, Window
from ingest.collection import PostedEvent
from ingest.metering.periods import Period
from ingest.models import Aggregation

EVENTS = uuid.UUID("b1111e00-0000-4000-8000-000000000000")

# Services post in the mornings of these days; a month has them all.
FIRST_DAY, DAYS_BETWEEN, HOUR = 3, 6, 10
MOST_EVENT_DAYS = 4


def measure(story: ServiceStory, account: Account, metric: Metric, ago: int) -> Decimal:
    """What the account used of the metric in the period that closed `ago` months before the newest.

    It depends on the account, the metric and the place in the story, never on the day of loading.
    """
    level = account.usage.get(metric.code, Decimal(0))
    draw = random.Random(f"{story.code}/{account.id}/{metric.code}/{ago}")
    percent = 100 + account.growth * (MONTHS - 1 - ago) + draw.randint(-metric.noise, metric.noise)
    return _cut(level * percent / 100, metric.places)


def list_events(story: ServiceStory, window: Window) -> Iterator[PostedEvent]:
    """Every event of the story's generated months, account by account."""
    for account in story.accounts:
        for period in list_periods(story, account, window):
            for code in account.usage:
                yield from _events_of(story, account, story.metric(code), period, window)


def make_event(
    *,
    subscription: str,
    code: str,
    name: str,
    timestamp: datetime,
    properties: dict[str, str],
    is_late: bool = False,
) -> PostedEvent:
    """An event under a transaction id that is the same on every load, so that none is stored twice.

    It was received when it happened, unless it is late: then it is received now.
    """
    return PostedEvent(
        public_id=str(uuid.uuid5(EVENTS, f"{subscription}/{name}")),
        transaction_id=name,
        code=code,
        external_subscription_id=subscription,
        timestamp=timestamp,
        properties=msgspec.Raw(msgspec.json.encode(properties)),
        received_at=None if is_late else timestamp,
    )


def _events_of(
    story: ServiceStory, account: Account, metric: Metric, period: Period, window: Window
) -> Iterator[PostedEvent]:
    ago = months_ago(period, story, window)
    quantity = measure(story, account, metric, ago)
    first = read_days(period, story)[0]
    for number, part in enumerate(_split(quantity, metric), start=1):
        day = FIRST_DAY + DAYS_BETWEEN * ((number - 1) % MOST_EVENT_DAYS)
        timestamp = period.start + timedelta(days=day, hours=HOUR, minutes=number)
        field = metric.field_name
        yield make_event(
            subscription=account.id,
            code=metric.code,
            name=f"generated {first} {metric.code} {number}"[:255],
            timestamp=timestamp,
            properties={field: str(part)} if field else {},
        )


def _split(quantity: Decimal, metric: Metric) -> list[Decimal]:
    """The quantities of the single events; their sum is the whole."""
    if metric.aggregation == Aggregation.COUNT:
        return [Decimal(1)] * int(quantity)
    share = _cut(quantity / metric.events, metric.places)
    parts = [share] * (metric.events - 1)
    return [part for part in (*parts, quantity - sum(parts)) if part]


def _cut(quantity: Decimal, places: int) -> Decimal:
    return quantity.quantize(Decimal(1).scaleb(-places), ROUND_DOWN)
