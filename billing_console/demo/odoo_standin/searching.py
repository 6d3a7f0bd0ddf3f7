"""Finding records: the domain, the companies and the active flag, the order, the page."""

from __future__ import annotations

from typing import Any

from .domains import compile_domain
from .environment import Environment
from .fields import Kind, Record
from .model import Model


def search_records(
    env: Environment,
    model: str,
    domain: list[Any] | None = None,
    *,
    offset: int = 0,
    limit: int | None = None,
    order: str | None = None,
) -> list[Record]:
    """Return the records that match, are active and belong to the companies asked for."""
    domain = domain or []
    definition = env.model(model)
    matches = compile_domain(env, model, [*domain, *_add_active(env, definition, domain)])
    found = [
        record
        for record in _list_candidates(env, definition, domain)
        if matches(record) and env.is_visible(model, record)
    ]
    ordered = _sort_records(env, definition, found, order or definition.order)
    return ordered[offset:][:limit]


def _add_active(env: Environment, model: Model, domain: list[Any]) -> list[Any]:
    mentioned = any(isinstance(term, list | tuple) and term[:1] == ["active"] for term in domain)
    if "active" not in model.fields or mentioned or env.context.get("active_test") is False:
        return []
    return [["active", "=", True]]


def _list_candidates(env: Environment, model: Model, domain: list[Any]) -> list[Record]:
    """Return the few records that an index names for one of the conditions, or all there are."""
    if "|" in domain or "!" in domain:
        return env.store.list_records(model.name)
    for term in domain:
        if term == "&" or term[1] not in {"=", "in"} or term[0] not in model.fields:
            continue
        name, _, value = term
        values = value if isinstance(value, list | tuple) else [value]
        if not all(isinstance(wanted, int | str) for wanted in values):
            continue
        if name == "id":
            return env.list_existing(model.name, dict.fromkeys(values))
        if model.fields[name].is_indexed and not any(isinstance(wanted, str) for wanted in values):
            return _list_indexed(env, model.name, name, values)
    return env.store.list_records(model.name)


def _list_indexed(
    env: Environment, model: str, name: str, values: list[Any] | tuple[Any, ...]
) -> list[Record]:
    ids = {record_id for wanted in values for record_id in env.store.find_ids(model, name, wanted)}
    return env.browse(model, sorted(ids))


def _sort_records(env: Environment, model: Model, records: list[Record], order: str) -> list[Record]:
    ordered = sorted(records, key=lambda record: record["id"])
    for part in reversed(order.split(",")):
        name, _, direction = part.strip().partition(" ")
        definition = model.field(name)
        is_descending = direction.strip().lower() == "desc"

        def key(record: Record, name: str = name, relation: str = definition.relation) -> tuple[bool, Any]:
            value = env.value(model.name, record, name)
            # PostgreSQL puts nulls last when it sorts upwards and first when downwards.
            is_null = value is False and model.fields[name].kind is not Kind.BOOLEAN
            if is_null:
                return (True, "")
            return (False, env.display_name(relation, value) if relation else value)

        ordered.sort(key=key, reverse=is_descending)
    return ordered
