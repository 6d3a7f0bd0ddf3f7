"""Addresses of the Lago-shaped API, below /api/v1/."""

from django.urls import path

from ingest.api.customers import CustomersView, CustomerView
from ingest.api.events import EventBatchView, EventsView
from ingest.api.lifetime_usage import LifetimeUsageView
from ingest.api.metrics import MetricsView, MetricView
from ingest.api.subscriptions import SubscriptionsView, SubscriptionView

urlpatterns = [
    path("customers", CustomersView.as_view(), name="customers"),
    path("customers/<path:external_id>", CustomerView.as_view(), name="customer"),
    path("events", EventsView.as_view(), name="events"),
    path("events/batch", EventBatchView.as_view(), name="events-batch"),
    path("billable_metrics", MetricsView.as_view(), name="billable-metrics"),
    path("billable_metrics/<path:code>", MetricView.as_view(), name="billable-metric"),
    path("subscriptions", SubscriptionsView.as_view(), name="subscriptions"),
    path(
        "subscriptions/<path:external_id>/lifetime_usage", LifetimeUsageView.as_view(), name="lifetime-usage"
    ),
    path("subscriptions/<path:external_id>", SubscriptionView.as_view(), name="subscription"),
]
