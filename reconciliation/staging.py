"""Staging: a file's lines in a table of the session, from where they come back bill by bill, in constant memory."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import msgspec
from django.db import connection

from reconciliation.connectors.files.records import ExternalLine, RowError
from reconciliation.statements import StatementKey

# Rows fetched at a time.
CHUNK = 2_000
MOST_TOLD = 1_000

_CREATE = """
DROP TABLE IF EXISTS pg_temp.staged_line;
CREATE TEMP TABLE staged_line (
    customer text COLLATE "C" NOT NULL, currency text COLLATE "C" NOT NULL, period_start date, period_end date,
    number text COLLATE "C" NOT NULL, line_row integer NOT NULL, raw_digest bytea NOT NULL, payload bytea NOT NULL
) ON COMMIT DROP
"""
_KEY = "customer, currency, period_start, period_end, number"
_COPY = f"COPY staged_line ({_KEY}, line_row, raw_digest, payload) FROM STDIN (FORMAT BINARY)"
_TYPES = ["text", "text", "date", "date", "text", "int4", "bytea", "bytea"]
_INDEX = f"CREATE INDEX ON staged_line ({_KEY}, line_row)"
_CUSTOMERS = "SELECT DISTINCT customer FROM staged_line WHERE customer > %s ORDER BY customer LIMIT %s"
_READ = f"SELECT {_KEY}, payload FROM staged_line WHERE customer BETWEEN %s AND %s ORDER BY {_KEY}, line_row"
_DUPLICATES = f"""
SELECT max(line_row), min(line_row) FROM staged_line
GROUP BY {_KEY}, raw_digest HAVING count(*) > 1 ORDER BY 1 LIMIT {MOST_TOLD}
"""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(ExternalLine).decode

Staged = tuple[StatementKey, bytes, ExternalLine]


def stage(lines: Iterable[Staged]) -> int:
    """Writes the lines, each with its bill's key and its row's digest; returns how many.

    Inside of a transaction, whose end drops the table.
    """
    staged = 0
    with connection.cursor() as cursor:
        cursor.execute(_CREATE)
        remaining = iter(lines)
        # Piece by piece: reading a line may ask the database something, which a COPY under way would block.
        while piece := list(islice(remaining, CHUNK)):
            with cursor.copy(_COPY) as copy:
                copy.set_types(_TYPES)
                for key, digest, line in piece:
                    copy.write_row((*key, line.row, digest, _encode(line)))
            staged += len(piece)
        cursor.execute(_INDEX)
        cursor.execute("ANALYZE staged_line")
    return staged


def read_customers(size: int) -> Iterator[list[str]]:
    """Whom the lines are of, so many at a time, in the order of their ids' bytes."""
    last = ""
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_CUSTOMERS, [last, size])
            customers = [customer for (customer,) in cursor.fetchall()]
        if not customers:
            return
        yield customers
        last = customers[-1]


def read_bills(customers: Sequence[str]) -> Iterator[tuple[StatementKey, ExternalLine]]:
    """The lines of customers that follow each other, those of one bill together, in the order of the file."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(_READ, [customers[0], customers[-1]])
        while rows := cursor.fetchmany(CHUNK):
            for *key, payload in rows:
                yield StatementKey(*key), _decode(payload)


def find_duplicates() -> list[RowError]:
    """Rows that are the same as another one of their bill in every cell: nobody can tell whether they count twice."""
    with connection.cursor() as cursor:
        cursor.execute(_DUPLICATES)
        return [
            RowError(row, "", "duplicate_line", f"is the same as row {first} in every cell")
            for row, first in cursor.fetchall()
        ]
