"""Addresses of the Lago-shaped API, below /api/v1/customers/, that tell what Odoo says too."""

from django.urls import path

from reconciliation.api.usage import CurrentUsageView, PastUsageView, ProjectedUsageView

urlpatterns = [
    path("<path:external_id>/current_usage", CurrentUsageView.as_view(), name="current-usage"),
    path("<path:external_id>/projected_usage", ProjectedUsageView.as_view(), name="projected-usage"),
    path("<path:external_id>/past_usage", PastUsageView.as_view(), name="past-usage"),
]
