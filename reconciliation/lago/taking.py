"""One of Lago's objects at a time: is it known, did it change, and what becomes of it, all or nothing."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from django.db import connection, transaction

from ingest.errors import DomainError
from ingest.lago_ids import find_lago_id, link_lago_id
from ingest.models import LagoKind, Service
from ingest.models.public import PublicModel
from reconciliation.connectors.lago.pages import holds_unkept
from reconciliation.connectors.lago.records import LagoRecord
from reconciliation.lago.report import Done, Outcome, explain

RULE = "import from Lago"
LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class Errand:
    """For which service, when, and what is asked for.

    Periods that ended by `since` are history for what is taken over; None is now, and leaves what is known alone.
    """

    service: Service
    now: datetime
    since: datetime | None = None
    with_ended: bool = False


class Skip(Exception):
    """An object that is not to come, and why; nothing is wrong with it."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The row that an object became, and what a person should know of it."""

    row: PublicModel
    note: str = ""


class Taker(Protocol):
    """What is particular to a kind of object."""

    kind: LagoKind

    def name(self, values: Mapping[str, Any]) -> str:
        """What a person calls it."""

    def pick(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """What comes over, as plain JSON: the same again is nothing new."""

    def find(self, errand: Errand, public_id: UUID) -> tuple[PublicModel | None, bool]:
        """The row of that id, and whether it is still in use here."""

    def find_twin(self, errand: Errand, said: Mapping[str, Any]) -> PublicModel | None:
        """What the service has under the same code or external id already."""

    def is_due(self, errand: Errand, row: PublicModel) -> bool:
        """Whether a row is to be changed although Lago says what it said."""

    def check_new(self, errand: Errand, record: LagoRecord, said: Mapping[str, Any]) -> None:
        """Raises Skip or DomainError for what is not to come, or cannot, when it is not here yet."""

    def take(self, errand: Errand, said: Mapping[str, Any], row: PublicModel | None) -> Taken:
        """Makes the row, or changes it; refuses with InputError and DomainError."""


def take(taker: Taker, errand: Errand, collection: str, record: LagoRecord) -> Outcome:
    """Takes one object over in a transaction of its own; a refusal is an outcome, and leaves nothing behind."""
    try:
        name = "" if record.error else taker.name(record.values)[:LONGEST_NAME]
        with transaction.atomic():
            _take_turns(errand.service.pk)
            done, note = _take(taker, errand, record)
        return Outcome(collection, record.place, name, done, note)
    except Skip as skip:
        return Outcome(collection, record.place, name, Done.SKIPPED, str(skip))
    except DomainError as error:
        return Outcome(collection, record.place, name, Done.REFUSED, explain(error))


def _take(taker: Taker, errand: Errand, record: LagoRecord) -> tuple[Done, str]:
    lago_id = _read_id(record)
    said = taker.pick(record.values)
    digest = _digest(said)
    known = find_lago_id(service_id=errand.service.pk, kind=taker.kind, lago_id=lago_id)
    row = None
    if known is not None:
        row, is_used = taker.find(errand, known.public_id)
        if known.digest == digest and not (row is not None and is_used and taker.is_due(errand, row)):
            return Done.LEFT, ""
        if row is None or not is_used:
            raise DomainError(
                "deleted_here", "It changed in Lago after it was deleted here; make it here by hand."
            )
    else:
        taker.check_new(errand, record, said)
        row = taker.find_twin(errand, said)
    taken = taker.take(errand, said, row)
    link_lago_id(
        row=taken.row,
        service_id=errand.service.pk,
        kind=taker.kind,
        lago_id=lago_id,
        digest=digest,
        rule=RULE,
    )
    if row is None:
        return Done.CREATED, taken.note
    was_here = "" if known else "it was here already"
    return Done.CHANGED, "; ".join(filter(None, (was_here, taken.note)))


def _read_id(record: LagoRecord) -> UUID:
    if record.error:
        raise DomainError("unreadable", f"It cannot be read: {record.error}.")
    if holds_unkept(record.values):
        raise DomainError(
            "unkept", "It holds U+0000 or half a character, which cannot be kept; correct it in Lago."
        )
    try:
        return UUID(record.lago_id)
    except ValueError:
        raise DomainError("no_lago_id", "It has no `lago_id`; export it from Lago's API as it is.") from None


def _digest(said: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _take_turns(service_id: int) -> None:
    """Two imports of a service take turns object by object: the second finds what the first has brought."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, %s))", ["import from Lago", service_id]
        )
