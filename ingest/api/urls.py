"""Addresses of the Lago-shaped API, below /api/v1/."""

from django.urls import path

from ingest.api import converters  # noqa: F401
from ingest.api.events import EventBatchView, EventsView, EventView
from ingest.api.metrics import MetricsView, MetricView
from ingest.api.plans import PlansView, PlanView

urlpatterns = [
    path("events", EventsView.as_view(), name="events"),
    path("events/batch", EventBatchView.as_view(), name="events-batch"),
    path("events/<text:transaction_id>", EventView.as_view(), name="event"),
    path("billable_metrics", MetricsView.as_view(), name="billable-metrics"),
    path("billable_metrics/<text:code>", MetricView.as_view(), name="billable-metric"),
    path("plans", PlansView.as_view(), name="plans"),
    path("plans/<text:code>", PlanView.as_view(), name="plan"),
]
