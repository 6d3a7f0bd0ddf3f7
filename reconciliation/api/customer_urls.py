"""Addresses of the Lago-shaped API, below /api/v1/customers/, that tell what Odoo says too."""

from django.urls import path

from ingest.api import converters  # noqa: F401
from reconciliation.api.invoices import CustomerInvoicesView
from reconciliation.api.usage import CurrentUsageView, PastUsageView, ProjectedUsageView

urlpatterns = [
    path("<text:external_id>/current_usage", CurrentUsageView.as_view(), name="current-usage"),
    path("<text:external_id>/projected_usage", ProjectedUsageView.as_view(), name="projected-usage"),
    path("<text:external_id>/past_usage", PastUsageView.as_view(), name="past-usage"),
    path("<text:external_id>/invoices", CustomerInvoicesView.as_view(), name="customer-invoices"),
]
