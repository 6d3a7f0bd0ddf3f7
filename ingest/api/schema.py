"""The OpenAPI description of events: the views decode their own bytes, so that nothing can be read off them."""

from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field
from rest_framework import serializers

SECONDS = {"oneOf": [{"type": "number"}, {"type": "string"}], "nullable": True, "example": 1780586634.123}
AMOUNT = {"oneOf": [{"type": "string"}, {"type": "number"}], "nullable": True, "example": "12.5"}
DETAILS = {"type": "object", "additionalProperties": True}


class ApiKeyScheme(OpenApiAuthenticationExtension):
    """How a key is sent."""

    target_class = "ingest.api.authentication.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "description": "A service's API key."}


@extend_schema_field(SECONDS)
class SecondsField(serializers.Field):
    """Unix seconds."""


@extend_schema_field(AMOUNT)
class AmountField(serializers.Field):
    """A decimal number."""


@extend_schema_field(DETAILS)
class DetailsField(serializers.Field):
    """Codes by field; for a batch, by index and field."""


class EventInput(serializers.Serializer):
    """One usage event. Fields that are null count as absent, and unknown ones are ignored."""

    transaction_id = serializers.CharField(
        max_length=255, help_text="The event's own id: within a subscription it is stored once."
    )
    code = serializers.CharField(max_length=255, help_text="The metric; it need not exist yet.")
    external_subscription_id = serializers.CharField(
        max_length=255, required=False, allow_null=True, help_text="The subscription; it need not exist yet."
    )
    timestamp = SecondsField(
        required=False,
        help_text="When the usage happened, in Unix seconds with any fraction; else its receipt.",
    )
    properties = serializers.DictField(required=False, allow_null=True, help_text="Kept as sent.")
    precise_total_amount_cents = AmountField(required=False)


class EventRequest(serializers.Serializer):
    """The body of POST /events."""

    event = EventInput()


class BatchRequest(serializers.Serializer):
    """The body of POST /events/batch."""

    events = serializers.ListField(child=EventInput(), min_length=1, max_length=settings.EVENTS_BATCH_MAX)


class EventOutput(serializers.Serializer):
    """An event as it was stored."""

    lago_id = serializers.UUIDField()
    transaction_id = serializers.CharField()
    code = serializers.CharField()
    timestamp = serializers.CharField(help_text="ISO 8601 UTC with milliseconds.")
    precise_total_amount_cents = serializers.CharField(allow_null=True)
    properties = serializers.DictField()
    external_subscription_id = serializers.CharField(allow_null=True)
    created_at = serializers.CharField(help_text="ISO 8601 UTC in whole seconds.")
    lago_customer_id = serializers.UUIDField(allow_null=True)
    lago_subscription_id = serializers.UUIDField(allow_null=True)


class EventResponse(serializers.Serializer):
    """The answer to POST /events."""

    event = EventOutput()


class BatchResponse(serializers.Serializer):
    """The answer to POST /events/batch, in the order of the request."""

    events = EventOutput(many=True)


class Error(serializers.Serializer):
    """Every answer that is not 200."""

    status = serializers.IntegerField()
    error = serializers.CharField()
    code = serializers.CharField(required=False)
    error_details = DetailsField(required=False)


EVENT = {
    "transaction_id": "c1a9e0b4-1",
    "code": "api_calls",
    "external_subscription_id": "sub_4521",
    "timestamp": 1780586634.123,
    "properties": {"amount": "12.5", "region": "eu"},
}
STORED = {
    "lago_id": "8a1f6f0e-6c55-4c2e-a1c6-0b6f2f7f1d3a",
    **EVENT,
    "timestamp": "2026-06-04T15:23:54.123Z",
    "precise_total_amount_cents": None,
    "created_at": "2026-06-04T15:23:55Z",
    "lago_customer_id": None,
    "lago_subscription_id": None,
}
TAKEN = {"transaction_id": ["value_already_exist"]}
ERRORS = dict.fromkeys((400, 401, 413, 422, 500, 503), Error)


def _show_refusal(details: dict[str, Any]) -> OpenApiExample:
    body = {"status": 422, "error": "Unprocessable Entity", "code": "validation_errors"}
    value = {**body, "error_details": details}
    return OpenApiExample("a duplicate", value, response_only=True, status_codes=["422"])


describe_event = extend_schema(
    operation_id="create_event",
    summary="Post a usage event",
    description="200 means that the event is durable. Posting it again answers 422 and changes nothing.",
    tags=["events"],
    request=EventRequest,
    responses={200: EventResponse, **ERRORS},
    examples=[
        OpenApiExample("an event", {"event": EVENT}, request_only=True),
        OpenApiExample("stored", {"event": STORED}, response_only=True, status_codes=["200"]),
        _show_refusal(TAKEN),
    ],
)
describe_batch = extend_schema(
    operation_id="create_events",
    summary="Post many usage events, all or none",
    description="When any event is refused none is stored, and `error_details` names each by its index.",
    tags=["events"],
    request=BatchRequest,
    responses={200: BatchResponse, **ERRORS},
    examples=[
        OpenApiExample(
            "two events", {"events": [EVENT, {**EVENT, "transaction_id": "c1a9e0b4-2"}]}, request_only=True
        ),
        OpenApiExample("stored", {"events": [STORED]}, response_only=True, status_codes=["200"]),
        _show_refusal({"1": TAKEN}),
    ],
)
