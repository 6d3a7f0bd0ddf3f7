"""Addresses of the Lago-shaped API, below /api/v1/."""

from django.urls import path

from ingest.api import converters  # noqa: F401
from ingest.api.customers import CustomersView, CustomerView
from ingest.api.events import EventBatchView, EventsView, EventView
from ingest.api.lifetime_usage import LifetimeUsageView
from ingest.api.metrics import MetricsView, MetricView
from ingest.api.plans import PlansView, PlanView
from ingest.api.subscriptions import SubscriptionsView, SubscriptionView
from ingest.api.verdicts import VerdictsView

urlpatterns = [
    path("events", EventsView.as_view(), name="events"),
    path("events/batch", EventBatchView.as_view(), name="events-batch"),
    path("events/verdicts", VerdictsView.as_view(), name="events-verdicts"),
    path("events/<text:transaction_id>", EventView.as_view(), name="event"),
    path("customers", CustomersView.as_view(), name="customers"),
    path("customers/<text:external_id>", CustomerView.as_view(), name="customer"),
    path("subscriptions", SubscriptionsView.as_view(), name="subscriptions"),
    path(
        "subscriptions/<text:external_id>/lifetime_usage", LifetimeUsageView.as_view(), name="lifetime-usage"
    ),
    path("subscriptions/<text:external_id>", SubscriptionView.as_view(), name="subscription"),
    path("plans", PlansView.as_view(), name="plans"),
    path("plans/<text:code>", PlanView.as_view(), name="plan"),
    path("billable_metrics", MetricsView.as_view(), name="billable-metrics"),
    path("billable_metrics/<text:code>", MetricView.as_view(), name="billable-metric"),
]
