"""`formatted_read_group`: sums and counts of records by the values of their fields."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from .environment import Environment
from .fields import Kind, Record
from .searching import search_records

Group = tuple[Any, ...]

AGGREGATES: dict[str, Callable[[list[Any]], Any]] = {
    "sum": lambda values: sum(values, Decimal(0)),
    "min": min,
    "max": max,
    "array_agg": list,
}


def group_records(
    env: Environment, model: str, domain: list[Any], groupby: list[str], aggregates: list[str]
) -> list[Record]:
    """Return one row per combination of the fields' values, in their order, with the aggregates asked for."""
    groups: dict[Group, list[Record]] = defaultdict(list)
    for record in search_records(env, model, domain, order="id"):
        groups[tuple(env.value(model, record, name) for name in groupby)].append(record)
    return [
        _format_keys(env, model, dict(zip(groupby, group, strict=True)))
        | {aggregate: _aggregate(env, model, aggregate, groups[group]) for aggregate in aggregates}
        for group in sorted(groups, key=lambda group: [_sort_key(value) for value in group])
    ]


def _format_keys(env: Environment, model: str, keys: Record) -> Record:
    """Return the values that make a group, as read, and the domain that finds its records."""
    row: Record = {}
    for name, value in keys.items():
        field = env.model(model).field(name)
        is_named = field.kind is Kind.MANY2ONE and value
        row[name] = [value, env.display_name(field.relation, value)] if is_named else value
    conditions: list[Any] = [[name, "=", value] for name, value in keys.items()]
    row["__extra_domain"] = ["&"] * (len(conditions) - 1) + conditions
    return row


def _aggregate(env: Environment, model: str, aggregate: str, records: list[Record]) -> Any:
    if aggregate == "__count":
        return len(records)
    name, _, function = aggregate.partition(":")
    if function not in AGGREGATES:
        raise ValueError(f"Invalid aggregate method {function!r} for {aggregate!r}.")
    env.model(model).field(name)
    return AGGREGATES[function]([env.value(model, record, name) for record in records])


def _sort_key(value: Any) -> tuple[bool, str, Any]:
    return (value is False, type(value).__name__, value)
