"""The mirror: Odoo's records as they were last read, page by page, from where the one before stopped."""

from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from reconciliation import tax_history
from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.odoo.connector import OdooConnector
from reconciliation.connectors.odoo.kinds import Page
from reconciliation.mirror_rows import SHELVES, Shelf
from reconciliation.models import MirrorCursor, OdooTax
from reconciliation.runs import Progress
from reconciliation.upserts import upsert

# A record is stamped with the beginning of its transaction, and seen when that commits: long ones come late.
OVERLAP = timedelta(hours=1)

# What Odoo refuses of one model says nothing of the others: no rights, no such model, no such field.
OF_ONE_MODEL = frozenset({"permission", "permanent", "missing", "bad_value"})


@dataclass(slots=True)
class Synced:
    """What a sync read of each kind, what it found gone, and what Odoo did not let it read."""

    counts: dict[str, int] = field(default_factory=dict)
    gone: int = 0
    refused: int = 0
    messages: list[str] = field(default_factory=list)

    def summarise(self) -> dict[str, Any]:
        """The counts of a run; one kind that was refused makes the run partial."""
        return {
            **self.counts,
            "gone": self.gone,
            "refused": self.refused,
            "message": " ".join(self.messages),
        }


def sync(
    *,
    connector: OdooConnector,
    progress: Progress | None = None,
    shelves: Iterable[Shelf] = SHELVES,
    is_compared: bool = True,
) -> Synced:
    """Reads what was written in Odoo since the last time, everything the first time; says what is gone there.

    A pass that was cut off goes on after its last page: each page is stored together with the place where the
    next one begins. What two workers read at once is stored once. A kind that Odoo refuses is told of and leaves
    the others their turn; any other failure raises ConnectorError and keeps the pages so far. The comparison of
    ids, which finds what is gone, and what a `write_date` never told of, can be left out.
    """
    synced = Synced()
    for shelf in shelves:
        try:
            synced.counts[shelf.name] = _run_pass(connector, shelf, progress)
            if is_compared:
                synced.gone += _compare_ids(connector, shelf, synced)
        except ConnectorError as error:
            if error.code not in OF_ONE_MODEL:
                raise
            _note_refusal(connector, shelf, error, synced)
    return synced


def forget_passes(*, company_id: int) -> None:
    """The next sync of the company reads everything: after Odoo was restored from a copy, for one."""
    MirrorCursor.objects.filter(company_id=company_id).delete()


def _run_pass(connector: OdooConnector, shelf: Shelf, progress: Progress | None) -> int:
    """Reads page after page; while one is stored, Odoo answers the next."""
    cursor = _begin_pass(connector.company_id, shelf)
    done = total = 0
    with ThreadPoolExecutor(max_workers=1) as reader:  # a connection is not shared: it alone talks to Odoo

        def ask(after: int) -> Future[Page[Any]]:
            return reader.submit(connector.read_page, shelf.kind, since=cursor.since, after=after)

        asked = ask(cursor.after_id)
        while cursor.started_at is not None:
            page = asked.result()
            if not page.is_last:
                total = total or reader.submit(_count, connector, shelf, cursor).result()
                asked = ask(page.last_id)
            is_stored, cursor = _store_page(cursor, shelf, page)
            done += len(page.records) if is_stored else 0
            if not is_stored:  # another worker went on meanwhile: from where that is
                asked = ask(cursor.after_id)
            if progress:
                progress.report(f"Mirroring {shelf.name}", done, max(done, total))
    return done


def _count(connector: OdooConnector, shelf: Shelf, cursor: MirrorCursor) -> int:
    return connector.count_records(shelf.kind, since=cursor.since, after=cursor.after_id)


def _begin_pass(company_id: int, shelf: Shelf) -> MirrorCursor:
    """The pass under way, wherever it was cut off, or a new one."""
    cursor, _ = MirrorCursor.objects.get_or_create(company_id=company_id, kind=shelf.name)
    MirrorCursor.objects.filter(pk=cursor.pk, started_at=None).update(started_at=timezone.now(), newest=None)
    cursor.refresh_from_db()
    return cursor


@transaction.atomic
def _store_page(read_at: MirrorCursor, shelf: Shelf, page: Page[Any]) -> tuple[bool, MirrorCursor]:
    """Stores a page and moves the cursor; a page that another worker has stored meanwhile is dropped.

    So what is older never takes the place of what is newer: a change since then is read by the next pass.
    """
    cursor = MirrorCursor.objects.select_for_update().get(pk=read_at.pk)
    if (cursor.started_at, cursor.after_id) != (read_at.started_at, read_at.after_id):
        return False, cursor
    _store(cursor.company_id, shelf, page.records)
    cursor.newest = max(filter(None, (cursor.newest, page.newest)), default=None)
    cursor.after_id = page.last_id
    if page.is_last:
        _end_pass(cursor)
    cursor.save()
    return True, cursor


def _end_pass(cursor: MirrorCursor) -> None:
    """The next pass reads from the newest record of this one on, which Odoo's own clock has stamped.

    But not from later than this one began: it may have been cut off for long, and what changed behind it in the
    meantime is older than the newest. A pass that saw nothing leaves the next one where it was.
    """
    began = cursor.started_at
    if cursor.newest is not None and began is not None:
        cursor.since = max(filter(None, (cursor.since, min(cursor.newest, began) - OVERLAP)))
    cursor.after_id, cursor.started_at, cursor.error = 0, None, ""
    cursor.completed_at = timezone.now()


def _store(company_id: int, shelf: Shelf, records: Sequence[Any]) -> None:
    now = timezone.now()
    if shelf.model is OdooTax:
        tax_history.keep_past(taxes=records, now=now)
    rows = [
        {
            "odoo_id": record.id,
            "company_id": company_id,
            "raw": record.raw,
            "written_at": record.write_date,
            "mirrored_at": now,
            "gone_at": None,
            **shelf.columns(record),
        }
        for record in records
    ]
    upsert(shelf.model, rows, key="odoo_id")


def _compare_ids(connector: OdooConnector, shelf: Shelf, synced: Synced) -> int:
    """Marks what Odoo has no more, and reads what it has and the mirror lacks; returns how many are gone.

    An order that became a subscription brings lines that were written long ago.
    """
    gone, after = 0, 0
    asked_at = timezone.now()
    for ids, is_last in connector.read_ids(shelf.kind):
        until = None if is_last else ids[-1]
        gone += _mark_gone(connector.company_id, shelf, ids, (after, until), asked_at)
        missing = _find_missing(shelf, ids)
        if missing:
            records = list(connector.read_records(shelf.kind, missing))
            with transaction.atomic():
                _store(connector.company_id, shelf, records)
            synced.counts[shelf.name] += len(records)
        after = until or after
    _cursor(connector, shelf).update(compared_at=asked_at)
    return gone


@transaction.atomic
def _mark_gone(
    company_id: int, shelf: Shelf, ids: Collection[int], between: tuple[int, int | None], asked_at: datetime
) -> int:
    """Marks those of a stretch of ids that Odoo did not name; what was read after it was asked is there."""
    after, until = between
    rows = shelf.model._default_manager.filter(
        Q(company_id=company_id) | Q(company_id=None),
        gone_at=None,
        odoo_id__gt=after,
        mirrored_at__lt=asked_at,
    )
    if until is not None:
        rows = rows.filter(odoo_id__lte=until)
    there = set(ids)
    gone = [pk for pk, odoo_id in rows.values_list("pk", "odoo_id") if odoo_id not in there]
    if not gone:
        return 0
    if shelf.model is OdooTax:
        tax_history.keep_end(ids=gone, now=asked_at)
    return shelf.model._default_manager.filter(pk__in=gone).update(gone_at=asked_at)


def _find_missing(shelf: Shelf, ids: Collection[int]) -> set[int]:
    rows = shelf.model._default_manager.filter(odoo_id__in=ids, gone_at=None)
    return set(ids).difference(rows.values_list("odoo_id", flat=True))


def _note_refusal(connector: OdooConnector, shelf: Shelf, error: ConnectorError, synced: Synced) -> None:
    """Keeps why a kind cannot be read; a module that a server may do without is nothing left undone."""
    _cursor(connector, shelf).update(error=error.message)
    synced.counts.setdefault(shelf.name, 0)
    synced.messages.append(f"{shelf.name.capitalize()} were not read: {error.message}")
    if not shelf.kind.is_optional:
        synced.refused += 1


def _cursor(connector: OdooConnector, shelf: Shelf) -> QuerySet[MirrorCursor]:
    return MirrorCursor.objects.filter(company_id=connector.company_id, kind=shelf.name)
