"""What reading Lago gives: its objects as they are, each with its place, and what a key may not see."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from reconciliation.connectors.errors import ConnectorError

SYSTEM = "lago"
# Is told after each page how many entries were read.
Echo = Callable[[int], None]
# Far deeper than any object of Lago's.
MOST_LEVELS = 50


class Collection(StrEnum):
    """What is read; the value is Lago's name of the list, in its addresses and in its answers."""

    METRICS = "billable_metrics"
    PLANS = "plans"
    CUSTOMERS = "customers"
    SUBSCRIPTIONS = "subscriptions"
    ENDPOINTS = "webhook_endpoints"


class Bills(StrEnum):
    """What says what was billed; named as in `Collection`."""

    INVOICES = "invoices"
    CREDIT_NOTES = "credit_notes"


@dataclass(frozen=True, slots=True)
class LagoRecord:
    """One object as Lago gave it, and where it stood; fractions are the text that they were written as.

    `error` says why it is none: then there are no values.
    """

    place: str
    values: Mapping[str, Any]
    error: str = ""

    @property
    def lago_id(self) -> str:
        """Its id in Lago; empty when it has none."""
        found = self.values.get("lago_id")
        return found if isinstance(found, str) else ""


@dataclass(frozen=True, slots=True)
class Listing:
    """All of a collection; `missing` says why it could not be read, which is not the same as being empty."""

    collection: Collection
    records: tuple[LagoRecord, ...] = ()
    missing: str = ""
    # The ids of subscriptions with prices of their own; None where nobody can say.
    overridden: frozenset[str] | None = None


class LagoSource(Protocol):
    """Where a service's Lago is read from. Every failure is a `ConnectorError`."""

    @property
    def name(self) -> str:
        """What it is called in a report, without any secret."""

    def read(self, collection: Collection, echo: Echo) -> Listing:
        """The whole collection, each object once."""


def make_records(entries: Iterable[tuple[str, Any]]) -> tuple[LagoRecord, ...]:
    """The entries at their places, each id once: a list that grows while it is read shows some of it twice."""
    records: list[LagoRecord] = []
    seen: set[str] = set()
    for place, entry in entries:
        record = _make_record(place, entry)
        if record.lago_id and record.lago_id in seen:
            continue
        seen.add(record.lago_id)
        records.append(record)
    return tuple(records)


def fail(code: str, message: str, *, permanent: bool = True) -> ConnectorError:
    """The error of this connector: reading changes nothing, so that its outcome is never unknown."""
    return ConnectorError(code, message, SYSTEM, permanent)


def refuse_gap(name: str, records: Sequence[LagoRecord], total: Any) -> None:
    """Raises ConnectorError `incomplete` when a list says that it has more entries than were read."""
    if isinstance(total, int) and not isinstance(total, bool) and total > len(records):
        message = f"{name}: {len(records)} of {total} entries were there. It changed meanwhile, or a page is missing."
        raise fail("incomplete", message, permanent=False)


def _make_record(place: str, entry: Any) -> LagoRecord:
    if not isinstance(entry, dict):
        return LagoRecord(place, {}, "it is no JSON object")
    if _is_deeper(entry, MOST_LEVELS):
        return LagoRecord(place, {}, "it is nested too deeply")
    return LagoRecord(place, entry)


def _is_deeper(value: Any, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    members = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deeper(member, levels - 1) for member in members)
