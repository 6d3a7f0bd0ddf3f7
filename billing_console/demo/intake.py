"""The story's events, through the function that stores what services post."""

from collections.abc import Iterable
from itertools import islice

from ingest.collection import EventsRefused, PostedEvent, Refusal, store_events
from ingest.models import Service

BATCH = 1000


def post_events(service: Service, events: Iterable[PostedEvent]) -> None:
    """Stores each event at most once, in batches."""
    remaining = iter(events)
    while batch := list(islice(remaining, BATCH)):
        _post(service, batch)


def _post(service: Service, events: list[PostedEvent]) -> None:
    try:
        store_events(service_id=service.pk, events=events)
    except EventsRefused as refused:
        if any(refusal != Refusal.DUPLICATE for refusal in refused.refusals.values()):
            raise
        # An interrupted load stored these before.
        _post(service, [event for index, event in enumerate(events) if index not in refused.refusals])
