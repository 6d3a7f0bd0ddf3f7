"""Many rows in one statement: inserted, put in place of those with the same key, or changed each in its own way."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from django.db import connection, models
from django.db.models import JSONField, Value

# How a row's text says what a column must hold for the row to be changed.
WAS = "was_"

Row = Mapping[str, Any]

# The rows go as one JSON document; decimals and dates in it are texts, which PostgreSQL reads to the last digit.
UPSERT = """
INSERT INTO {table} ({columns})
SELECT {values} FROM jsonb_to_recordset(%s::jsonb) AS row ({types})
ON CONFLICT ({key}) DO UPDATE SET {changes}
"""

UPDATE = """
UPDATE {table} AS kept SET {changes} FROM jsonb_to_recordset(%s::jsonb) AS row ({types})
WHERE kept.id = row.id {conditions} RETURNING kept.id
"""


def update(model: type[models.Model], rows: Sequence[Row]) -> set[int]:
    """Changes rows by their id, each to its own values; returns the ids of those that were changed.

    All have the same columns. A column `was_…` is a condition: a row that no longer holds that is left as it is.
    """
    if not rows:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(_write_update(model, tuple(rows[0])), [json.dumps(rows, default=str)])
        return {row_id for (row_id,) in cursor.fetchall()}


@cache
def _write_update(model: type[models.Model], names: tuple[str, ...]) -> str:
    fields = {name: model._meta.get_field(name.removeprefix(WAS)) for name in names}
    held = [name for name in names if name.startswith(WAS)]
    changes = {name: field for name, field in fields.items() if name not in held and name != "id"}
    conditions = [f"AND kept.{fields[name].name} IS NOT DISTINCT FROM row.{name}" for name in held]
    return UPDATE.format(
        table=model._meta.db_table,
        changes=", ".join(f"{name} = {_value(field)}" for name, field in changes.items()),
        types=", ".join(f"{name} {_type(field)}" for name, field in fields.items()),
        conditions=" ".join(conditions),
    )


def upsert(model: type[models.Model], rows: Sequence[Row], *, key: str) -> None:
    """Stores rows that all have the same columns; one of the same key is replaced in those columns.

    A text that is too long for its column is cut: what comes from outside has no limit, and stops nothing.
    """
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(_write(model, tuple(rows[0]), key), [json.dumps(rows, default=str)])


def as_literal(document: Any) -> Value:
    """A large document for `bulk_create`, written as a literal of its own.

    Django would put the documents of all rows into one array, whose every quote psycopg escapes in Python.
    """
    return Value(document, JSONField())


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
