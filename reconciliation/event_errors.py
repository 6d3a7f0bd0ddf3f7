"""Once an hour a service is told which of its events have something wrong (Lago: events.errors)."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import zip_longest

from django.db import transaction

from ingest.models import Service
from ingest.verdicts import Selection, list_errors
from reconciliation.models import EventReport
from reconciliation.webhooks import announce

HOUR = timedelta(hours=1)
# Lost wake-ups are made up for, as far as this: older news is no help, and the verdicts are there to be read.
LONGEST_GAP = timedelta(days=1)
# A message that lists more ids than these would be refused by many a receiver: the rest is told in another.
MOST_IDS = 5_000


def announce_event_errors(*, now: datetime) -> int:
    """Tells every service that listens of each whole hour since it was last told; returns how many messages.

    An hour is told of once, however often and concurrently this is called. Where nothing is wrong nothing is sent.
    """
    services = Service.objects.filter(webhook_endpoints__is_active=True).distinct()
    return sum(_catch_up(service, now) for service in services)


@transaction.atomic
def _catch_up(service: Service, now: datetime) -> int:
    end = now.replace(minute=0, second=0, microsecond=0)
    EventReport.objects.get_or_create(service=service, defaults={"reported_until": end - HOUR})
    report = EventReport.objects.select_for_update().get(service=service)
    start = max(report.reported_until, end - LONGEST_GAP)
    told = 0
    while start < end:
        told += _tell(service, start, now)
        start += HOUR
    if report.reported_until < end:
        report.reported_until = end
        report.save(update_fields=["reported_until"])
    return told


def _tell(service: Service, start: datetime, now: datetime) -> int:
    chosen = Selection([service.pk], received_from=start, received_to=start + HOUR)
    errors = list_errors(chosen, now=now)
    return sum(
        len(
            announce(service=service, webhook_type="events.errors", object_type="events_errors", payload=part)
        )
        for part in _split(errors)
    )


def _split(errors: Mapping[str, Sequence[str]]) -> Iterator[dict[str, list[str]]]:
    """The lists in parts of at most so many ids each; every part has all of the lists."""
    parts = [_chunk(ids) for ids in errors.values()]
    for chunks in zip_longest(*parts, fillvalue=()):
        yield {name: list(ids) for name, ids in zip(errors, chunks, strict=True)}


def _chunk(ids: Sequence[str]) -> list[Sequence[str]]:
    return [ids[start : start + MOST_IDS] for start in range(0, len(ids), MOST_IDS)]
