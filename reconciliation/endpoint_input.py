"""What a service says of where it listens, checked field by field (Lago: webhook endpoints)."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from ingest.inputs.fields import TextField
from reconciliation.models import SignatureAlgorithm
from reconciliation.webhooks import LONGEST_URL

EVERY_TYPE = "*"
NAMES = {"webhook_url": "url", "signature_algo": "algorithm"}


@extend_schema_field({"type": "array", "items": {"type": "string", "maxLength": 64}})
class EventTypesField(serializers.ListField):
    """The types that an endpoint is told of; "*", alone or among others, is all of them (None)."""

    child = TextField(max_length=64)

    def to_internal_value(self, data: Any) -> Any:
        types = super().to_internal_value([data] if data == EVERY_TYPE else data)
        return None if EVERY_TYPE in types else list(dict.fromkeys(types))


class WebhookEndpointInput(serializers.Serializer):
    """Where to send, how to sign, and what of."""

    webhook_url = TextField(max_length=LONGEST_URL)
    signature_algo = serializers.ChoiceField(choices=SignatureAlgorithm.values, required=False)
    name = TextField(required=False, allow_blank=True)
    event_types = EventTypesField(required=False)


def to_columns(values: Mapping[str, Any]) -> dict[str, Any]:
    """Lago's names as the model's."""
    return {NAMES.get(name, name): value for name, value in values.items()}
