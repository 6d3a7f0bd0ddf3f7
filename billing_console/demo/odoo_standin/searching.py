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
    matches = compile_domain(env, model, domain)
    has_archived = _asks_for_archived(env, definition, domain)
    found = [
        record
        for record in _list_candidates(env, definition, domain)
        if (has_archived or record["active"]) and matches(record) and env.is_visible(model, record)
    ]
    ordered = _sort_records(env, definition, found, order or definition.order)
    return ordered[offset or 0 :][: limit or None]


def _asks_for_archived(env: Environment, model: Model, domain: list[Any]) -> bool:
    """Whether archived records count: a condition on `active`, or the context, says so."""
    is_mentioned = any(isinstance(term, list | tuple) and term[:1] == ["active"] for term in domain)
    return "active" not in model.fields or is_mentioned or env.context.get("active_test") is False


def _list_candidates(env: Environment, model: Model, domain: list[Any]) -> list[Record]:
    """Return the few records that an index names for one of the conditions, or all there are."""
    if "|" in domain or "!" in domain:
        return env.store.list_records(model.name)
    for term in domain:
        if term == "&" or term[1] not in {"=", "in"}:
            continue
        name, _, value = term
        values = value if isinstance(value, list | tuple) else [value]
        if name == "id":
            return env.list_existing(model.name, dict.fromkeys(values))
        if _is_in_index(model, name, values):
            ids = {
                record_id for wanted in values for record_id in env.store.find_ids(model.name, name, wanted)
            }
            return env.browse(model.name, sorted(ids))
    return env.store.list_records(model.name)


def _is_in_index(model: Model, name: str, values: list[Any] | tuple[Any, ...]) -> bool:
    """Whether the index tells all records with these values: it knows ids, not display names."""
    if name not in model.fields or not model.fields[name].is_indexed:
        return False
    known = (int,) if model.fields[name].relation else (int, str)
    return all(isinstance(value, known) for value in values)


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
