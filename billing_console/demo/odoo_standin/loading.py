"""`load()`: creating or updating records by external id, all or nothing, with errors as messages."""

from __future__ import annotations

from typing import Any

from .access import check_access
from .conversion import CellError, convert_cell, find_database_id
from .environment import Environment
from .errors import UserError, ValidationError
from .external_ids import IMPORT_MODULE, complete_name, find_external_id
from .extraction import Extracted, Row, extract_records
from .fields import Record
from .model import Model
from .writing import create_records, write_records

Message = dict[str, Any]
Located = tuple[Exception, Message]


class _Refused(Exception):
    """Some record had errors: nothing of the call is kept."""


def load_records(env: Environment, model: str, fields: list[str], data: list[Row]) -> dict[str, Any]:
    """Return the ids of the loaded records, or `ids` False and the messages.

    A record is found by its external id (column `id`) or database id (column `.id`); one that was deleted is
    created anew. In the context, `mode` 'update' with `noupdate` True makes it insert-only for those external
    ids that were first created so.
    """
    env = env.with_context(**{IMPORT_MODULE: env.context.get("module", "__import__")})
    paths = [tuple(name.split("/")) for name in fields]
    ids: list[int] = []
    messages: list[Message] = []
    try:
        with env.store.savepoint():
            for number, extracted in enumerate(extract_records(env.registry, env.model(model), paths, data)):
                ids += _load_record(env, model, extracted, number, messages)
            if messages:
                raise _Refused
    except _Refused:
        return refuse(messages)
    return {"ids": ids, "messages": [], "nextrow": 0}


def refuse(messages: list[Message]) -> dict[str, Any]:
    """Return what load() answers when it kept nothing."""
    return {"ids": False, "messages": messages, "nextrow": 0}


def describe_error(first: int, last: int, number: int, message: str) -> Message:
    """Return the message of an error in the record that these rows hold."""
    return {
        "rows": {"from": first, "to": last},
        "type": "error",
        "record": number,
        "message": message,
    }


def _load_record(
    env: Environment, model: str, extracted: Extracted, number: int, messages: list[Message]
) -> list[int]:
    """Save one record and return its id in a list; on an error add to the messages and return none."""
    rows = (extracted.first, extracted.last)
    values, errors = _convert_cells(env, env.model(model), extracted.cells)
    if errors:
        messages += [describe_error(*rows, number, str(error)) | located for error, located in errors]
        return []
    try:
        with env.store.savepoint():
            return _save_record(env, model, extracted.cells, values)
    except Exception as error:
        messages.append(describe_error(*rows, number, _word_error(error)))
        return []


def _convert_cells(env: Environment, model: Model, cells: Record) -> tuple[Record, list[Located]]:
    values: Record = {}
    errors: list[Located] = []
    for name, cell in cells.items():
        if name in {"id", ".id"}:
            continue
        label = model.fields[name].label
        try:
            values[name] = convert_cell(env, model.fields[name], cell, label)
        except (CellError, UserError) as error:
            errors.append((error, _locate(name, label, error)))
    return values, errors


def _save_record(env: Environment, model: str, cells: Record, values: Record) -> list[int]:
    check_access(env, model, is_reading=False)
    is_update_mode = env.context.get("mode") == "update"
    if not cells.get("id"):
        return _save_by_database_id(env, model, cells.get(".id"), values, is_update_mode)
    name = complete_name(env, str(cells["id"]))
    entry = find_external_id(env, name)
    if entry is None:
        return create_records(env, model, [{**values, "id": name}])
    if entry["model"] != model:
        raise ValidationError(
            f"For external id {name} when trying to create/update a record of model {model} "
            f"found record of different model {entry['model']} ({entry['id']})"
        )
    if not (is_update_mode and entry["noupdate"]):
        write_records(env, model, [entry["res_id"]], values)
    return [entry["res_id"]]


def _save_by_database_id(
    env: Environment, model: str, cell: Any, values: Record, is_update_mode: bool
) -> list[int]:
    if cell:
        record_id = find_database_id(env, model, cell, "ID")
        write_records(env, model, [record_id], values)
        return [record_id]
    # In update mode Odoo creates nothing that it could not find again.
    return [] if is_update_mode else create_records(env, model, [values])


def _word_error(error: Exception) -> str:
    if isinstance(error, UserError | CellError):
        return str(error)
    return f"Unknown error during import: {type(error)}: {error}"


def _locate(name: str, label: str, error: Exception) -> Message:
    located: Message = {"field": name}
    if isinstance(error, CellError) and error.model:
        located["moreinfo"] = {
            "name": "Possible Values",
            "type": "ir.actions.act_window",
            "target": "new",
            "view_mode": "list,form",
            "views": [[False, "list"], [False, "form"]],
            "context": {"create": False},
            "help": "See all possible values",
            "res_model": "ir.model.data",
            "domain": [["model", "=", error.model]],
        }
    return located | {"field_name": label}
