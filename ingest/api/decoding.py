"""From a request's bytes to typed events, with every error at its field and, in a batch, at its index."""

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from ingest.api.errors import FieldErrors, refuse_body, refuse_fields
from ingest.api.fields import (
    EMPTY_OBJECT,
    READERS,
    FieldError,
    read_amount,
    read_mandatory_text,
    read_properties,
    read_text,
    read_timestamp,
)
from ingest.api.parsing import decode_root
from ingest.collection import PostedEvent, make_public_ids

NULL = msgspec.Raw(b"null")
PATH = re.compile(r"\$\.(\w+)")

# What is wrong with one event, as a value: a batch is told of all of them at once.
Outcome = PostedEvent | FieldErrors


class EventBody(msgspec.Struct, gc=False):
    """One event of a request, its fields still of any type; unknown fields are skipped."""

    transaction_id: Any = None
    code: Any = None
    external_subscription_id: Any = None
    timestamp: Any = None
    properties: msgspec.Raw = EMPTY_OBJECT
    precise_total_amount_cents: Any = None


def decode_event(body: bytes, *, needs_id: bool = True) -> PostedEvent:
    """The event of POST /events. Raises ApiError: 400 without an `event`, 422 with codes by field.

    One that is only to be estimated `needs_id` not: it gets one.
    """
    raw = decode_root(body).get("event")
    if raw is None or bytes(raw) == b"null":
        raise refuse_body("param is missing or the value is empty or invalid: event")
    (outcome,) = _read_events([raw], needs_id=needs_id)
    if not isinstance(outcome, PostedEvent):
        raise refuse_fields(outcome)
    return outcome


def decode_batch(body: bytes, *, limit: int, needs_id: bool = True) -> list[Outcome]:
    """The events of POST /events/batch in their order, each as an event or as what is wrong with it.

    Raises ApiError: 400 when the body is not a JSON object, 422 when there are no events or more than `limit`.
    """
    raw = decode_root(body).get("events", NULL)
    try:
        items = _LIST.decode(raw)
    except msgspec.ValidationError:
        raise refuse_fields({"events": ["value_is_invalid"]}) from None
    if not items:
        raise refuse_fields({"events": ["no_events"]})
    if len(items) > limit:
        raise refuse_fields({"events": ["too_many_events"]})
    return _read_events(items, needs_id=needs_id)


def _read_events(items: Sequence[msgspec.Raw], *, needs_id: bool) -> list[Outcome]:
    public_ids = make_public_ids(len(items))
    return [
        _read_event(item, public_id, needs_id=needs_id)
        for item, public_id in zip(items, public_ids, strict=True)
    ]


def _read_event(item: msgspec.Raw, public_id: str, *, needs_id: bool) -> Outcome:
    try:
        body = _EVENT.decode(item)
    except msgspec.ValidationError as error:
        return _locate(error)
    if body.transaction_id is None and not needs_id:
        body.transaction_id = public_id
    try:
        return PostedEvent(
            public_id=public_id,
            transaction_id=read_mandatory_text(body.transaction_id),
            code=read_mandatory_text(body.code),
            external_subscription_id=read_text(body.external_subscription_id),
            timestamp=read_timestamp(body.timestamp),
            properties=read_properties(body.properties),
            precise_total_amount_cents=read_amount(body.precise_total_amount_cents),
        )
    except FieldError:
        return _collect_errors(body)


def _collect_errors(body: EventBody) -> FieldErrors:
    """Every field that is wrong, not only the first."""
    errors: FieldErrors = {}
    for name, read in READERS.items():
        try:
            read(getattr(body, name))
        except FieldError as error:
            errors[name] = [str(error)]
    return errors


def _locate(error: msgspec.ValidationError) -> FieldErrors:
    """The field that msgspec names (an integer of thousands of digits), or the event when it is no object."""
    field = PATH.search(str(error))
    return {field[1] if field else "event": ["value_is_invalid"]}


_LIST = msgspec.json.Decoder(list[msgspec.Raw] | None)
# A fraction stays the text it was sent as: a float would not be exact.
_EVENT = msgspec.json.Decoder(EventBody, float_hook=str)
