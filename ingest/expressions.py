"""Metrics whose field is an expression: evaluated when an event arrives, before it is stored (Lago: expression)."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from ingest.collection import PostedEvent
from ingest.metering.expression import Expression, ExpressionError, parse
from ingest.models import Metric

# How long a process trusts what it read of a service's expressions: a new one holds within this time.
TRUST_SECONDS = 1.0

# Numbers are written as they were read, digit for digit.
decode_properties = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal).decode
_encode = msgspec.json.Encoder(decimal_format="number").encode


@dataclass(frozen=True, slots=True)
class ComputedField:
    """The property of a metric's events that an expression gives."""

    name: str
    expression: Expression


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an event's expression has no result, in Lago's words."""

    message: str


def evaluate(*, service_id: int, events: Sequence[PostedEvent], now: datetime) -> list[PostedEvent | Failure]:
    """The events with the results of their metrics' expressions, as text, in place of what was sent.

    Events of metrics without an expression are as they were. An event that says no time happens `now`.
    """
    fields = find_fields(service_id)
    return [_evaluate(event, fields[event.code], now) if event.code in fields else event for event in events]


def find_fields(service_id: int) -> Mapping[str, ComputedField]:
    """The computed fields of a service by metric code; read once a second by each process."""
    now = time.monotonic()
    fields, trusted_until = _trusted.get(service_id, ({}, now))
    if now >= trusted_until:
        fields = _look_up(service_id)
        _trusted[service_id] = (fields, now + TRUST_SECONDS)
    return fields


_trusted: dict[int, tuple[Mapping[str, ComputedField], float]] = {}


def _look_up(service_id: int) -> dict[str, ComputedField]:
    metrics = Metric.objects.filter(service=service_id, deleted_at=None).exclude(expression="")
    return {
        code: ComputedField(name, parse(expression))
        for code, name, expression in metrics.values_list("code", "field_name", "expression")
    }


def _evaluate(event: PostedEvent, field: ComputedField, now: datetime) -> PostedEvent | Failure:
    properties = decode_properties(event.properties)
    timestamp = event.timestamp or now
    try:
        result = field.expression.evaluate(code=event.code, timestamp=timestamp, properties=properties)
    except ExpressionError as error:
        return Failure(f"expression_evaluation_failed: {error}")
    properties[field.name] = result
    return msgspec.structs.replace(event, properties=msgspec.Raw(_encode(properties)))
