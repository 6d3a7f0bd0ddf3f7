"""The OpenAPI description of posted events: their views decode their own bytes, so that it is written here."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import OpenApiExample, extend_schema_field
from rest_framework import serializers

from ingest.models.service import MOST_EVENTS

SECONDS = {"anyOf": [{"type": "number"}, {"type": "string"}, {"type": "null"}], "examples": [1780586634.123]}
AMOUNT = {"anyOf": [{"type": "string"}, {"type": "number"}, {"type": "null"}], "examples": ["12.5"]}


@extend_schema_field(SECONDS)
class SecondsField(serializers.Field):
    """Unix seconds."""


@extend_schema_field(AMOUNT)
class AmountField(serializers.Field):
    """A decimal number."""


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


BATCH = serializers.ListField(
    child=EventInput(),
    min_length=1,
    max_length=MOST_EVENTS,
    help_text=f"Up to {settings.EVENTS_BATCH_MAX:,} events, or as many as the service chose.",
)

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


def _show_refusal(details: dict[str, Any]) -> OpenApiExample:
    body = {"status": 422, "error": "Unprocessable Entity", "code": "validation_errors"}
    value = {**body, "error_details": details}
    return OpenApiExample("a duplicate", value, response_only=True, status_codes=["422"])


EVENT_EXAMPLES = [
    OpenApiExample("an event", {"event": EVENT}, request_only=True),
    OpenApiExample("stored", {"event": STORED}, response_only=True, status_codes=["200"]),
    _show_refusal(TAKEN),
]
BATCH_EXAMPLES = [
    OpenApiExample(
        "two events", {"events": [EVENT, {**EVENT, "transaction_id": "c1a9e0b4-2"}]}, request_only=True
    ),
    OpenApiExample("stored", {"events": [STORED]}, response_only=True, status_codes=["200"]),
    OpenApiExample(
        "stored in part",
        {"events": [STORED], "errors": {"1": TAKEN}},
        response_only=True,
        status_codes=["200"],
    ),
    _show_refusal({"1": TAKEN}),
]
