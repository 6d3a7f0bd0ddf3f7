"""What became of each event: counted, or why not; derived from today's catalogue and subscriptions, never stored."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from django.db import connection, models

from ingest.judged_windows import ask_windows
from ingest.measuring.judging import COUNT, COUNT_BY_KEY, ERRORS, FIND, READ, compose, compose_spans
from ingest.models import UsageEvent


class Verdict(models.TextChoices):
    """What metering makes of an event today; the first that holds, of what keeps it from counting before the rest."""

    COUNTED = "counted", "Counted"
    LATE = "late", "Counted, late"
    FUTURE = "future", "Counts once its time comes"
    FILTER_DEFAULT = "filter_default", "Counted by no filter"
    UNMATCHED_CODE = "unmatched_code", "Unknown or unpriced code"
    UNMATCHED_SUBSCRIPTION = "unmatched_subscription", "Unknown subscription"
    BEFORE_START = "before_start", "Before its subscription"
    AFTER_END = "after_end", "After its subscription"
    MISSING_PROPERTY = "missing_property", "Property missing"
    NOT_NUMERIC = "not_numeric", "Not a number"
    DUPLICATE = "duplicate", "Duplicate"


# Metering counts these, and no others.
COUNTING = frozenset({Verdict.COUNTED, Verdict.LATE, Verdict.FUTURE, Verdict.FILTER_DEFAULT})
# A duplicate is no event that is stored: `ingest.resends` counts them.
OF_STORED = tuple(verdict for verdict in Verdict if verdict != Verdict.DUPLICATE)
# What a person can do about it, or why there is nothing to do.
ADVICE: Mapping[Verdict, str] = MappingProxyType(
    {
        Verdict.COUNTED: "It is part of its period's usage.",
        Verdict.LATE: "It was received after its period had closed: the service's policy says who pays for it.",
        Verdict.FUTURE: "Its time is still to come; it counts in the period that it lies in.",
        Verdict.FILTER_DEFAULT: "None of the charge's filters takes it, so that the charge's own price counts."
        " Check the values of its properties if a filter should.",
        Verdict.UNMATCHED_CODE: "No metric has its code, or the subscription's plan has no charge for it."
        " It counts as soon as there is one, or else the sender has to correct the code.",
        Verdict.UNMATCHED_SUBSCRIPTION: "No subscription has its external id. It counts as soon as there is one"
        " that covers its time.",
        Verdict.BEFORE_START: "Its time is before the subscription began. It counts if the start is corrected.",
        Verdict.AFTER_END: "Its time is after the subscription ended, or between two of them.",
        Verdict.MISSING_PROPERTY: "It lacks the property that the metric reads. Have it sent again under another id.",
        Verdict.NOT_NUMERIC: "The property that the metric reads is no plain number, such as 12.5."
        " Have it sent again under another id.",
        Verdict.DUPLICATE: "It was sent again under an id that is stored; what was received first stays.",
    }
)
NEWEST = "event.id > (SELECT max(id) FROM ingest_usageevent) - %(newest)s"
NEWEST_OF_SUBSCRIPTION = """event.id IN (
    SELECT id FROM ingest_usageevent
    WHERE service_id = ANY(%(services)s) AND external_subscription_id = %(external_subscription_id)s
    ORDER BY id DESC LIMIT %(newest)s
)"""


@dataclass(frozen=True, slots=True)
class Selection:
    """Some events of some services: by their keys, received in `[received_from, received_to)`, or among the newest.

    An index finds them, so that judging them costs by their number and not by that of all events. `newest` counts
    all services' events, or those of the subscription if one is given. The other fields narrow them down.
    """

    services: Sequence[int]
    ids: Sequence[int] | None = None
    newest: int | None = None
    received_from: datetime | None = None
    received_to: datetime | None = None
    code: str | None = None
    external_subscription_id: str | None = None

    @property
    def condition(self) -> str:
        """The condition on `event`."""
        conditions = {
            "event.id = ANY(%(ids)s)": self.ids,
            (NEWEST if self.external_subscription_id is None else NEWEST_OF_SUBSCRIPTION): self.newest,
            "event.received_at >= %(received_from)s": self.received_from,
            "event.received_at < %(received_to)s": self.received_to,
            "event.code = %(code)s": self.code,
            "event.external_subscription_id = %(external_subscription_id)s": self.external_subscription_id,
        }
        return " AND ".join(
            (
                "event.service_id = ANY(%(services)s)",
                *(text for text, value in conditions.items() if value is not None),
            )
        )

    @property
    def parameters(self) -> dict[str, Any]:
        """What the condition names."""
        return {
            "services": list(self.services),
            "ids": None if self.ids is None else list(self.ids),
            "newest": self.newest,
            "received_from": self.received_from,
            "received_to": self.received_to,
            "code": self.code,
            "external_subscription_id": self.external_subscription_id,
        }


def judge(events: Iterable[UsageEvent], *, now: datetime) -> dict[int, Verdict]:
    """The verdicts on some events, of any services, by their keys; as many queries for many as for one."""
    given = list(events)
    services = {event.service_id for event in given}
    chosen = Selection(list(services), ids=[event.pk for event in given])
    return {pk: Verdict(verdict) for pk, verdict in _ask(chosen, READ, now=now)}


def find_events(selection: Selection, verdict: Verdict, *, now: datetime, limit: int) -> list[int]:
    """The keys of the newest of the events that have a verdict."""
    return [pk for (pk,) in _ask(selection, FIND, now=now, verdict=verdict.value, limit=limit)]


@dataclass(frozen=True, slots=True)
class Tally:
    """How many events of one code and subscription, sent with one key, have a verdict."""

    verdict: Verdict
    code: str
    external_subscription_id: str | None
    key_id: int | None
    count: int


def count_verdicts(selection: Selection, *, now: datetime) -> list[Tally]:
    """How many events have which verdict, by code, subscription and key, the most first."""
    return [Tally(Verdict(verdict), *rest) for verdict, *rest in _ask(selection, COUNT, now=now)]


def count_by_key(selection: Selection, *, now: datetime) -> dict[int | None, dict[Verdict, int]]:
    """How many events have which verdict, by the key that sent them; None for what is not known to have one."""
    found: dict[int | None, dict[Verdict, int]] = defaultdict(dict)
    for key, verdict, count in _ask(selection, COUNT_BY_KEY, now=now):
        found[key][Verdict(verdict)] = count
    return found


def list_errors(selection: Selection, *, now: datetime) -> dict[str, list[str]]:
    """The transaction ids of events with something wrong, by Lago's names for it (Lago: events.errors)."""
    found: dict[str, list[str]] = {
        "invalid_code": [],
        "missing_aggregation_property": [],
        "missing_group_key": [],
        "invalid_filter_values": [],
    }
    for name, transaction_id in _ask(selection, ERRORS, now=now):
        found[name].append(transaction_id)
    return found


def _ask(selection: Selection, ask: str, *, now: datetime, **parameters: Any) -> list[tuple]:
    given = selection.parameters
    with connection.cursor() as cursor:
        cursor.execute(compose_spans(selection.condition), given)
        spans: dict[tuple[int, str], list[tuple[datetime, datetime]]] = defaultdict(list)
        for service_id, external_id, first, last in cursor.fetchall():
            spans[service_id, external_id].append((first, last))
        windows = ask_windows(spans=spans, now=now)
        cursor.execute(compose(selection.condition, ask), {**given, **windows, "now": now, **parameters})
        return cursor.fetchall()
