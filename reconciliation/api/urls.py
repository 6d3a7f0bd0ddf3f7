"""Addresses of this app's part of the API, below /api/v1/."""

from django.urls import path

from ingest.api import converters  # noqa: F401
from reconciliation.api.fees import FeesView, FeeView
from reconciliation.api.invoices import InvoicesView, InvoiceView
from reconciliation.api.organizations import OrganizationView
from reconciliation.api.public_keys import JsonPublicKeyView, PublicKeyView
from reconciliation.api.webhook_endpoints import WebhookEndpointsView, WebhookEndpointView

urlpatterns = [
    path("fees", FeesView.as_view(), name="fees"),
    path("fees/<text:lago_id>", FeeView.as_view(), name="fee"),
    path("invoices", InvoicesView.as_view(), name="invoices"),
    path("invoices/<text:lago_id>", InvoiceView.as_view(), name="invoice"),
    path("organizations", OrganizationView.as_view(), name="organization"),
    path("webhook_endpoints", WebhookEndpointsView.as_view(), name="webhook-endpoints"),
    path("webhook_endpoints/<text:lago_id>", WebhookEndpointView.as_view(), name="webhook-endpoint"),
    path("webhooks/json_public_key", JsonPublicKeyView.as_view(), name="webhooks-json-public-key"),
    path("webhooks/public_key", PublicKeyView.as_view(), name="webhooks-public-key"),
]
