"""Lists come by pages, with what the clients read of them (Lago: pagination)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from django.db.models import QuerySet
from django.http import QueryDict

DEFAULT_SIZE = 100
# Lago has no limit; a page of a million rows would not be answered in constant memory.
MAX_SIZE = 1_000
MAX_NUMBER = 1_000_000


class Meta(msgspec.Struct):
    """Where a page stands; a list of nothing has no first page."""

    current_page: int
    next_page: int | None
    prev_page: int | None
    total_pages: int
    total_count: int


@dataclass(frozen=True, slots=True)
class Page:
    """Which page is asked for, counted from 1, and how many rows it holds."""

    number: int
    size: int

    @property
    def start(self) -> int:
        """How many rows come before it."""
        return (self.number - 1) * self.size

    def describe(self, total_count: int) -> Meta:
        """What the answer says of itself; a page after the last one has no neighbours."""
        total_pages = -(-total_count // self.size)
        is_inside = self.number <= total_pages
        return Meta(
            current_page=self.number if total_count else 0,
            next_page=self.number + 1 if self.number < total_pages else None,
            prev_page=self.number - 1 if is_inside and self.number > 1 else None,
            total_pages=total_pages,
            total_count=total_count,
        )


def read_page(query: QueryDict) -> Page:
    """`page` and `per_page`; what is no whole number from 1 on counts as not given, as in Lago."""
    return Page(
        number=min(_read_count(query.get("page"), 1), MAX_NUMBER),
        size=min(_read_count(query.get("per_page"), DEFAULT_SIZE), MAX_SIZE),
    )


def paginate(
    rows: QuerySet[Any], query: QueryDict, count: Callable[[QuerySet[Any]], int] = QuerySet.count
) -> tuple[Sequence[Any], Meta]:
    """The rows of the page that a query asks for, and its place among all; the rows need a full order."""
    page = read_page(query)
    meta = page.describe(count(rows))
    return list(rows[page.start : page.start + page.size]), meta


def _read_count(text: Any, otherwise: int) -> int:
    is_count = isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 20
    return max(int(text), 1) if is_count and int(text) else otherwise
