"""How often what is stored already is sent again: counted by key and day, at the cost of one statement."""

from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta

from django.db import connection
from django.db.models import Sum

from ingest.models import Resend

# One round trip: the transaction of the statement does not wait for the disk, so that requests of one key that
# are refused at once do not queue up for the row. A crash may forget the count's last moments; it is no evidence.
COUNT = """
WITH hurried AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
INSERT INTO ingest_resend AS resend (key_id, day, refused, identical)
SELECT %(key_id)s, %(day)s, %(refused)s, %(identical)s FROM hurried
ON CONFLICT (key_id, day) DO UPDATE SET
    refused = resend.refused + excluded.refused, identical = resend.identical + excluded.identical
"""


def count_resends(*, key_id: int, at: datetime, refused: int, identical: int) -> None:
    """Adds to what a key sent again that day, if it is anything."""
    if not refused and not identical:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            COUNT,
            {
                "key_id": key_id,
                "day": at.astimezone(UTC).date(),
                "refused": refused,
                "identical": identical,
            },
        )


def read_resends(*, service_id: int, start: datetime, end: datetime) -> dict[int, int]:
    """How many events each key of a service sent again on the days (UTC) that `[start, end)` touches."""
    first, last = _days_of(start, end)
    rows = Resend.objects.filter(key__service=service_id, day__range=(first, last))
    found: dict[int, int] = defaultdict(int)
    for key, refused, identical in (
        rows.order_by().values_list("key").annotate(Sum("refused"), Sum("identical"))
    ):
        found[key] = refused + identical
    return dict(found)


def start_of(day: date) -> datetime:
    """When a day begins, in UTC."""
    return datetime.combine(day, time.min, UTC)


def _days_of(start: datetime, end: datetime) -> tuple[date, date]:
    last = max(start, end - timedelta.resolution)
    return start.astimezone(UTC).date(), last.astimezone(UTC).date()
