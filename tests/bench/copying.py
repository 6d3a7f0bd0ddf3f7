"""Raw COPY: what the database can take at most, over one connection, into the same table."""

import json
import time
from datetime import UTC, datetime
from uuid import uuid4

import psycopg

from tests.bench.posting import make_events
from tests.bench.stage import Stage

TRANSACTIONS = 5
ROWS = 20_000
COPY = """
COPY ingest_usageevent (
    public_id, service_id, external_subscription_id, transaction_id, code, timestamp, properties, quantity,
    received_at
) FROM STDIN
"""


def copy_rows(stage: Stage) -> float:
    """Rows per second, 20,000 a transaction, their text made beforehand."""
    chunks = [make_lines(stage.service_id) for _ in range(TRANSACTIONS)]
    with psycopg.connect(stage.database_url) as session:
        started = time.perf_counter()
        for chunk in chunks:
            with session.cursor() as cursor, cursor.copy(COPY) as copy:
                copy.write(chunk)
            session.commit()
        return TRANSACTIONS * ROWS / (time.perf_counter() - started)


def make_lines(service_id: int) -> bytes:
    """One transaction's rows in COPY's text format."""
    now = datetime.now(UTC).isoformat()
    return "".join(
        "\t".join(
            (
                str(uuid4()),
                str(service_id),
                event["external_subscription_id"],
                event["transaction_id"],
                event["code"],
                datetime.fromtimestamp(float(event["timestamp"]), UTC).isoformat(),
                json.dumps(event["properties"]),
                event["properties"]["amount"],
                now,
            )
        )
        + "\n"
        for event in make_events(ROWS)
    ).encode()
