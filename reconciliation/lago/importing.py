"""Moving from Lago, as a whole: everything is read first, then taken over, each object in its own transaction."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from ingest.errors import DomainError
from ingest.models import LagoId, Service
from ingest.subscriptions import refuse_live
from reconciliation.connectors.lago.records import Collection, LagoRecord, LagoSource, Listing
from reconciliation.lago.catalogue import Metrics, Plans
from reconciliation.lago.customers import Customers
from reconciliation.lago.endpoints import Endpoints
from reconciliation.lago.report import Done, Outcome, Report
from reconciliation.lago.subscriptions import Subscriptions, order_of
from reconciliation.lago.taking import Errand, Taker, take

# What happens, how many are done, and of how many; 0 where nobody knows.
Echo = Callable[[str, int, int], None]
# Each telling is a write of its own, of a run's progress.
TOLD_EVERY = 20


def import_from_lago(
    *,
    service: Service,
    source: LagoSource,
    echo: Echo,
    since: datetime | None = None,
    with_ended: bool = False,
    is_dry: bool = False,
) -> Report:
    """Takes over what a service keeps in Lago; a second time only what changed there since.

    Nothing of it is billed for periods that ended by `since`, which is now unless told: they are neither metered
    nor pushed. The service goes on billing until a cutover. What is gone in Lago is told, and stays. A dry run does
    it all and undoes it. Refuses `service_is_live` and `since_is_ahead`; raises ConnectorError when Lago, or a file
    of it, cannot be read.
    """
    refuse_live(service)
    now = timezone.now()
    if since is not None and since > now:
        raise DomainError("since_is_ahead", "That day has not come yet.")
    listings = _read_all(source, echo)
    errand = Errand(service, now, since, with_ended)
    with _undone(is_dry):
        return _take_all(errand, listings, echo)


def _read_all(source: LagoSource, echo: Echo) -> list[Listing]:
    listings = []
    for collection in Collection:
        read = 0

        def count(number: int, stage: str = f"Reading {collection.value}") -> None:
            nonlocal read
            read += number
            echo(stage, read, 0)

        listings.append(source.read(collection, count))
    return listings


@contextmanager
def _undone(is_dry: bool) -> Iterator[None]:
    if not is_dry:
        yield
        return
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def _take_all(errand: Errand, listings: Sequence[Listing], echo: Echo) -> Report:
    report = Report()
    total, done = sum(len(listing.records) for listing in listings), 0
    for listing in listings:
        name = listing.collection.value
        if listing.missing:
            report.missing[name] = listing.missing
            continue
        taker = _taker_of(listing)
        for record in _in_order(listing):
            report.outcomes.append(take(taker, errand, name, record))
            done += 1
            if done % TOLD_EVERY == 0 or done == total:
                echo(f"Taking over {name}", done, total)
        report.outcomes += _find_gone(taker, errand, listing)
    return report


def _taker_of(listing: Listing) -> Taker:
    takers: Mapping[Collection, Taker] = {
        Collection.METRICS: Metrics(),
        Collection.PLANS: Plans(),
        Collection.CUSTOMERS: Customers(),
        Collection.SUBSCRIPTIONS: Subscriptions(listing.overridden),
        Collection.ENDPOINTS: Endpoints(),
    }
    return takers[listing.collection]


def _in_order(listing: Listing) -> Iterable[LagoRecord]:
    if listing.collection is Collection.SUBSCRIPTIONS:
        return sorted(listing.records, key=order_of)
    # Lago lists the newest first.
    return reversed(listing.records)


def _find_gone(taker: Taker, errand: Errand, listing: Listing) -> Iterator[Outcome]:
    """What came from Lago once and is not in its list any more, unless it has gone here too."""
    listed = {record.lago_id.lower() for record in listing.records}
    known = LagoId.objects.filter(service=errand.service, kind=taker.kind).order_by("pk")
    for entry in known:
        if str(entry.lago_id) in listed:
            continue
        row, is_used = taker.find(errand, entry.public_id)
        if row is not None and is_used and not _has_successor(entry.public_id, taker, errand, listed):
            reason = "it is not in Lago any more, and stays here until somebody deletes it"
            yield Outcome(listing.collection.value, str(entry.lago_id), str(row), Done.GONE, reason)


def _has_successor(public_id: UUID, taker: Taker, errand: Errand, listed: set[str]) -> bool:
    """Whether Lago has the same row under another id: there it was deleted, and made again."""
    same = LagoId.objects.filter(service=errand.service, kind=taker.kind, public_id=public_id)
    return any(str(each.lago_id) in listed for each in same)
