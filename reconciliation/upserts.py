"""Many rows in one statement: inserted, or in place of those with the same key."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from django.db import connection, models

Row = Mapping[str, Any]

# The rows go as one JSON document; decimals and dates in it are texts, which PostgreSQL reads to the last digit.
UPSERT = """
INSERT INTO {table} ({columns})
SELECT {values} FROM jsonb_to_recordset(%s::jsonb) AS row ({types})
ON CONFLICT ({key}) DO UPDATE SET {changes}
"""


def upsert(model: type[models.Model], rows: Sequence[Row], *, key: str) -> None:
    """Stores rows that all have the same columns; one of the same key is replaced in those columns.

    A text that is too long for its column is cut: what comes from outside has no limit, and stops nothing.
    """
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(_write(model, tuple(rows[0]), key), [json.dumps(rows, default=str)])


@cache
def _write(model: type[models.Model], names: tuple[str, ...], key: str) -> str:
    fields = [model._meta.get_field(name) for name in names]
    assert all(isinstance(field, models.Field) for field in fields)
    return UPSERT.format(
        table=model._meta.db_table,
        columns=", ".join(names),
        values=", ".join(map(_value, fields)),
        types=", ".join(f"{field.name} {_type(field)}" for field in fields),
        key=key,
        changes=", ".join(f"{name} = excluded.{name}" for name in names if name != key),
    )


def _value(field: Any) -> str:
    is_cut = isinstance(field, models.CharField) and field.max_length
    return f"left(row.{field.name}, {field.max_length})" if is_cut else f"row.{field.name}"


def _type(field: Any) -> str:
    return "text" if isinstance(field, models.CharField) else str(field.db_type(connection))
