"""Addresses of the Lago-shaped API, below /api/v1/.

An id may hold slashes: what stands below one comes before the one itself, the longest address first.
"""

from django.urls import path

from ingest.api import converters  # noqa: F401
from ingest.api.alerts import AlertsView, AlertView
from ingest.api.charge_filters import ChargeFiltersView, ChargeFilterView
from ingest.api.customers import CustomersView, CustomerView
from ingest.api.errors import show_unknown_route
from ingest.api.events import EventBatchView, EventsView, EventView
from ingest.api.expressions import EvaluateExpressionView
from ingest.api.fixed_charges import FixedChargeView, PlanFixedChargesView, SubscriptionFixedChargesView
from ingest.api.lifetime_usage import LifetimeUsageView
from ingest.api.metrics import MetricsView, MetricView
from ingest.api.plan_charges import PlanChargesView, PlanChargeView
from ingest.api.plan_metadata import PlanMetadataKeyView, PlanMetadataView
from ingest.api.plans import PlansView, PlanView
from ingest.api.subscription_charges import (
    SubscriptionChargesView,
    SubscriptionChargeView,
    SubscriptionFiltersView,
    SubscriptionFilterView,
)
from ingest.api.subscriptions import CustomerSubscriptionsView, SubscriptionsView, SubscriptionView
from ingest.api.verdicts import VerdictsView

CUSTOMER = "customers/<text:external_id>"
SUBSCRIPTION = "subscriptions/<text:external_id>"
PLAN = "plans/<text:plan_code>"
CHARGE = "charges/<text:charge_code>"
FILTER = "filters/<text:filter_id>"

events = [
    path("events", EventsView.as_view(), name="events"),
    path("events/batch", EventBatchView.as_view(), name="events-batch"),
    path("events/verdicts", VerdictsView.as_view(), name="events-verdicts"),
    path("events/<text:transaction_id>", EventView.as_view(), name="event"),
]
# What Lago has below a customer and the console does not serve.
UNSERVED_OF_CUSTOMER = (
    "applied_coupons",
    "checkout_url",
    "credit_notes",
    "payment_methods",
    "payment_requests",
    "payments",
    "portal_url",
    "wallets",
)
customers = [
    *(path(f"{CUSTOMER}/{name}", show_unknown_route) for name in UNSERVED_OF_CUSTOMER),
    *(path(f"{CUSTOMER}/{name}/<text:rest>", show_unknown_route) for name in UNSERVED_OF_CUSTOMER),
    path("customers", CustomersView.as_view(), name="customers"),
    path(f"{CUSTOMER}/subscriptions", CustomerSubscriptionsView.as_view(), name="customer-subscriptions"),
    path(CUSTOMER, CustomerView.as_view(), name="customer"),
]
subscriptions = [
    path("subscriptions", SubscriptionsView.as_view(), name="subscriptions"),
    path(f"{SUBSCRIPTION}/lifetime_usage", LifetimeUsageView.as_view(), name="lifetime-usage"),
    path(
        f"{SUBSCRIPTION}/{CHARGE}/{FILTER}",
        SubscriptionFilterView.as_view(),
        name="subscription-charge-filter",
    ),
    path(
        f"{SUBSCRIPTION}/{CHARGE}/filters",
        SubscriptionFiltersView.as_view(),
        name="subscription-charge-filters",
    ),
    path(f"{SUBSCRIPTION}/{CHARGE}", SubscriptionChargeView.as_view(), name="subscription-charge"),
    path(f"{SUBSCRIPTION}/charges", SubscriptionChargesView.as_view(), name="subscription-charges"),
    path(f"{SUBSCRIPTION}/fixed_charges/<text:charge_code>", FixedChargeView.as_view()),
    path(
        f"{SUBSCRIPTION}/fixed_charges",
        SubscriptionFixedChargesView.as_view(),
        name="subscription-fixed-charges",
    ),
    path(f"{SUBSCRIPTION}/alerts/<text:code>", AlertView.as_view(), name="subscription-alert"),
    path(f"{SUBSCRIPTION}/alerts", AlertsView.as_view(), name="subscription-alerts"),
    path(f"{SUBSCRIPTION}/entitlements/<text:rest>", show_unknown_route),
    path(f"{SUBSCRIPTION}/entitlements", show_unknown_route),
    path(SUBSCRIPTION, SubscriptionView.as_view(), name="subscription"),
]
plans = [
    path("plans", PlansView.as_view(), name="plans"),
    path(f"{PLAN}/{CHARGE}/{FILTER}", ChargeFilterView.as_view(), name="plan-charge-filter"),
    path(f"{PLAN}/{CHARGE}/filters", ChargeFiltersView.as_view(), name="plan-charge-filters"),
    path(f"{PLAN}/{CHARGE}", PlanChargeView.as_view(), name="plan-charge"),
    path(f"{PLAN}/charges", PlanChargesView.as_view(), name="plan-charges"),
    path(f"{PLAN}/fixed_charges/<text:charge_code>", FixedChargeView.as_view()),
    path(f"{PLAN}/fixed_charges", PlanFixedChargesView.as_view(), name="plan-fixed-charges"),
    path(f"{PLAN}/metadata/<text:key>", PlanMetadataKeyView.as_view(), name="plan-metadata-key"),
    path(f"{PLAN}/metadata", PlanMetadataView.as_view(), name="plan-metadata"),
    path(f"{PLAN}/entitlements/<text:rest>", show_unknown_route),
    path(f"{PLAN}/entitlements", show_unknown_route),
    path("plans/<text:code>", PlanView.as_view(), name="plan"),
]
metrics = [
    path("billable_metrics", MetricsView.as_view(), name="billable-metrics"),
    path(
        "billable_metrics/evaluate_expression", EvaluateExpressionView.as_view(), name="evaluate-expression"
    ),
    path("billable_metrics/<text:code>", MetricView.as_view(), name="billable-metric"),
]
urlpatterns = [*events, *customers, *subscriptions, *plans, *metrics]
