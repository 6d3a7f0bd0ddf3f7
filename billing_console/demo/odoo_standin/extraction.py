"""Turning the rows of a load() into records: a row, and below it rows that only carry on its lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .fields import Kind, Record
from .model import Model, Registry

Path = tuple[str, ...]
Row = list[Any]


@dataclass(frozen=True, slots=True)
class Extracted:
    """One record's cells by field: a cell, a dict of reference cells, or a list of child records' cells."""

    cells: Record
    first: int
    last: int


def extract_records(
    registry: Registry, model: Model, paths: list[Path], rows: list[Row]
) -> Iterator[Extracted]:
    """Yield the records in the rows; an unknown column is a KeyError."""
    lines = [index for index, path in enumerate(paths) if _is_line(model, path)]
    own = [index for index in range(len(paths)) if index not in lines]
    first = 0
    while first < len(rows):
        last = first
        while last + 1 < len(rows) and _carries_on(rows[last + 1], own, lines):
            last += 1
        cells = _read_own(paths, own, rows[first])
        for name in dict.fromkeys(paths[index][0] for index in lines):
            cells[name] = _read_lines(registry, model, name, paths, rows[first : last + 1])
        yield Extracted(cells, first, last)
        first = last + 1


def _is_line(model: Model, path: Path) -> bool:
    return path[0] != ".id" and model.fields[path[0]].kind is Kind.ONE2MANY


def _carries_on(row: Row, own: list[int], lines: list[int]) -> bool:
    return any(_is_filled(row[index]) for index in lines) and not any(_is_filled(row[index]) for index in own)


def _is_filled(cell: Any) -> bool:
    return cell not in ("", None, False)


def _read_own(paths: list[Path], own: list[int], row: Row) -> Record:
    cells: Record = {}
    for index in own:
        name, *rest = paths[index]
        if rest:
            cells.setdefault(name, {})[rest[0]] = row[index]
        else:
            cells[name] = row[index]
    return cells


def _read_lines(
    registry: Registry, model: Model, name: str, paths: list[Path], rows: list[Row]
) -> list[Record]:
    indexes = [index for index, path in enumerate(paths) if path[0] == name]
    narrowed = [[row[index] for index in indexes] for row in rows]
    child = registry.model(model.fields[name].relation)
    child_paths = [paths[index][1:] for index in indexes]
    filled = [row for row in narrowed if any(_is_filled(cell) for cell in row)]
    return [extracted.cells for extracted in extract_records(registry, child, child_paths, filled)]
