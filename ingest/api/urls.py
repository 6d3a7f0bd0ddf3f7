"""Addresses of the Lago-shaped API, below /api/v1/."""

from django.urls import path

from ingest.api.events import EventBatchView, EventsView
from ingest.api.metrics import MetricsView, MetricView
from ingest.api.plans import PlansView, PlanView

urlpatterns = [
    path("events", EventsView.as_view(), name="events"),
    path("events/batch", EventBatchView.as_view(), name="events-batch"),
    path("billable_metrics", MetricsView.as_view(), name="billable-metrics"),
    path("billable_metrics/<path:code>", MetricView.as_view(), name="billable-metric"),
    path("plans", PlansView.as_view(), name="plans"),
    path("plans/<path:code>", PlanView.as_view(), name="plan"),
]
