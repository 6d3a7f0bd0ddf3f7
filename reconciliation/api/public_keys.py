"""/webhooks/…public_key: what a receiver verifies jwt signatures with (Lago: webhooks)."""

import base64
from typing import Any

import msgspec
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from ingest.api.openapi import ALWAYS, Error, describe, envelop
from ingest.api.view import ApiView
from reconciliation.signing import read_public_key

AS_TEXT: dict[Any, Any] = {(200, "text/plain"): str, **dict.fromkeys(ALWAYS, Error)}


class WebhookPublicKey(msgspec.Struct):
    """The console's public key: base64 of its PEM, in lines."""

    public_key: str


WebhookPublicKeyAnswer = envelop("webhook", WebhookPublicKey, "WebhookPublicKeyAnswer")


class JsonPublicKeyView(ApiView):
    """The key in JSON, as the clients read it."""

    resource = "webhook_jwt_public_key"

    @describe(
        "get_webhook_public_key",
        "Get the public key that verifies webhooks signed by jwt",
        tag="webhooks",
        answer=WebhookPublicKeyAnswer,
    )
    def get(self, request: Request) -> Response:
        """The key, made on first use."""
        return Response({"webhook": WebhookPublicKey(_encode_key())})


class PublicKeyView(ApiView):
    """The key alone, as Lago's older address has it."""

    resource = "webhook_jwt_public_key"

    @extend_schema(
        operation_id="get_webhook_public_key_as_text",
        summary="Get the same key as plain text",
        description="Deprecated in Lago: use json_public_key.",
        tags=["webhooks"],
        deprecated=True,
        responses=AS_TEXT,
    )
    def get(self, request: Request) -> HttpResponse:
        """Base64 of the PEM, in lines."""
        return HttpResponse(_encode_key(), content_type="text/plain")


def _encode_key() -> str:
    return base64.encodebytes(read_public_key().encode()).decode()
