"""/webhook_endpoints: where a service listens (Lago: webhook endpoints)."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec
from rest_framework.request import Request
from rest_framework.response import Response

from ingest.api.errors import ApiError, refuse_fields
from ingest.api.inputs import read_input
from ingest.api.openapi import PAGES, describe, envelop, list_of
from ingest.api.pagination import paginate
from ingest.api.rendering import render_second
from ingest.api.view import ApiView
from ingest.models import Service
from reconciliation.endpoint_input import WebhookEndpointInput, to_columns
from reconciliation.models import SignatureAlgorithm, WebhookEndpoint
from reconciliation.webhooks import (
    change_endpoint,
    create_endpoint,
    delete_endpoint,
    find_endpoints,
)

REFUSALS: Mapping[str, ApiError] = {
    "url_is_invalid": refuse_fields({"webhook_url": ["url_is_invalid"]}),
    "host_is_invalid": refuse_fields({"webhook_url": ["url_is_invalid"]}),
    "value_already_exist": refuse_fields({"webhook_url": ["value_already_exist"]}),
    "exceeded_limit": refuse_fields({"base": ["exceeded_limit"]}),
    "unknown_endpoint": ApiError(404, code="webhook_endpoint_not_found"),
}


class WebhookEndpointShown(msgspec.Struct):
    """An endpoint as the API returns it; `hmac_key` is told in the one answer that made it, else null."""

    lago_id: str
    lago_organization_id: str
    webhook_url: str
    signature_algo: str
    name: str | None
    event_types: list[str] | None
    created_at: str
    hmac_key: str | None


EndpointAnswer = envelop("webhook_endpoint", WebhookEndpointShown, "WebhookEndpointAnswer")
EndpointsAnswer = list_of("webhook_endpoints", WebhookEndpointShown, "WebhookEndpointsAnswer")


def show_endpoint(endpoint: WebhookEndpoint, key: str = "") -> WebhookEndpointShown:
    """The answer that tells of an endpoint, and this once of its HMAC key."""
    return WebhookEndpointShown(
        lago_id=str(endpoint.public_id),
        lago_organization_id=str(endpoint.service.public_id),
        webhook_url=endpoint.url,
        signature_algo=endpoint.algorithm,
        name=endpoint.name or None,
        event_types=endpoint.event_types,
        created_at=render_second(endpoint.created_at),
        hmac_key=key or None,
    )


class WebhookEndpointsView(ApiView):
    """All endpoints of the service."""

    resource = "webhook_endpoint"

    @describe(
        "list_webhook_endpoints",
        "List webhook endpoints",
        tag="webhooks",
        answer=EndpointsAnswer,
        query=PAGES,
    )
    def get(self, request: Request) -> Response:
        """One page of endpoints, the newest first."""
        rows = find_endpoints(self.caller.service_id).select_related("service").order_by("-pk")
        page, meta = paginate(rows, request.query_params)
        return Response({"webhook_endpoints": [show_endpoint(row) for row in page], "meta": meta})

    @describe(
        "create_webhook_endpoint",
        "Create a webhook endpoint",
        description="Signed by jwt unless told otherwise. With hmac, this answer alone holds the key.",
        tag="webhooks",
        takes={"webhook_endpoint": WebhookEndpointInput()},
        answer=EndpointAnswer,
    )
    def post(self, request: Request) -> Response:
        """A new endpoint; a service has ten at most."""
        values = _read(self.body)
        service = Service.objects.get(pk=self.caller.service_id)
        with self.refusing(REFUSALS):
            endpoint, key = create_endpoint(
                service=service,
                actor=None,
                rule=self.caller.rule,
                **{"algorithm": SignatureAlgorithm.JWT.value, **values},
            )
        return Response({"webhook_endpoint": show_endpoint(endpoint, key)})


class WebhookEndpointView(ApiView):
    """One endpoint, by its id."""

    resource = "webhook_endpoint"

    @describe(
        "get_webhook_endpoint",
        "Get a webhook endpoint",
        tag="webhooks",
        answer=EndpointAnswer,
        refuses=(404,),
    )
    def get(self, request: Request, lago_id: str) -> Response:
        """The endpoint of that id."""
        return Response({"webhook_endpoint": show_endpoint(self._find(lago_id))})

    @describe(
        "update_webhook_endpoint",
        "Change a webhook endpoint",
        description="What is given changes. With a change to hmac, this answer alone holds the new key.",
        tag="webhooks",
        takes={"webhook_endpoint": WebhookEndpointInput(partial=True)},
        answer=EndpointAnswer,
        refuses=(404,),
    )
    def put(self, request: Request, lago_id: str) -> Response:
        """Changes what is given; the rest stays."""
        endpoint = self._find(lago_id)
        values = _read(self.body, is_partial=True)
        with self.refusing(REFUSALS):
            changed, key = change_endpoint(endpoint=endpoint, values=values, rule=self.caller.rule)
        return Response({"webhook_endpoint": show_endpoint(changed, key)})

    @describe(
        "delete_webhook_endpoint",
        "Delete a webhook endpoint",
        description="Nothing more is sent there; what still waits to be sent fails.",
        tag="webhooks",
        answer=EndpointAnswer,
        refuses=(404,),
    )
    def delete(self, request: Request, lago_id: str) -> Response:
        """Ends the endpoint."""
        with self.refusing(REFUSALS):
            endpoint = delete_endpoint(endpoint=self._find(lago_id), rule=self.caller.rule)
        return Response({"webhook_endpoint": show_endpoint(endpoint)})

    def _find(self, lago_id: str) -> WebhookEndpoint:
        try:
            public_id = UUID(lago_id)
        except ValueError:
            raise REFUSALS["unknown_endpoint"] from None
        rows = find_endpoints(self.caller.service_id).select_related("service")
        endpoint = rows.filter(public_id=public_id).first()
        if endpoint is None:
            raise REFUSALS["unknown_endpoint"]
        return endpoint


def _read(body: bytes, *, is_partial: bool = False) -> dict[str, Any]:
    values = read_input(body, root="webhook_endpoint", serializer=WebhookEndpointInput, is_partial=is_partial)
    return to_columns(values)
