"""Lago from a folder of files: each holds what the API answered, one page, several, or the bare list."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from reconciliation.connectors.lago.pages import decode, read_page
from reconciliation.connectors.lago.records import (
    Collection,
    Echo,
    LagoRecord,
    Listing,
    fail,
    make_records,
    refuse_gap,
)

# Of a file, in bytes: far beyond any list, and short of what a machine cannot hold.
LARGEST = 512 * 1024 * 1024


class LagoFolder:
    """A folder with `plans.json`, `customers.json` and so on; a file that is not there is a list nobody gave."""

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise fail("no_folder", f"{folder} is no folder.")
        self._folder = folder

    @property
    def name(self) -> str:
        return self._folder.name

    def read(self, collection: Collection, echo: Echo) -> Listing:
        path = self._folder / f"{collection.value}.json"
        if not path.exists():
            return Listing(collection, missing=f"there is no file {path.name}")
        value = decode(path.name, _read_bytes(path))
        records, total = _read_value(path.name, collection, value)
        refuse_gap(path.name, records, total)
        echo(len(records))
        return Listing(collection, records)


def _read_bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > LARGEST:
            raise fail("too_large", f"{path.name} is larger than {LARGEST:,} bytes.")
        return path.read_bytes()
    except OSError as error:
        raise fail("unreadable", f"{path.name} cannot be read: {error.strerror}.") from None


def _read_value(name: str, collection: Collection, value: Any) -> tuple[tuple[LagoRecord, ...], Any]:
    """The records of a file and how many it says there are: an array of objects says nothing of that."""
    is_array = isinstance(value, list)
    if is_array and not any(isinstance(item, dict) and collection.value in item for item in value):
        return make_records((f"{name}, entry {place}", item) for place, item in enumerate(value, 1)), None
    pages = value if is_array else [value]
    records = make_records(_read_entries(name, collection, pages))
    last = read_page(name, collection, pages[-1]).meta or {}
    return records, last.get("total_count")


def _read_entries(name: str, collection: Collection, pages: Sequence[Any]) -> Iterator[tuple[str, Any]]:
    for number, page in enumerate(pages, 1):
        where = f"{name}, page {number}" if len(pages) > 1 else name
        for place, entry in enumerate(read_page(where, collection, page).entries, 1):
            yield f"{where}, entry {place}", entry
