"""The intake: events as services post them become rows, durably, each at most once."""

import os
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import msgspec
import psycopg
from django.db import DataError, IntegrityError, connection, transaction
from django.utils import timezone
from psycopg.types.json import Jsonb

from ingest.errors import DomainError


class PostedEvent(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One usage event as a service posted it: checked and typed, not yet stored.

    Without a timestamp it happened when it was received. `properties` is an object as the sender wrote it;
    nothing here reads it. Encoded as JSON, a sequence of these is the parameter of the statements below.
    """

    public_id: str
    transaction_id: str
    code: str
    properties: msgspec.Raw
    external_subscription_id: str | None = None
    timestamp: datetime | None = None
    precise_total_amount_cents: Decimal | None = None
    # When it was received, for history that comes from elsewhere; else now.
    received_at: datetime | None = None


class Refusal(StrEnum):
    """Why one event keeps a request from being stored."""

    DUPLICATE = "duplicate"
    UNSTORABLE_PROPERTIES = "unstorable_properties"


class EventsRefused(DomainError):
    """None of the events was stored: `refusals` says why, by the index of every event that is to blame."""

    def __init__(self, refusals: Mapping[int, Refusal]) -> None:
        super().__init__("events_refused", "Some of the events cannot be stored, so none of them was.")
        self.refusals = refusals


# A plain INSERT is all or nothing by itself, one round trip, and a quarter cheaper than ON CONFLICT DO NOTHING,
# which looks each key up before it inserts it: what is stored already is looked for only when the unique key
# has refused. Every writer inserts in the order of that key, so that two overlapping batches wait for one
# another and never deadlock. A metric's quantity is read here, once (Lago: which events count).
STORE = """
INSERT INTO ingest_usageevent (
    public_id, service_id, external_subscription_id, transaction_id, code, timestamp, properties,
    precise_total_amount_cents, quantity, received_at, key_id
)
SELECT posted.public_id, %(service_id)s::bigint, posted.external_subscription_id, posted.transaction_id,
    posted.code, coalesce(posted.timestamp, %(received_at)s::timestamptz), posted.properties,
    posted.precise_total_amount_cents, numeric_property(posted.properties, metric.field_name),
    coalesce(posted.received_at, %(received_at)s::timestamptz), %(key_id)s::bigint
FROM jsonb_to_recordset(%(events)s) AS posted (
    public_id uuid, external_subscription_id text, transaction_id text, code text, timestamp timestamptz,
    properties jsonb, precise_total_amount_cents numeric, received_at timestamptz
)
LEFT JOIN ingest_metric AS metric
    ON metric.service_id = %(service_id)s::bigint AND metric.code = posted.code AND metric.field_name <> ''
    AND metric.deleted_at IS NULL
ORDER BY posted.external_subscription_id COLLATE "C", posted.transaction_id COLLATE "C"
"""

# LIMIT keeps this a lookup in the unique index for each event, whatever the planner thinks of the table's size.
FIND_DUPLICATES = """
SELECT posted.index
FROM (
    SELECT *, row_number() OVER (PARTITION BY external_subscription_id, transaction_id ORDER BY index) AS turn
    FROM jsonb_to_recordset(%(events)s) AS event (
        index int, external_subscription_id text, transaction_id text
    )
) AS posted
LEFT JOIN LATERAL (
    SELECT true AS is_stored
    FROM ingest_usageevent AS event
    WHERE event.service_id = %(service_id)s::bigint
        AND event.external_subscription_id = posted.external_subscription_id
        AND event.transaction_id = posted.transaction_id
    LIMIT 1
) AS known ON true
WHERE known.is_stored OR posted.turn > 1
"""

# Compared are the fields as they were sent: an event without a time happened when it was received, and what a
# metric's expression computed replaced what was sent. A later one of the same request is compared with the first.
FIND_IDENTICAL = """
WITH posted AS (
    SELECT *, min(index) OVER (PARTITION BY external_subscription_id, transaction_id) AS first
    FROM jsonb_to_recordset(%(events)s) AS event (
        index int, external_subscription_id text, transaction_id text, code text, timestamp timestamptz,
        properties jsonb, precise_total_amount_cents numeric, computed text
    )
)
SELECT posted.index
FROM posted
JOIN posted AS earliest ON earliest.index = posted.first
LEFT JOIN LATERAL (
    SELECT event.code, event.timestamp, event.received_at, event.properties, event.precise_total_amount_cents
    FROM ingest_usageevent AS event
    WHERE event.service_id = %(service_id)s::bigint
        AND event.external_subscription_id = posted.external_subscription_id
        AND event.transaction_id = posted.transaction_id
    LIMIT 1
) AS stored ON true
WHERE CASE WHEN stored.code IS NOT NULL
    THEN stored.code = posted.code AND stored.timestamp = coalesce(posted.timestamp, stored.received_at)
        AND stored.precise_total_amount_cents IS NOT DISTINCT FROM posted.precise_total_amount_cents
        AND CASE WHEN posted.computed IS NULL THEN stored.properties = posted.properties
            ELSE stored.properties - posted.computed = posted.properties - posted.computed END
    ELSE posted.index > posted.first AND earliest.code = posted.code
        AND earliest.timestamp IS NOT DISTINCT FROM posted.timestamp
        AND earliest.precise_total_amount_cents IS NOT DISTINCT FROM posted.precise_total_amount_cents
        AND CASE WHEN posted.computed IS NULL THEN earliest.properties = posted.properties
            ELSE earliest.properties - posted.computed = posted.properties - posted.computed END
    END
"""


def make_public_ids(count: int) -> list[str]:
    """Random UUIDs of version 4 for new events, at a fifth of the cost of `uuid.uuid4`."""
    digits = os.urandom(16 * count).hex()
    drawn = (digits[start : start + 32] for start in range(0, 32 * count, 32))
    return [f"{d[:8]}-{d[8:12]}-4{d[13:16]}-a{d[17:20]}-{d[20:]}" for d in drawn]


def store_events(
    *,
    service_id: int,
    events: Sequence[PostedEvent],
    received_at: datetime | None = None,
    key_id: int | None = None,
) -> datetime:
    """Stores all of the events, or none; returns when they were received, which is now unless told.

    `key_id` is the key that they were sent with, if any.

    Outside a transaction they are committed when this returns; inside one they are as durable as it is. Codes
    and subscriptions need not exist. Raises EventsRefused.
    """
    received_at = received_at or timezone.now()
    parameters = {
        "service_id": service_id,
        "events": _encode(events),
        "received_at": received_at,
        "key_id": key_id,
    }
    try:
        with _all_or_nothing():
            _execute(STORE, parameters)
    except (IntegrityError, DataError):
        refusals = find_refusals(service_id=service_id, events=events)
        if not refusals:
            raise
        raise EventsRefused(refusals) from None
    return received_at


def find_refusals(*, service_id: int, events: Sequence[PostedEvent]) -> dict[int, Refusal]:
    """The events that cannot be stored, by their index.

    A duplicate is stored already, or repeats an earlier one of the sequence that can be stored (Lago: duplicate
    semantics).
    """
    unstorable = dict.fromkeys(_find_unstorable(events), Refusal.UNSTORABLE_PROPERTIES)
    duplicates = dict.fromkeys(_find_duplicates(service_id, events, unstorable), Refusal.DUPLICATE)
    return unstorable | duplicates


def find_identical(
    *, service_id: int, events: Mapping[int, PostedEvent], computed: Mapping[str, str]
) -> set[int]:
    """Which events say the same as the stored one of their key, else as the first of their key among these.

    `computed` names by code the property that an expression gives, which is not compared.
    """
    told = [
        {"index": index, **msgspec.structs.asdict(event), "computed": computed.get(event.code)}
        for index, event in events.items()
    ]
    rows = _execute(FIND_IDENTICAL, {"service_id": service_id, "events": _encode(told)})
    return {index for (index,) in rows}


def _find_unstorable(events: Sequence[PostedEvent]) -> list[int]:
    """What jsonb cannot hold (U+0000, 1e400000) only PostgreSQL knows: asks for all, then for each alone."""
    if _is_storable(events):
        return []
    return [index for index, event in enumerate(events) if not _is_storable([event])]


def _is_storable(events: Sequence[PostedEvent]) -> bool:
    try:
        with _all_or_nothing():
            _execute("SELECT %(events)s IS NULL", {"events": _encode(events)})
    except DataError:
        return False
    return True


def _find_duplicates(service_id: int, events: Sequence[PostedEvent], unstorable: Container[int]) -> list[int]:
    """A null subscription never collides, because SQL nulls are distinct."""
    keys = [
        {
            "index": index,
            "external_subscription_id": event.external_subscription_id,
            "transaction_id": event.transaction_id,
        }
        for index, event in enumerate(events)
        if event.external_subscription_id is not None and index not in unstorable
    ]
    return [
        index for (index,) in _execute(FIND_DUPLICATES, {"service_id": service_id, "events": _encode(keys)})
    ]


def _encode(events: Sequence[PostedEvent | dict[str, Any]]) -> Jsonb:
    return Jsonb(events, dumps=msgspec.json.encode)


def _all_or_nothing() -> AbstractContextManager[None]:
    """A savepoint inside a transaction; outside one a statement needs nothing to be all or nothing."""
    return transaction.atomic() if connection.in_atomic_block else nullcontext()


def _execute(statement: str, parameters: Mapping[str, Any]) -> list[Any]:
    """Runs a prepared statement, with its parameters beside it: Django's cursors write them into its text."""
    with _open_cursor() as cursor:
        cursor.execute(statement, parameters, prepare=True)
        return cursor.fetchall() if cursor.description else []


@contextmanager
def _open_cursor() -> Iterator[psycopg.Cursor[Any]]:
    connection.ensure_connection()
    session = connection.connection
    with connection.wrap_database_errors, psycopg.Cursor(session) as cursor:
        # Django turns preparing off for its own cursors on the same connection.
        session.prepare_threshold = 0
        try:
            yield cursor
        finally:
            session.prepare_threshold = None
