"""Addresses of this app's part of the API, below /api/v1/."""

from django.urls import path

from reconciliation.api.organizations import OrganizationView
from reconciliation.api.public_keys import JsonPublicKeyView, PublicKeyView
from reconciliation.api.webhook_endpoints import WebhookEndpointsView, WebhookEndpointView

urlpatterns = [
    path("organizations", OrganizationView.as_view(), name="organization"),
    path("webhook_endpoints", WebhookEndpointsView.as_view(), name="webhook-endpoints"),
    path("webhook_endpoints/<path:lago_id>", WebhookEndpointView.as_view(), name="webhook-endpoint"),
    path("webhooks/json_public_key", JsonPublicKeyView.as_view(), name="webhooks-json-public-key"),
    path("webhooks/public_key", PublicKeyView.as_view(), name="webhooks-public-key"),
]
