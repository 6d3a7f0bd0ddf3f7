"""What a request's events come to, as their service wants them taken: new, stored already, or refused."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.utils import timezone

from ingest.collection import (
    EventsRefused,
    PostedEvent,
    Refusal,
    find_identical,
    find_refusals,
    store_events,
)
from ingest.expressions import Failure, evaluate, find_fields
from ingest.intake_terms import IntakeTerms
from ingest.resends import count_resends

Events = Mapping[int, PostedEvent]


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of the events of a request, by their places; `resent` are identical to what is stored."""

    received_at: datetime
    new: Events
    resent: Events = field(default_factory=dict)
    refused: Mapping[int, Refusal | Failure] = field(default_factory=dict)

    @property
    def is_anything(self) -> bool:
        """Whether any of the events is durable now."""
        return bool(self.new or self.resent)

    def without_any(self) -> "Taken":
        """The same refusals, where none of the request is kept."""
        return Taken(self.received_at, {}, {}, self.refused)


def take_events(
    *, service_id: int, key_id: int | None, terms: IntakeTerms, events: Events, is_whole: bool
) -> Taken:
    """Stores the events that are new, all of them or none; by the terms those that are good, or none unless all are.

    `is_whole` says that the request held no other events, which could not be read. When this returns, what it
    names as new is as durable as `store_events` makes it. What the key sent again is counted.
    """
    taken = _take(service_id, key_id, terms, events, is_whole=is_whole)
    if key_id is not None and (taken.refused or taken.resent):
        duplicates = sum(refusal == Refusal.DUPLICATE for refusal in taken.refused.values())
        count_resends(key_id=key_id, at=taken.received_at, refused=duplicates, identical=len(taken.resent))
    return taken


def _take(
    service_id: int, key_id: int | None, terms: IntakeTerms, events: Events, *, is_whole: bool
) -> Taken:
    taken = _evaluate(service_id, events)
    if not terms.is_batch_partial and (taken.refused or not is_whole):
        refusals = find_refusals(service_id=service_id, events=list(taken.new.values()))
        return _sort_out(service_id, terms, taken, _by_place(taken.new, refusals)).without_any()
    while taken.new:
        try:
            store_events(
                service_id=service_id,
                events=list(taken.new.values()),
                received_at=taken.received_at,
                key_id=key_id,
            )
            break
        except EventsRefused as refusal:
            taken = _sort_out(service_id, terms, taken, _by_place(taken.new, refusal.refusals))
        if taken.refused and not terms.is_batch_partial:
            return taken.without_any()
    return taken


def _evaluate(service_id: int, events: Events) -> Taken:
    """The events with their metrics' expressions evaluated; those that have no result are refused."""
    received_at = timezone.now()
    found = evaluate(service_id=service_id, events=list(events.values()), now=received_at)
    evaluated = dict(zip(events, found, strict=True))
    failed = {place: each for place, each in evaluated.items() if isinstance(each, Failure)}
    sound = {place: each for place, each in evaluated.items() if isinstance(each, PostedEvent)}
    return Taken(received_at, sound, {}, failed)


def _sort_out(service_id: int, terms: IntakeTerms, taken: Taken, refusals: Mapping[int, Refusal]) -> Taken:
    """Takes what is refused, or stored already, from among the new events."""
    candidates = {**taken.new, **taken.resent}
    if taken.resent:
        # Another request was faster since: what repeats an event of this one may now repeat that request's.
        refusals = _by_place(
            candidates, find_refusals(service_id=service_id, events=list(candidates.values()))
        )
    resent = _find_resent(service_id, candidates, refusals) if terms.is_resend_accepted else {}
    new = {place: event for place, event in candidates.items() if place not in refusals}
    kept = {place: refusal for place, refusal in refusals.items() if place not in resent}
    return Taken(taken.received_at, new, resent, {**taken.refused, **kept})


def _find_resent(service_id: int, events: Events, refusals: Mapping[int, Refusal]) -> Events:
    """The duplicates that say the same as what is stored, or as the event of this request that they repeat."""
    duplicates = [place for place, refusal in refusals.items() if refusal == Refusal.DUPLICATE]
    keys = {_key_of(events[place]) for place in duplicates}
    unstorable = refusals.keys() - set(duplicates)
    same = {
        place: event
        for place, event in sorted(events.items())
        if place not in unstorable and _key_of(event) in keys
    }
    computed = {code: field.name for code, field in find_fields(service_id).items()}
    identical = find_identical(service_id=service_id, events=same, computed=computed)
    return {place: events[place] for place in duplicates if place in identical}


def _key_of(event: PostedEvent) -> tuple[str | None, str]:
    return event.external_subscription_id, event.transaction_id


def _by_place(events: Events, refusals: Mapping[int, Refusal]) -> dict[int, Refusal]:
    places = list(events)
    return {places[index]: refusal for index, refusal in refusals.items()}
