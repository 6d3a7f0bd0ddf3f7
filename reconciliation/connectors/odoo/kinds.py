"""What is mirrored of Odoo, kind by kind, and how a page of it is read.

A page begins after the last id and inside a fixed lower bound of `write_date`, so that what changes meanwhile
shifts nothing, and whoever keeps the last id can go on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from reconciliation.connectors.odoo.client import (
    PAGE_SIZE,
    Domain,
    OdooClient,
    Record,
    changed_since,
    in_batches,
)

# Ids alone are short: a page of them holds many.
IDS_PAGE_SIZE = 10_000


class Mirrored(Protocol):
    """What every mirrored record has; pricelists of a server that told no date have none."""

    @property
    def id(self) -> int: ...

    @property
    def write_date(self) -> datetime | None: ...


T = TypeVar("T", bound=Mirrored)


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """A kind of record: its model, what is read of it, and which records of the company.

    `optional` are read where the server has them. A kind that `is_whole` is read whole each time: it holds
    relations, which are written from their other side without touching its `write_date`. One that
    `is_optional` belongs to a module that a server may do without.
    """

    name: str
    model: str
    fields: tuple[str, ...]
    parse: Callable[[OdooClient, list[Record]], list[T]]
    domain: Callable[[OdooClient], Domain]
    optional: tuple[str, ...] = ()
    has_archived: bool = False
    is_whole: bool = False
    is_optional: bool = False
    size: int = PAGE_SIZE


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Records by ascending id; after the last page there are no more."""

    records: list[T]
    is_last: bool

    @property
    def last_id(self) -> int:
        """The id that the next page begins after."""
        return self.records[-1].id if self.records else 0

    @property
    def newest(self) -> datetime | None:
        """The latest write date on the page: the server's own clock."""
        return max((each.write_date for each in self.records if each.write_date), default=None)


def own_records(client: OdooClient) -> Domain:
    """Records of the company alone."""
    return [["company_id", "=", client.company_id]]


def shared_records(client: OdooClient) -> Domain:
    """Records of the company, and those that all companies share."""
    return client.company_domain()


def read_page(client: OdooClient, kind: Kind[T], *, since: datetime | None, after: int) -> Page[T]:
    """The kind's next records after an id, of those written since, in one call and what parsing them asks."""
    rows = _search(client, kind, _written(client, kind, since), after, kind.size)
    return Page(kind.parse(client, rows), is_last=len(rows) < kind.size)


def read_records(client: OdooClient, kind: Kind[T], *, ids: Collection[int]) -> Iterator[Page[T]]:
    """The records of these ids that are of the kind, whenever they were written."""
    for batch in in_batches(sorted(ids), kind.size):
        rows = _search(client, kind, [*kind.domain(client), ["id", "in", batch]], 0, kind.size)
        yield Page(kind.parse(client, rows), is_last=False)


def count_records(client: OdooClient, kind: Kind[T], *, since: datetime | None, after: int) -> int:
    """How many records `read_page` has yet to read."""
    domain = [*_written(client, kind, since), ["id", ">", after]]
    return int(client.call(kind.model, "search_count", domain, context=_context(kind)))


def read_ids(client: OdooClient, kind: Kind[T]) -> Iterator[tuple[list[int], bool]]:
    """All ids of the kind in ascending pages, and with each page whether it is the last."""
    last_id, is_last = 0, False
    while not is_last:
        domain = [*kind.domain(client), ["id", ">", last_id]]
        ids = client.call(
            kind.model, "search", domain, order="id", limit=IDS_PAGE_SIZE, context=_context(kind)
        )
        is_last = len(ids) < IDS_PAGE_SIZE
        last_id = ids[-1] if ids else last_id
        yield ids, is_last


def _written(client: OdooClient, kind: Kind[T], since: datetime | None) -> Domain:
    return [*kind.domain(client), *changed_since(None if kind.is_whole else since)]


def _search(client: OdooClient, kind: Kind[T], domain: Domain, after: int, size: int) -> list[Record]:
    optional = client.existing_fields(kind.model, kind.optional) if kind.optional else frozenset()
    rows: list[Record] = client.call(
        kind.model,
        "search_read",
        [*domain, ["id", ">", after]],
        fields=[*kind.fields, *(name for name in kind.optional if name in optional)],
        order="id",
        limit=size,
        context=_context(kind),
    )
    return rows


def _context(kind: Kind[T]) -> dict[str, bool]:
    return {"active_test": False} if kind.has_archived else {}
