"""Fetching: what was made at Stripe since the last pass, list by list, and what changed, by its events."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.utils import timezone

from reconciliation.connectors.stripe.api import StripeApi
from reconciliation.connectors.stripe.records import Kind, Page, StripeItem
from reconciliation.models import Run, StripeCursor
from reconciliation.stripe.events import keep_polled
from reconciliation.stripe.keeping import keep_items

# A payment before the charge that made it: else that would count as one without an invoice for a moment.
LISTS = (
    Kind.CUSTOMERS,
    Kind.INVOICES,
    Kind.CREDIT_NOTES,
    Kind.PAYMENTS,
    Kind.CHARGES,
    Kind.REFUNDS,
    Kind.DISPUTES,
)
# Stripe lists what is a moment old: a pass begins before the last one's newest.
OVERLAP = timedelta(hours=1)
# Stripe tells of events for thirty days: after a longer gap everything is read once more.
EVENTS_KEPT = timedelta(days=29)
# A stage, how many were read, and 0: Stripe does not say how many there are.
Echo = Callable[[str, int, int], None]


@dataclass
class Fetched:
    """How many objects of each list were read, and how many are new or changed."""

    read: Counter[str] = field(default_factory=Counter)
    changed: Counter[str] = field(default_factory=Counter)


def fetch(
    *,
    api: StripeApi,
    account: str,
    echo: Echo,
    run: Run | None = None,
    since: datetime | None = None,
    with_fees: bool = False,
) -> Fetched:
    """Reads each list from where the last pass ended, or where it was interrupted, and then the events.

    `since` is where the first pass begins. What was read is kept page by page, so that no more than one is in
    memory. Raises ConnectorError, and the next pass goes on from there.
    """
    fetched = Fetched()
    _reset_after_gap(account)
    _begin_events(account)
    for kind in (*LISTS, *((Kind.BALANCE_TRANSACTIONS,) if with_fees else ())):
        _read_list(_Pass(api, account, kind, run, since), fetched, echo)
    _read_list(_Pass(api, account, Kind.EVENTS, run, since), fetched, echo)
    return fetched


@dataclass(frozen=True, slots=True)
class _Pass:
    """One reading of one list."""

    api: StripeApi
    account: str
    kind: Kind
    run: Run | None
    since: datetime | None


def _read_list(reading: _Pass, fetched: Fetched, echo: Echo) -> None:
    cursor, _ = StripeCursor.objects.get_or_create(account=reading.account, kind=reading.kind)
    if not cursor.reading_after:
        begin = cursor.reached_at - OVERLAP if cursor.reached_at else reading.since
        cursor.reading_from, cursor.reading_top = begin, None
    while True:
        started_at = timezone.now()
        page = _read_page(reading, cursor)
        items = [reading.api.complete(item) for item in page.items]
        fetched.changed[reading.kind] += _keep(reading, items, started_at)
        fetched.read[reading.kind] += len(items)
        _advance(cursor, page)
        echo(f"Read {reading.kind.replace('_', ' ')}", fetched.read[reading.kind], 0)
        if page.after is None:
            return


def _read_page(reading: _Pass, cursor: StripeCursor) -> Page:
    query = {"created": {"gte": int(cursor.reading_from.timestamp())}} if cursor.reading_from else {}
    return reading.api.read_page(reading.kind, query, after=cursor.reading_after)


def _keep(reading: _Pass, items: Sequence[StripeItem], started_at: datetime) -> int:
    if reading.kind is Kind.EVENTS:
        return keep_polled(account=reading.account, items=items, now=started_at)
    kept = keep_items(account=reading.account, items=items, fetched_at=started_at, run=reading.run)
    if reading.kind is Kind.REFUNDS:
        _read_refunded(reading, [item for item in items if item.id in set(kept)])
    return len(kept)


def _read_refunded(reading: _Pass, refunds: Sequence[StripeItem]) -> None:
    """What a refund takes from a charge stands in the charge, which may be older than this pass."""
    charges = {charge for item in refunds if isinstance(charge := item.values.get("charge"), str)}
    started_at = timezone.now()
    found = [reading.api.read_one(Kind.CHARGES, charge) for charge in sorted(charges)]
    items = [item for item in found if item is not None]
    keep_items(account=reading.account, items=items, fetched_at=started_at, run=reading.run)


def _advance(cursor: StripeCursor, page: Page) -> None:
    """After the last page the pass has reached what its first one began with."""
    newest = max((item.created for item in page.items), default=None)
    if cursor.reading_top is None:
        cursor.reading_top = newest
    cursor.reading_after = page.after or ""
    if page.after is None:
        cursor.reached_at = max(filter(None, (cursor.reached_at, cursor.reading_top)), default=None)
        cursor.read_at = timezone.now()
    cursor.save()


def _begin_events(account: str) -> None:
    """The first pass reads everything as it is: only what happens from now on is worth an event."""
    events, _ = StripeCursor.objects.get_or_create(account=account, kind=Kind.EVENTS)
    if events.reached_at is None:
        events.reached_at = timezone.now()
        events.save(update_fields=["reached_at"])


def _reset_after_gap(account: str) -> None:
    cursors = StripeCursor.objects.filter(account=account)
    events = cursors.filter(kind=Kind.EVENTS).first()
    if events is not None and events.read_at and events.read_at < timezone.now() - EVENTS_KEPT:
        cursors.update(reached_at=None, reading_after="", reading_from=None, reading_top=None)
