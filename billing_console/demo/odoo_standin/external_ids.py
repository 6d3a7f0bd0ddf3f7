"""External ids: the names that make an import repeatable, kept in ir.model.data."""

from __future__ import annotations

from collections.abc import Iterable

from .environment import Environment
from .errors import ValidationError
from .fields import Record

MODEL = "ir.model.data"
# Set in the context while load() runs: the module of external ids written without one.
IMPORT_MODULE = "_import_current_module"


def complete_name(env: Environment, name: str) -> str:
    """Return the external id with its module; ValidationError when its name part holds a dot."""
    complete = name if "." in name else f"{env.context[IMPORT_MODULE]}.{name}"
    if complete.count(".") > 1:
        raise ValidationError(
            f"The ID reference {name!r} must contain maximum one dot. They are used to refer to other "
            "modules ID, in the form: module.record_id"
        )
    return complete


def find_external_id(env: Environment, complete: str) -> Record | None:
    """Return the entry of 'module.name', or None."""
    ids = env.store.find_ids(MODEL, "complete_name", complete)
    return env.get(MODEL, ids[0]) if ids else None


def register_external_id(env: Environment, name: str, model: str, record_id: int) -> None:
    """Give a new record its external id; `noupdate` of the context is kept with it, once and for all.

    ValidationError when another record has it.
    """
    complete = complete_name(env, name)
    if find_external_id(env, complete):
        raise ValidationError(
            f"The operation cannot be completed: {complete} is another record's external id."
        )
    module, _, rest = complete.partition(".")
    env.insert(
        MODEL,
        {
            "complete_name": complete,
            "module": module,
            "name": rest,
            "model": model,
            "res_id": record_id,
            "noupdate": bool(env.context.get("noupdate")),
        },
    )


def forget_external_ids(env: Environment, model: str, record_id: int) -> None:
    """Drop the external ids of a record that is being deleted: the next load creates it anew."""
    for entry in _list_entries(env, model, record_id):
        env.store.remove(MODEL, entry["id"])


def check_object_reference(env: Environment, module: str, xml_id: str) -> list[str | int]:
    """Return the model and id behind an external id; ValueError when there is none."""
    entry = find_external_id(env, f"{module}.{xml_id}")
    if entry is None:
        raise ValueError(f"External ID not found in the system: {module}.{xml_id}")
    return [entry["model"], entry["res_id"]]


def get_external_ids(env: Environment, model: str, ids: Iterable[int]) -> dict[str, str]:
    """Return each id, as a string, with its first external id, or with an empty one."""
    found = {}
    for record_id in ids:
        entries = _list_entries(env, model, record_id)
        found[str(record_id)] = entries[0]["complete_name"] if entries else ""
    return found


def _list_entries(env: Environment, model: str, record_id: int) -> list[Record]:
    entries = env.browse(MODEL, env.store.find_ids(MODEL, "res_id", record_id))
    return [entry for entry in entries if entry["model"] == model]
