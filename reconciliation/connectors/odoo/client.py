"""Calls to one company of one Odoo, in one language, through the guard."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from reconciliation.connectors.odoo.guard import GuardedTransport
from reconciliation.connectors.odoo.values import read_decimal, write_datetime

Record = dict[str, Any]
Domain = list[Any]
Item = TypeVar("Item")

PAGE_SIZE = 500
LINES_PAGE_SIZE = 5000

# A record carries the time its transaction began and is seen when that commits: look back a little further.
OVERLAP = timedelta(minutes=5)


class OdooClient:
    """What one connector knows of its Odoo: the company and language of every call, and what was looked up.

    The company restricts what is seen: without it, a user sees the records of all their companies.
    """

    def __init__(self, transport: GuardedTransport, *, company_id: int, language: str) -> None:
        self.transport = transport
        self.before_call: Callable[[], None] | None = None
        self.company_id = company_id
        self._context = {"allowed_company_ids": [company_id], "lang": language}
        self._fields: dict[tuple[str, frozenset[str]], frozenset[str]] = {}
        self._codes: dict[str, dict[int, str]] = {}
        self._roundings: dict[int, Decimal] = {}

    def call(
        self, model: str, method: str, *args: Any, context: Mapping[str, Any] | None = None, **named: Any
    ) -> Any:
        """Call a method with the client's context and, above it, the call's own."""
        if self.before_call:
            self.before_call()
        kwargs = {**named, "context": {**self._context, **(context or {})}}
        return self.transport.execute(model, method, list(args), kwargs)

    def read_pages(
        self,
        model: str,
        domain: Domain,
        fields: Iterable[str],
        *,
        has_archived: bool = False,
        size: int = PAGE_SIZE,
    ) -> Iterator[list[Record]]:
        """The records of a domain in pages by ascending id, archived ones only when asked for.

        A page begins after the last id, never at an offset: what changes meanwhile shifts nothing.
        """
        context = {"active_test": False} if has_archived else {}
        last_id, names = 0, list(fields)
        while True:
            page = self.call(
                model,
                "search_read",
                [*domain, ["id", ">", last_id]],
                fields=names,
                order="id",
                limit=size,
                context=context,
            )
            if page:
                yield page
                last_id = page[-1]["id"]
            if len(page) < size:
                return

    def read_lines(
        self,
        model: str,
        parent: str,
        ids: Collection[int],
        fields: Iterable[str],
        domain: Domain | None = None,
    ) -> dict[int, list[Record]]:
        """The lines of many documents in few calls, by their document's id; `parent` is the field to it."""
        lines: dict[int, list[Record]] = {each: [] for each in ids}
        bounds = [[parent, "in", sorted(ids)], *(domain or [])]
        pages = self.read_pages(model, bounds, [parent, *fields], size=LINES_PAGE_SIZE) if ids else ()
        for page in pages:
            for row in page:
                lines[row[parent][0]].append(row)
        return lines

    def read_external_ids(self, model: str, ids: Sequence[int]) -> dict[int, str]:
        """Each record's oldest external id, "" where it has none: ours is made with the record."""
        if not ids:
            return {}
        answer = self.call(model, "get_external_id", list(ids))
        return {int(record_id): external_id for record_id, external_id in answer.items()}

    def existing_fields(self, model: str, wanted: Iterable[str]) -> frozenset[str]:
        """Which of a model's wanted fields this server has; the same question is asked once."""
        question = (model, frozenset(wanted))
        if question not in self._fields:
            found = self.call(model, "fields_get", sorted(question[1]), attributes=["type"])
            self._fields[question] = frozenset(found)
        return self._fields[question]

    def read_codes(self, model: str, ids: Iterable[int]) -> Mapping[int, str]:
        """The codes of countries or provinces by id, each asked for once."""
        known = self._codes.setdefault(model, {})
        missing = sorted(set(ids).difference(known))
        if missing:
            rows = self.call(model, "read", missing, fields=["code"])
            known.update((row["id"], row["code"]) for row in rows)
        return known

    def rounding(self, currency_id: int) -> Decimal:
        """A currency's smallest step, 0.01 for CAD; all currencies are asked for at once."""
        if currency_id not in self._roundings:
            for page in self.read_pages("res.currency", [], ["rounding"], has_archived=True):
                self._roundings.update((row["id"], read_decimal(row["rounding"])) for row in page)
        return self._roundings[currency_id]

    def company_domain(self) -> Domain:
        """Records of the company and those that all companies share."""
        return [["company_id", "in", [False, self.company_id]]]


def changed_since(since: datetime | None, field: str = "write_date") -> Domain:
    """Records changed at or after a time, with the overlap; the caller drops what it has seen already."""
    return [] if since is None else [[field, ">=", write_datetime(since - OVERLAP)]]


def in_batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Consecutive lists of at most `size`."""
    every = list(items)
    return (every[start : start + size] for start in range(0, len(every), size))
