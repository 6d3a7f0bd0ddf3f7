"""Addresses of the API below /api/v1/events/ that tell what Odoo taxes."""

from django.urls import path

from reconciliation.api.estimates import EstimateView, InstantEstimateBatchView, InstantEstimateView

urlpatterns = [
    path("estimate_fees", EstimateView.as_view(), name="estimate-fees"),
    path("estimate_instant_fees", InstantEstimateView.as_view(), name="estimate-instant-fees"),
    path(
        "batch_estimate_instant_fees", InstantEstimateBatchView.as_view(), name="estimate-batch-instant-fees"
    ),
]
