"""Addresses of the Lago-shaped API, below /api/v1/."""

from django.urls import path

from ingest.api.events import EventBatchView, EventsView

urlpatterns = [
    path("events", EventsView.as_view(), name="events"),
    path("events/batch", EventBatchView.as_view(), name="events-batch"),
]
