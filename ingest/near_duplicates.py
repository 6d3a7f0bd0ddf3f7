"""Events that may be one event sent twice under two ids: found and told, never dropped."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from ingest.models import UsageEvent

# As far apart as a sender's two readings of the clock for one event.
APART = timedelta(seconds=1)
# How long before the events that are asked about those that they repeat may have been received.
LOOK_BACK = timedelta(days=1)
SHOWN = 5

# A run: each event within a second of the one before, the same in all but its id. Without a subscription nothing
# is billed, twice or once.
RUNS = """
WITH placed AS (
    SELECT *, coalesce(timestamp - lag(timestamp) OVER same > %(apart)s, true) AS is_first
    FROM ingest_usageevent
    WHERE service_id = %(service)s AND received_at >= %(look_back)s AND received_at < %(end)s
        AND external_subscription_id IS NOT NULL
    WINDOW same AS (
        PARTITION BY external_subscription_id, code, properties, precise_total_amount_cents ORDER BY timestamp, id
    )
), numbered AS (
    SELECT *, count(*) FILTER (WHERE is_first) OVER (
        PARTITION BY external_subscription_id, code, properties, precise_total_amount_cents ORDER BY timestamp, id
    ) AS number
    FROM placed
), run AS (
    SELECT external_subscription_id, code, min(timestamp) AS happened_at, max(received_at) AS received_at,
        count(*) AS events_count, (array_agg(id ORDER BY id))[:%(shown)s] AS events, max(id) AS newest
    FROM numbered
    GROUP BY external_subscription_id, code, properties, precise_total_amount_cents, number
    HAVING count(*) > 1 AND max(received_at) >= %(start)s
)
"""
LIST = RUNS + (
    "SELECT external_subscription_id, code, happened_at, received_at, events_count, events FROM run"
    " ORDER BY newest DESC LIMIT %(limit)s"
)
COUNT = RUNS + "SELECT coalesce(sum(events_count - 1), 0) FROM run"


@dataclass(frozen=True, slots=True)
class Run:
    """Events of one subscription and code that say the same at the same time; `events` are the first of them."""

    external_subscription_id: str
    code: str
    happened_at: datetime
    received_at: datetime
    events_count: int
    events: list[int]


def find_runs(*, service_id: int, start: datetime, end: datetime, limit: int) -> list[Run]:
    """The newest runs with an event that was received in `[start, end)`."""
    return [Run(*row) for row in _ask(LIST, service_id, start, end, limit=limit)]


def count_repeats(*, service_id: int, start: datetime, end: datetime) -> int:
    """How many events of those runs would go if each run were one event."""
    ((count,),) = _ask(COUNT, service_id, start, end)
    return int(count)


def find_near(event: UsageEvent) -> QuerySet[UsageEvent]:
    """The events that one event may be the same as."""
    if event.external_subscription_id is None:
        return UsageEvent.objects.none()
    return UsageEvent.objects.filter(
        service=event.service_id,
        external_subscription_id=event.external_subscription_id,
        code=event.code,
        properties=event.properties,
        precise_total_amount_cents=event.precise_total_amount_cents,
        timestamp__range=(event.timestamp - APART, event.timestamp + APART),
    ).exclude(pk=event.pk)


def _ask(statement: str, service_id: int, start: datetime, end: datetime, **more: int) -> list[tuple]:
    parameters: dict[str, Any] = {
        "service": service_id,
        "start": start,
        "end": end,
        "look_back": start - LOOK_BACK,
        "apart": APART,
        "shown": SHOWN,
        **more,
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall()
