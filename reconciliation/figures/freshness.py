"""How fresh each source is: the last good read, and how long ago that was."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Max, Min, QuerySet
from django.utils import timezone

from ingest.models import Service, UsageEvent
from reconciliation.models import (
    SOURCES_OF_KIND,
    BillingKind,
    LagoConnection,
    MirrorCursor,
    Source,
    SourceDocument,
    StripeCursor,
)
from reconciliation.strategies import SOURCES

OF_LAGO = SOURCES_OF_KIND[BillingKind.LAGO]
EXTERNAL = [source for sources in SOURCES_OF_KIND.values() for source in sources]


@dataclass(frozen=True, slots=True)
class Freshness:
    """One source, when it was last read well, and after how long it counts as stale."""

    name: str
    seen_at: datetime | None
    stale_after: timedelta

    @property
    def is_stale(self) -> bool:
        """Whether figures from it may be out of date."""
        return self.seen_at is None or timezone.now() - self.seen_at > self.stale_after


def read_freshness() -> list[Freshness]:
    """The sources behind the figures, in the order of the path from a service to Odoo."""
    documents = SourceDocument.objects.filter(is_current=True)
    from_odoo = documents.filter(source__in=SOURCES.values())
    # The newest id, not the newest time: ids are indexed, and the table has millions of rows.
    newest = UsageEvent.objects.order_by("-pk").values_list("received_at", flat=True).first()
    return [
        Freshness("Usage events", newest, timedelta(days=1)),
        Freshness("External amounts", _newest(documents.filter(source=Source.FILE)), timedelta(days=35)),
        *_read_stripe(),
        *_read_lago(),
        Freshness("Odoo amounts", _newest(from_odoo), timedelta(days=2)),
        Freshness("Odoo mirror", _oldest_complete(), timedelta(days=2)),
    ]


def _newest(rows: QuerySet) -> datetime | None:
    return rows.aggregate(newest=Max("fetched_at"))["newest"]


def _oldest_complete() -> datetime | None:
    """When all that Odoo lets be mirrored was last complete: a kind that lags behind makes all of it old."""
    readable = MirrorCursor.objects.filter(error="")
    return readable.aggregate(oldest=Min("completed_at"))["oldest"]


def _read_stripe() -> list[Freshness]:
    """The list that was read longest ago, where Stripe is read at all: a figure is as fresh as the oldest of them."""
    read = StripeCursor.objects.values_list("read_at", flat=True)
    if not settings.STRIPE_API_KEY and not read:
        return []
    oldest = None if not read or None in read else min(filter(None, read))
    return [Freshness("Stripe", oldest, timedelta(hours=3))]


def _read_lago() -> list[Freshness]:
    """The service whose Lago was read longest ago, where any has one."""
    read = LagoConnection.objects.values_list("read_at", flat=True)
    if not read:
        return []
    return [Freshness("Lago", None if None in read else min(filter(None, read)), timedelta(days=1))]


def read_sources(service: Service) -> list[Freshness]:
    """Each source of what a service billed, and when it was last read: Lago by its lists, others by documents."""
    documents = SourceDocument.objects.filter(service=service, is_current=True, source__in=EXTERNAL)
    read = dict(documents.order_by().values_list("source").annotate(Max("fetched_at")))
    lago = LagoConnection.objects.filter(service=service).values_list("read_at", flat=True)
    if lago:
        read = {source: at for source, at in read.items() if source not in OF_LAGO}
    found = [
        Freshness(Source(source).label, read[source], _stale_after(Source(source))) for source in sorted(read)
    ]
    return [*found, *(Freshness("Lago", at, timedelta(days=1)) for at in lago)]


def _stale_after(source: Source) -> timedelta:
    # Files come once a period, the others are asked each day.
    return timedelta(days=35) if source is Source.FILE else timedelta(days=1)
