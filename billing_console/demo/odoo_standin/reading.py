"""Answering records as an Odoo client receives them, and describing their fields."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from .environment import Environment
from .errors import AccessError
from .fields import DATETIME_LENGTH, TO_MANY, Field, Kind, Record
from .model import Model

CLASSIC_READ = "_classic_read"


def read_records(
    env: Environment,
    model: str,
    records: Iterable[Record],
    fields: list[str] | None = None,
    load: str | None = CLASSIC_READ,
) -> list[Record]:
    """Return the records with their id and the fields asked for, all when none are.

    Numbers become JSON floats, an empty value False, a many2one [id, name]; a bare id when `load` is not
    the classic one. An unknown field is a ValueError.
    """
    definition = env.model(model)
    asked = [(name, definition.field(name)) for name in fields or definition.fields if name != "id"]
    return [
        {"id": record["id"]}
        | {name: _answer(env, field, env.value(model, record, name), load) for name, field in asked}
        for record in records
    ]


def check_visible(env: Environment, model: str, records: Iterable[Record]) -> None:
    """Raise AccessError for a record of another company than those asked for."""
    for record in records:
        if not env.is_visible(model, record):
            raise AccessError(
                f"Access to unauthorized or invalid companies: {env.model(model).label} ({model}), "
                f"record {record['id']}."
            )


def describe_fields(
    env: Environment, model: str, allfields: list[str] | None, attributes: list[str] | None
) -> dict[str, dict[str, Any]]:
    """Return what `fields_get` answers; names that do not exist are left out."""
    definition = env.model(model)
    described = {}
    for name, field in definition.fields.items():
        if not allfields or name in allfields:
            every = _describe_field(definition, name, field)
            described[name] = {key: every[key] for key in every if not attributes or key in attributes}
    return described


def _answer(env: Environment, field: Field, value: Any, load: str | None) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    if value is False or field.kind in TO_MANY:
        return value
    if field.kind is Kind.DATETIME:
        return value[:DATETIME_LENGTH]
    if field.kind is Kind.MANY2ONE and load == CLASSIC_READ:
        return [value, env.display_name(field.relation, value)]
    return value


def _describe_field(model: Model, name: str, field: Field) -> dict[str, Any]:
    described: dict[str, Any] = {
        "name": name,
        "type": field.kind.value,
        "string": field.label,
        "required": field.required,
        "readonly": not field.is_stored and field.kind is not Kind.ONE2MANY,
        "store": field.is_stored,
        "searchable": True,
        "sortable": field.is_stored,
    }
    if field.kind is Kind.FLOAT:
        described["digits"] = [16, field.digits] if field.digits is not None else False
    if field.kind is Kind.MONETARY and "currency_id" in model.fields:
        described["currency_field"] = "currency_id"
    if field.kind is Kind.SELECTION:
        described["selection"] = [list(option) for option in field.options.items()]
    if field.relation:
        described |= {"relation": field.relation, "domain": [], "context": {}}
    if field.kind is Kind.ONE2MANY:
        described["relation_field"] = field.inverse
    return described
