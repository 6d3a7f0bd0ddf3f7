"""POST /events and /events/batch: usage events in, each stored at most once (Lago: events)."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from ingest.api.decoding import decode_batch, decode_event
from ingest.api.errors import ApiError, FieldErrors, refuse_fields
from ingest.api.openapi import PAGES, describe, envelop, list_of
from ingest.api.pagination import paginate
from ingest.api.queries import read_flag, read_instant
from ingest.api.rendering import render_decimal, render_millisecond, render_second
from ingest.api.schema import BATCH, BATCH_EXAMPLES, EVENT_EXAMPLES, EventInput
from ingest.api.view import ApiView
from ingest.collection import PostedEvent, Refusal
from ingest.expressions import Failure
from ingest.intake import Taken, take_events
from ingest.keys import Caller
from ingest.models import Scope, UsageEvent
from ingest.stored_events import count_events, find_event, find_events, list_events
from ingest.verdicts import judge

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


class JudgedEvent(Event, gc=False, kw_only=True):
    """An event that is read back, with what metering makes of it today; the verdict is not Lago's."""

    verdict: str


EventAnswer = envelop("event", Event, "EventAnswer")
JudgedEventAnswer = envelop("event", JudgedEvent, "JudgedEventAnswer")


class EventsAnswer(msgspec.Struct):
    """The events of a batch that are stored now, in their order; `errors` are only there if some are refused."""

    events: list[Event]
    errors: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET


EventListAnswer = list_of("events", JudgedEvent, "EventListAnswer")
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
        description="The newest first. A list of more than 100,000 says about how many there are. `verdict` says"
        " whether an event counts, and why not.",
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
        return Response({"events": _show_judged(page), "meta": meta})

    @describe(
        "create_event",
        "Post a usage event",
        description="200 means that the event is durable. Posting it again answers 422 and changes nothing; if"
        " the service chose so, 200 with the stored event when it is the same.",
        tag="events",
        takes={"event": EventInput()},
        answer=EventAnswer,
        examples=EVENT_EXAMPLES,
    )
    def post(self, request: Request) -> Response:
        """Stores the event; 200 means that it is durable."""
        taken = _take(self.caller, {0: decode_event(self.body)}, is_whole=True)
        if not taken.is_anything:
            raise refuse_fields(_tell(taken.refused[0]))
        return Response({"event": _show_taken(self.caller.service_id, taken)[0]})


class EventView(ApiView):
    """One event, by its transaction id."""

    resource = "event"

    @describe(
        "get_event",
        "Get a usage event",
        description="Of several subscriptions' events with this id the one received last. `verdict` says whether it"
        " counts, and why not.",
        tag="events",
        answer=JudgedEventAnswer,
        refuses=(404,),
    )
    def get(self, request: Request, transaction_id: str) -> Response:
        """The event of that id."""
        event = find_event(service_id=self.caller.service_id, transaction_id=transaction_id)
        if event is None:
            raise ApiError(404, code="event_not_found")
        return Response({"event": _show_judged([event])[0]})


class EventBatchView(ApiView):
    """Many events, all or none; if their service chose so, those that are good."""

    resource = "event"
    writes = Scope.INGEST

    @describe(
        "create_events",
        "Post many usage events, all or none",
        description="When any event is refused none is stored, and `error_details` names each by its index. If the"
        " service chose so the others are stored, and `errors` names the refused ones.",
        tag="events",
        takes={"events": BATCH},
        answer=EventsAnswer,
        examples=BATCH_EXAMPLES,
    )
    def post(self, request: Request) -> Response:
        """Stores the events; those that are refused are told by their places, with none stored unless in part."""
        outcomes = decode_batch(self.body, limit=self.caller.intake.batch_max)
        events = {at: outcome for at, outcome in enumerate(outcomes) if isinstance(outcome, PostedEvent)}
        taken = _take(self.caller, events, is_whole=len(events) == len(outcomes))
        errors: dict[int, FieldErrors | str] = {
            at: outcome for at, outcome in enumerate(outcomes) if not isinstance(outcome, PostedEvent)
        }
        errors |= {at: _tell(refusal) for at, refusal in taken.refused.items()}
        told = {str(at): errors[at] for at in sorted(errors)}
        if not taken.is_anything:
            raise refuse_fields(told)
        answer: dict[str, Any] = {"events": list(_show_taken(self.caller.service_id, taken).values())}
        return Response({**answer, "errors": told} if told else answer)


def _show_judged(events: Sequence[UsageEvent]) -> list[JudgedEvent]:
    verdicts = judge(events, now=timezone.now())
    return [
        JudgedEvent(**msgspec.structs.asdict(show_event(event)), verdict=verdicts[event.pk])
        for event in events
    ]


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


def _take(caller: Caller, events: Mapping[int, PostedEvent], *, is_whole: bool) -> Taken:
    return take_events(
        service_id=caller.service_id,
        key_id=caller.key_id,
        terms=caller.intake,
        events=events,
        is_whole=is_whole,
    )


def _tell(refusal: Refusal | Failure) -> FieldErrors | str:
    return refusal.message if isinstance(refusal, Failure) else REFUSALS[refusal]


def _show_taken(service_id: int, taken: Taken) -> dict[int, Event]:
    """Every event that is durable now, by its place; what was sent again is shown as it is stored."""
    answers = dict(zip(taken.new, _render_events(taken.new.values(), taken.received_at), strict=True))
    if not taken.resent:
        return answers
    keys = {at: (event.external_subscription_id, event.transaction_id) for at, event in taken.resent.items()}
    stored = find_events(service_id=service_id, keys=set(keys.values()))
    answers |= {at: show_event(stored[key]) for at, key in keys.items()}
    return {at: answers[at] for at in sorted(answers)}


def _render_events(events: Iterable[PostedEvent], received_at: datetime) -> list[Event]:
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
