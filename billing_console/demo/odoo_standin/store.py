"""The records: in memory to be read, in one SQLite file to outlive the process."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

from .fields import NUMBERS, Record
from .model import Model, Registry

Key = tuple[str, int]

SCHEMA = """
CREATE TABLE IF NOT EXISTS record (
    model TEXT NOT NULL, id INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (model, id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sequence (model TEXT PRIMARY KEY, last_id INTEGER NOT NULL) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS external_id
    ON record (json_extract(body, '$.complete_name')) WHERE model = 'ir.model.data';
"""


class Store:
    """All records of one server; whoever uses it holds the server's lock.

    Records are replaced, never changed in place, so that undoing is putting the former one back.
    """

    def __init__(self, path: Path | None, registry: Registry) -> None:
        self._registry = registry
        self._records: dict[str, dict[int, Record]] = {name: {} for name in registry.models}
        self._indexed = {name: _list_indexed(model) for name, model in registry.models.items()}
        self._index: dict[tuple[str, str], dict[Hashable, set[int]]] = defaultdict(lambda: defaultdict(set))
        self._undo: list[tuple[Key, Record | None]] = []
        self._last_ids: dict[str, int] = defaultdict(int)
        self._connection = _open_file(path)
        self._load()

    def get(self, model: str, record_id: int) -> Record | None:
        return self._records[model].get(record_id)

    def list_records(self, model: str) -> list[Record]:
        return list(self._records[model].values())

    def find_ids(self, model: str, field: str, value: Hashable) -> list[int]:
        """Return, ascending, the ids of the records whose indexed field is, or contains, the value."""
        return sorted(self._index[model, field].get(value, ()))

    def count_records(self) -> dict[str, int]:
        return {name: len(records) for name, records in self._records.items() if records}

    def take_id(self, model: str) -> int:
        """Return an id that no record of the model ever had."""
        self._last_ids[model] += 1
        return self._last_ids[model]

    def put(self, model: str, record: Record) -> None:
        key = (model, record["id"])
        self._undo.append((key, self.get(*key)))
        self._place(key, record)

    def remove(self, model: str, record_id: int) -> None:
        key = (model, record_id)
        self._undo.append((key, self.get(*key)))
        self._place(key, None)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep everything the block wrote, on disk, before it ends; keep nothing when it raises."""
        try:
            yield
            self._commit()
        except BaseException:
            self._connection.rollback()
            self._roll_back(0)
            raise
        self._undo.clear()

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo what the block wrote when it raises."""
        mark = len(self._undo)
        try:
            yield
        except BaseException:
            self._roll_back(mark)
            raise

    def close(self) -> None:
        self._connection.close()

    def _place(self, key: Key, record: Record | None) -> None:
        model, record_id = key
        former = self._records[model].pop(record_id, None)
        for field in self._indexed[model]:
            index = self._index[model, field]
            for value in _list_entries(former, field):
                index[value].discard(record_id)
            for value in _list_entries(record, field):
                index[value].add(record_id)
        if record is not None:
            self._records[model][record_id] = record

    def _roll_back(self, mark: int) -> None:
        while len(self._undo) > mark:
            key, former = self._undo.pop()
            self._place(key, former)

    def _commit(self) -> None:
        touched = {key for key, _ in self._undo}
        if not touched:
            return
        gone = [key for key in touched if self.get(*key) is None]
        kept = [(*key, json.dumps(record, default=str)) for key in touched if (record := self.get(*key))]
        numbers = [(model, self._last_ids[model]) for model in {model for model, _ in touched}]
        # Deleted first: a deleted record's external id may have been given to a new one.
        self._connection.executemany("DELETE FROM record WHERE model = ? AND id = ?", gone)
        self._connection.executemany("INSERT OR REPLACE INTO sequence VALUES (?, ?)", numbers)
        self._connection.executemany(
            "INSERT INTO record VALUES (?, ?, ?) ON CONFLICT (model, id) DO UPDATE SET body = excluded.body",
            kept,
        )
        self._connection.commit()

    def _load(self) -> None:
        for name, last_id in self._connection.execute("SELECT model, last_id FROM sequence"):
            self._last_ids[name] = last_id
        for name, body in self._connection.execute("SELECT model, body FROM record ORDER BY model, id"):
            if name in self._registry.models:
                record = _decode(self._registry.models[name], body)
                self._place((name, record["id"]), record)


def _open_file(path: Path | None) -> sqlite3.Connection:
    """Open the file for this process alone; sqlite3.OperationalError when another one has it open."""
    connection = sqlite3.connect(str(path) if path else ":memory:", check_same_thread=False, timeout=1)
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.executescript(SCHEMA)
    return connection


def _decode(model: Model, body: str) -> Record:
    record: Record = {name: field.empty for name, field in model.fields.items() if field.is_stored}
    record.update(json.loads(body))
    for name, field in model.fields.items():
        if field.kind in NUMBERS and field.is_stored:
            record[name] = Decimal(record[name])
    return record


def _list_indexed(model: Model) -> list[str]:
    return [name for name, field in model.fields.items() if field.is_indexed]


def _list_entries(record: Record | None, field: str) -> Iterable[Hashable]:
    if record is None:
        return ()
    value = record.get(field, False)
    return value if isinstance(value, list) else (value,)
