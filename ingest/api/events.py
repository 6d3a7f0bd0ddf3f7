"""POST /events and /events/batch: usage events in, each stored at most once (Lago: events)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from ingest.api.decoding import Outcome, decode_batch, decode_event
from ingest.api.errors import ApiError, FieldErrors, refuse_fields
from ingest.api.openapi import PAGES, describe, envelop, list_of
from ingest.api.pagination import paginate
from ingest.api.queries import read_flag, read_instant
from ingest.api.rendering import render_decimal, render_millisecond, render_second
from ingest.api.schema import BATCH, BATCH_EXAMPLES, EVENT_EXAMPLES, EventInput
from ingest.api.view import ApiView
from ingest.collection import EventsRefused, PostedEvent, Refusal, find_refusals, store_events
from ingest.expressions import Failure, evaluate
from ingest.models import Scope, UsageEvent
from ingest.stored_events import count_events, find_event, list_events

REFUSALS: dict[Refusal, FieldErrors] = {
    Refusal.DUPLICATE: {"transaction_id": ["value_already_exist"]},
    Refusal.UNSTORABLE_PROPERTIES: {"properties": ["value_is_invalid"]},
}


class Event(msgspec.Struct, gc=False):
    """An event as the API returns it, with Lago's field names."""

    lago_id: str
    transaction_id: str
    code: str
    timestamp: str
    precise_total_amount_cents: str | None
    properties: msgspec.Raw | dict[str, Any]
    external_subscription_id: str | None
    created_at: str
    # Not known of an event that was just posted: events are matched when usage is computed.
    lago_customer_id: str | None = None
    lago_subscription_id: str | None = None


EventAnswer = envelop("event", Event, "EventAnswer")
EventsAnswer = envelop("events", list[Event], "EventsAnswer")
EventListAnswer = list_of("events", Event, "EventListAnswer")
LIST_QUERY = (
    OpenApiParameter("code", str, description="Of this metric."),
    OpenApiParameter("external_subscription_id", str, description="Of this subscription."),
    OpenApiParameter("timestamp_from", OpenApiTypes.DATETIME, description="From this instant on."),
    OpenApiParameter("timestamp_to", OpenApiTypes.DATETIME, description="Until this instant, included."),
    OpenApiParameter(
        "timestamp_from_started_at",
        bool,
        description="Only since the subscription that is named began.",
    ),
    *PAGES,
)


class EventsView(ApiView):
    """One event in, all of them out."""

    resource = "event"
    writes = Scope.INGEST

    @describe(
        "list_events",
        "List usage events",
        description="The newest first. A list of more than 100,000 says about how many there are.",
        tag="events",
        answer=EventListAnswer,
        query=LIST_QUERY,
        refuses=(422,),
    )
    def get(self, request: Request) -> Response:
        """One page of the service's events."""
        query = request.query_params
        rows = list_events(
            service_id=self.caller.service_id,
            code=query.get("code"),
            external_subscription_id=query.get("external_subscription_id"),
            timestamp_from=read_instant(query, "timestamp_from"),
            timestamp_to=read_instant(query, "timestamp_to"),
            is_from_start=read_flag(query, "timestamp_from_started_at", otherwise=False),
        )
        page, meta = paginate(rows, query, count=count_events)
        return Response({"events": [show_event(event) for event in page], "meta": meta})

    @describe(
        "create_event",
        "Post a usage event",
        description="200 means that the event is durable. Posting it again answers 422 and changes nothing.",
        tag="events",
        takes={"event": EventInput()},
        answer=EventAnswer,
        examples=EVENT_EXAMPLES,
    )
    def post(self, request: Request) -> Response:
        """Stores the event; 200 means that it is durable."""
        (event,) = evaluate(service_id=self.caller.service_id, events=[decode_event(self.body)])
        if isinstance(event, Failure):
            raise refuse_fields(event.message)
        try:
            received_at = store_events(service_id=self.caller.service_id, events=[event])
        except EventsRefused as refusal:
            raise refuse_fields(REFUSALS[refusal.refusals[0]]) from refusal
        (answer,) = _render_events([event], received_at)
        return Response({"event": answer})


class EventView(ApiView):
    """One event, by its transaction id."""

    resource = "event"

    @describe(
        "get_event",
        "Get a usage event",
        description="Of several subscriptions' events with this id the one received last.",
        tag="events",
        answer=EventAnswer,
        refuses=(404,),
    )
    def get(self, request: Request, transaction_id: str) -> Response:
        """The event of that id."""
        event = find_event(service_id=self.caller.service_id, transaction_id=transaction_id)
        if event is None:
            raise ApiError(404, code="event_not_found")
        return Response({"event": show_event(event)})


class EventBatchView(ApiView):
    """Many events, all or none."""

    resource = "event"
    writes = Scope.INGEST

    @describe(
        "create_events",
        "Post many usage events, all or none",
        description="When any event is refused none is stored, and `error_details` names each by its index.",
        tag="events",
        takes={"events": BATCH},
        answer=EventsAnswer,
        examples=BATCH_EXAMPLES,
    )
    def post(self, request: Request) -> Response:
        """Stores every event, or refuses all of them and says what is wrong with which."""
        outcomes = _evaluate_sound(self.caller.service_id, decode_batch(self.body))
        events = [outcome for outcome in outcomes if isinstance(outcome, PostedEvent)]
        if len(events) < len(outcomes):
            raise refuse_fields(_name_errors(self.caller.service_id, outcomes))
        try:
            received_at = store_events(service_id=self.caller.service_id, events=events)
        except EventsRefused as refusal:
            errors = {str(at): REFUSALS[reason] for at, reason in sorted(refusal.refusals.items())}
            raise refuse_fields(errors) from refusal
        return Response({"events": _render_events(events, received_at)})


def show_event(event: UsageEvent) -> Event:
    """The answer that tells of a stored event, found by `ingest.stored_events`."""
    customer, subscription = event.customer_public_id, event.subscription_public_id  # type: ignore[attr-defined]
    return Event(
        lago_id=str(event.public_id),
        transaction_id=event.transaction_id,
        code=event.code,
        timestamp=render_millisecond(event.timestamp),
        precise_total_amount_cents=render_decimal(event.precise_total_amount_cents),
        properties=event.properties,
        external_subscription_id=event.external_subscription_id,
        created_at=render_second(event.received_at),
        lago_customer_id=str(customer) if customer else None,
        lago_subscription_id=str(subscription) if subscription else None,
    )


def _evaluate_sound(service_id: int, outcomes: Sequence[Outcome]) -> list[Outcome | Failure]:
    """The outcomes, those that are events with their metrics' expressions evaluated."""
    sound = {at: outcome for at, outcome in enumerate(outcomes) if isinstance(outcome, PostedEvent)}
    evaluated = dict(zip(sound, evaluate(service_id=service_id, events=list(sound.values())), strict=True))
    return [evaluated.get(at, outcome) for at, outcome in enumerate(outcomes)]


def _name_errors(service_id: int, outcomes: Sequence[Outcome | Failure]) -> dict[str, FieldErrors | str]:
    """What is wrong at which index, duplicates included, so that a sender can drop all of it at once."""
    errors: dict[int, FieldErrors | str] = {
        at: outcome.message if isinstance(outcome, Failure) else outcome
        for at, outcome in enumerate(outcomes)
        if not isinstance(outcome, PostedEvent)
    }
    sound = {at: outcome for at, outcome in enumerate(outcomes) if isinstance(outcome, PostedEvent)}
    places = list(sound)
    refusals = find_refusals(service_id=service_id, events=list(sound.values()))
    errors |= {places[index]: REFUSALS[refusal] for index, refusal in refusals.items()}
    return {str(at): errors[at] for at in sorted(errors)}


def _render_events(events: Sequence[PostedEvent], received_at: datetime) -> list[Event]:
    created_at = render_second(received_at)
    return [
        Event(
            lago_id=event.public_id,
            transaction_id=event.transaction_id,
            code=event.code,
            timestamp=render_millisecond(event.timestamp or received_at),
            precise_total_amount_cents=render_decimal(event.precise_total_amount_cents),
            properties=event.properties,
            external_subscription_id=event.external_subscription_id,
            created_at=created_at,
        )
        for event in events
    ]
