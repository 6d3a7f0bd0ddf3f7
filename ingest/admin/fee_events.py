"""The events of one fee as a download that a spreadsheet opens safely."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import TextField
from django.db.models.functions import Cast
from django.http import StreamingHttpResponse

from ingest.fee_events import events_of
from ingest.models import Fee, UsageEvent
from ingest.screens.spreadsheets import stream_csv

# Fees with all that says which events are theirs.
FEES = Fee.objects.select_related(
    "subscription__service",
    "charge__metric",
    "charge_version",
    "of_fee__subscription",
    "of_fee__charge__metric",
    "of_fee__charge_version",
)
HEADERS = (
    "transaction id",
    "subscription",
    "metric code",
    "used at",
    "received at",
    "late",
    "quantity",
    "properties",
    "precise total amount in cents",
    "id",
)
CHUNK = 2_000


def stream_events(fee: Fee) -> StreamingHttpResponse:
    """The fee's events in time order, read from the database while they are sent."""
    name = f"events-{fee.period_label}-{fee.public_id}.csv"
    return stream_csv(name=name, headers=HEADERS, rows=_rows(fee))


def _rows(fee: Fee) -> Iterator[tuple[Any, ...]]:
    origin = fee.of_fee or fee
    closed_at = origin.period_end + timedelta(hours=fee.subscription.service.grace_hours)
    # The database writes the properties: every digit of a number is as it was posted.
    events = events_of(fee).annotate(written=Cast("properties", TextField())).defer("properties")
    for event in events.order_by("timestamp", "received_at", "pk").iterator(CHUNK):
        yield _row(event, event.written, closed_at)


def _row(event: UsageEvent, properties: str, closed_at: datetime) -> tuple[Any, ...]:
    return (
        event.transaction_id,
        event.external_subscription_id,
        event.code,
        event.timestamp.astimezone(UTC).isoformat(),
        event.received_at.astimezone(UTC).isoformat(),
        "yes" if event.received_at > closed_at else "no",
        "" if event.quantity is None else event.quantity,
        properties,
        "" if event.precise_total_amount_cents is None else event.precise_total_amount_cents,
        str(event.public_id),
    )
