"""Turning the cells of a load() into values: numbers and ids may be strings, references three things."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .environment import Environment
from .external_ids import complete_name, find_external_id
from .fields import Field, Kind, Record, read_date, read_datetime, read_number
from .writing import CREATE, LINK, SET, UPDATE

REFERENCE_COLUMNS = {"id": "external id", ".id": "database id", "": "name"}


class CellError(Exception):
    """A cell that is not a value of its field; `model` is where possible values are, when it refers."""

    def __init__(self, message: str, model: str = "") -> None:
        super().__init__(message)
        self.model = model


def convert_cell(env: Environment, definition: Field, cell: Any, label: str) -> Any:
    """Return the value to create or write with; CellError names the field by its label."""
    if definition.kind is Kind.ONE2MANY:
        commands = [_convert_line(env, definition, line, label) for line in cell]
        return [command for line in commands for command in line]
    if definition.kind is Kind.MANY2MANY:
        return [[SET, 0, _find_all(env, definition, cell, label)]]
    if definition.kind is Kind.MANY2ONE:
        return next(iter(_find_all(env, definition, cell, label)), False)
    if definition.kind is not Kind.BOOLEAN and not cell:
        return False
    return PLAIN[definition.kind](definition, cell, label)


def find_database_id(env: Environment, model: str, cell: Any, label: str) -> int:
    """Return the id in a '.id' cell; CellError when no record has it."""
    written = str(cell)
    if not written.isdecimal():
        raise CellError(f"Invalid database id '{written}' for the field '{label}'", model)
    if env.store.get(model, int(written)) is None:
        raise _no_match(".id", written, label, model)
    return int(written)


def _convert_line(env: Environment, definition: Field, cells: Record, label: str) -> list[list[Any]]:
    """Return the commands that update the line of this external or database id, or create one."""
    child = env.model(definition.relation)
    values = {
        name: convert_cell(env, child.field(name), cell, f"{label}/{child.field(name).label}")
        for name, cell in cells.items()
        if name not in {"id", ".id"}
    }
    line_id = _find_line(env, child.name, cells, label)
    if line_id:
        return [[LINK, line_id, 0], [UPDATE, line_id, values]]
    if cells.get("id"):
        values["id"] = cells["id"]
    return [[CREATE, 0, values]]


def _find_line(env: Environment, model: str, cells: Record, label: str) -> int | None:
    if cells.get(".id"):
        return find_database_id(env, model, cells[".id"], label)
    entry = find_external_id(env, complete_name(env, cells["id"])) if cells.get("id") else None
    return entry["res_id"] if entry else None


def _find_all(env: Environment, definition: Field, cell: Any, label: str) -> list[int]:
    """Return the ids a reference cell names; several are separated by commas."""
    column, content = next(iter(cell.items())) if isinstance(cell, dict) else ("", cell)
    if content in ("", None, False):
        return []
    is_many = definition.kind is Kind.MANY2MANY
    written = [part.strip() for part in str(content).split(",")] if is_many else [str(content)]
    return [FINDERS[column](env, definition.relation, part, label) for part in written]


def _find_by_external_id(env: Environment, model: str, written: str, label: str) -> int:
    entry = find_external_id(env, complete_name(env, written))
    if entry is None or entry["model"] != model:
        raise _no_match("id", written, label, model)
    return int(entry["res_id"])


def _find_by_name(env: Environment, model: str, written: str, label: str) -> int:
    for record in env.store.list_records(model):
        if env.display_name(model, record["id"]) == written:
            return int(record["id"])
    raise _no_match("", written, label, model)


def _no_match(column: str, written: str, label: str, model: str) -> CellError:
    kind = REFERENCE_COLUMNS[column]
    return CellError(f"No matching record found for {kind} '{written}' in field '{label}'", model)


FINDERS: dict[str, Callable[[Environment, str, str, str], int]] = {
    "id": _find_by_external_id,
    ".id": find_database_id,
    "": _find_by_name,
}


def _convert_boolean(_definition: Field, cell: Any, label: str) -> bool:
    written = str(cell or "").lower()
    if written in {"1", "true", "yes"}:
        return True
    if written in {"", "0", "false", "no"}:
        return False
    raise CellError(f"Unknown value '{cell}' for boolean field '{label}'")


def _convert_integer(_definition: Field, cell: Any, label: str) -> int:
    try:
        return int(str(cell))
    except ValueError:
        raise CellError(f"'{cell}' does not seem to be an integer for field '{label}'") from None


def _convert_number(_definition: Field, cell: Any, label: str) -> Any:
    try:
        return read_number(cell)
    except ValueError:
        raise CellError(f"'{cell}' does not seem to be a number for field '{label}'") from None


def _convert_text(_definition: Field, cell: Any, _label: str) -> str:
    return str(cell)


def _convert_date(_definition: Field, cell: Any, label: str) -> str:
    try:
        return read_date(cell)
    except ValueError:
        raise CellError(f"'{cell}' does not seem to be a valid date for field '{label}'") from None


def _convert_datetime(_definition: Field, cell: Any, label: str) -> str:
    try:
        return read_datetime(cell)
    except ValueError:
        raise CellError(f"'{cell}' does not seem to be a valid datetime for field '{label}'") from None


def _convert_option(definition: Field, cell: Any, label: str) -> str:
    for key, shown in definition.options.items():
        if str(cell) in (key, shown):
            return key
    raise CellError(f"Value '{cell}' not found in selection field '{label}'")


PLAIN: dict[Kind, Callable[[Field, Any, str], Any]] = {
    Kind.CHAR: _convert_text,
    Kind.TEXT: _convert_text,
    Kind.BOOLEAN: _convert_boolean,
    Kind.INTEGER: _convert_integer,
    Kind.FLOAT: _convert_number,
    Kind.MONETARY: _convert_number,
    Kind.DATE: _convert_date,
    Kind.DATETIME: _convert_datetime,
    Kind.SELECTION: _convert_option,
}
