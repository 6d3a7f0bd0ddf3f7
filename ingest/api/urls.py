"""Addresses of the Lago-shaped API, below /api/v1/."""

from django.urls import path

from ingest.api.events import EventBatchView, EventsView, EventView
from ingest.api.metrics import MetricsView, MetricView
from ingest.api.verdicts import VerdictsView

urlpatterns = [
    path("events", EventsView.as_view(), name="events"),
    path("events/batch", EventBatchView.as_view(), name="events-batch"),
    path("events/verdicts", VerdictsView.as_view(), name="events-verdicts"),
    path("events/<path:transaction_id>", EventView.as_view(), name="event"),
    path("billable_metrics", MetricsView.as_view(), name="billable-metrics"),
    path("billable_metrics/<path:code>", MetricView.as_view(), name="billable-metric"),
]
