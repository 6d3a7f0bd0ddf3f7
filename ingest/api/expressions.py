"""/billable_metrics/evaluate_expression: what an expression gives on an event (Lago: expression)."""

from typing import Any

import msgspec
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ingest.api.errors import refuse_fields
from ingest.api.fields import FieldError, read_properties, read_text, read_timestamp
from ingest.api.openapi import describe, envelop
from ingest.api.parsing import decode_root
from ingest.api.schema import EventInput
from ingest.api.view import ApiView
from ingest.expressions import decode_properties
from ingest.metering.expression import Expression, ExpressionError, parse

INVALID_EVENT = refuse_fields({"event": ["invalid_event"]})


class ExpressionResult(msgspec.Struct):
    """The result, as it would be stored in the event."""

    value: str


ExpressionAnswer = envelop("expression_result", ExpressionResult, "ExpressionAnswer")


class SampleEvent(msgspec.Struct):
    """An event to try on, its fields still of any type."""

    code: Any = None
    timestamp: Any = None
    properties: msgspec.Raw = msgspec.Raw(b"{}")


class EvaluateExpressionView(ApiView):
    """Tries an expression before a metric has it."""

    resource = "billable_metric"

    @describe(
        "evaluate_expression",
        "Try an expression on an event",
        description="Nothing is stored. An event without a time happens now.",
        tag="metrics",
        takes={"expression": serializers.CharField(), "event": EventInput()},
        answer=ExpressionAnswer,
    )
    def post(self, request: Request) -> Response:
        """What the expression gives; the body has no root key."""
        members = decode_root(self.body)
        expression = _read_expression(members.get("expression"))
        value = _evaluate(expression, _read_event(members.get("event")))
        return Response({"expression_result": ExpressionResult(value)})


def _read_expression(raw: msgspec.Raw | None) -> Expression:
    text = msgspec.json.decode(raw) if raw is not None else None
    if text is None or (isinstance(text, str) and not text.strip()):
        raise refuse_fields({"expression": ["value_is_mandatory"]})
    try:
        return parse(text if isinstance(text, str) else "")
    except ExpressionError:
        raise refuse_fields({"expression": ["invalid_expression"]}) from None


def _read_event(raw: msgspec.Raw | None) -> SampleEvent:
    try:
        return (_EVENT.decode(raw) if raw is not None else None) or SampleEvent()
    except msgspec.ValidationError:
        raise INVALID_EVENT from None


def _evaluate(expression: Expression, event: SampleEvent) -> str:
    try:
        return expression.evaluate(
            code=read_text(event.code) or "",
            timestamp=read_timestamp(event.timestamp) or timezone.now(),
            properties=decode_properties(read_properties(event.properties)),
        )
    except (ExpressionError, FieldError):
        raise INVALID_EVENT from None


# A fraction stays the text it was sent as, as in a posted event.
_EVENT = msgspec.json.Decoder(SampleEvent | None, float_hook=str)
