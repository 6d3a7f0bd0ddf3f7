"""The methods that every model answers over RPC, and how a call finds its method."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from .access import check_access
from .environment import Environment
from .errors import AccessError, MissingError
from .external_ids import get_external_ids
from .fields import Record
from .grouping import group_records
from .loading import load_records
from .reading import CLASSIC_READ, check_visible, describe_fields, read_records
from .searching import search_records
from .writing import create_records, unlink_records, write_records

Ids = int | list[int]
Domain = list[Any]


def find_method(env: Environment, model: str, method: str) -> Callable[..., Any]:
    """Return the method, ready for the caller's arguments, when the user may call it.

    UserError for an unknown model, AttributeError for an unknown method, AccessError for a private one or
    where the user lacks the rights.
    """
    definition = env.model(model)
    if method.startswith("_"):
        raise AccessError(f"Private methods (such as '{model}.{method}') cannot be called remotely.")
    own = env.registry.rules_of(model).methods.get(method)
    if own is not None and definition.is_technical:
        return partial(own, env)
    if own is not None:
        check_access(env, model, is_reading=False)
        return partial(_run_on_records, env, model, own)
    if method not in METHODS:
        raise AttributeError(f"The method '{model}.{method}' does not exist")
    if method not in CHECKING:
        check_access(env, model, is_reading=method in READING)
    return partial(METHODS[method], env, model)


def _run_on_records(env: Environment, model: str, own: Callable[..., Any], ids: Ids) -> Any:
    check_visible(env, model, env.browse(model, _as_list(ids)))
    return own(env, _as_list(ids))


def _fields_get(
    env: Environment, model: str, allfields: list[str] | None = None, attributes: list[str] | None = None
) -> dict[str, Any]:
    return describe_fields(env, model, allfields, attributes)


def _search(  # noqa: PLR0917 the order is Odoo's
    env: Environment,
    model: str,
    domain: Domain,
    offset: int = 0,
    limit: int | None = None,
    order: str | None = None,
) -> list[int]:
    found = search_records(env, model, domain, offset=offset, limit=limit, order=order)
    return [record["id"] for record in found]


def _search_read(  # noqa: PLR0917 the order is Odoo's
    env: Environment,
    model: str,
    domain: Domain | None = None,
    fields: list[str] | None = None,
    offset: int = 0,
    limit: int | None = None,
    order: str | None = None,
    load: str | None = CLASSIC_READ,
) -> list[Record]:
    found = search_records(env, model, domain, offset=offset, limit=limit, order=order)
    return read_records(env, model, found, fields, load)


def _search_count(env: Environment, model: str, domain: Domain, limit: int | None = None) -> int:
    return len(search_records(env, model, domain, limit=limit))


def _read(
    env: Environment, model: str, ids: Ids, fields: list[str] | None = None, load: str | None = CLASSIC_READ
) -> list[Record]:
    found = env.list_existing(model, _as_list(ids))
    check_visible(env, model, found)
    return read_records(env, model, found, fields, load)


def _create(env: Environment, model: str, vals_list: Record | list[Record]) -> Ids:
    if isinstance(vals_list, dict):
        return create_records(env, model, [vals_list])[0]
    return create_records(env, model, vals_list)


def _write(env: Environment, model: str, ids: Ids, vals: Record) -> bool:
    check_visible(env, model, env.browse(model, _as_list(ids)))
    write_records(env, model, _as_list(ids), vals)
    return True


def _unlink(env: Environment, model: str, ids: Ids) -> bool:
    check_visible(env, model, env.list_existing(model, _as_list(ids)))
    unlink_records(env, model, _as_list(ids))
    return True


def _get_external_id(env: Environment, model: str, ids: Ids) -> dict[str, str]:
    return get_external_ids(env, model, _as_list(ids))


def _has_access(env: Environment, model: str, ids: Ids, operation: str) -> bool:
    try:
        check_access(env, model, is_reading=operation == "read")
        check_visible(env, model, env.browse(model, _as_list(ids)))
    except (AccessError, MissingError):
        return False
    return True


def _as_list(ids: Ids) -> list[int]:
    return [ids] if isinstance(ids, int) else ids


METHODS: dict[str, Callable[..., Any]] = {
    "fields_get": _fields_get,
    "search": _search,
    "search_read": _search_read,
    "search_count": _search_count,
    "read": _read,
    "create": _create,
    "write": _write,
    "unlink": _unlink,
    "load": load_records,
    "get_external_id": _get_external_id,
    "formatted_read_group": group_records,
    "has_access": _has_access,
}

# What is called on the model as a whole; all else on records, whose ids come first.
OF_MODEL = {
    "fields_get",
    "search",
    "search_read",
    "search_count",
    "create",
    "load",
    "formatted_read_group",
    "check_object_reference",
    "context_get",
}

READING = {
    "fields_get",
    "search",
    "search_read",
    "search_count",
    "read",
    "get_external_id",
    "formatted_read_group",
}

# load() answers a refusal as one of its messages, and has_access() as its answer: they check the rights themselves.
CHECKING = {"load", "has_access"}
