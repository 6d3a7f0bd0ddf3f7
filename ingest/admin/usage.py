"""Usage and fees: what was used, and what it costs by our own rating."""

from django.contrib import admin

from ingest.buckets import describe_bucket
from ingest.models import Fee, Usage
from ingest.screens.base import EvidenceAdmin
from ingest.screens.columns import age_column, amount_column, exact_column, json_column, quantity_column
from ingest.screens.filters import PeriodFilter, service_filter

SubscriptionServiceFilter = service_filter("subscription__service")


@admin.register(Usage)
class UsageAdmin(EvidenceAdmin):
    """The quantity of each metric per subscription and period."""

    list_display = (
        "subscription",
        "customer",
        "metric",
        "group",
        "period_label",
        "shown_quantity",
        "events_count",
        "computed",
    )
    list_filter = (SubscriptionServiceFilter, PeriodFilter)
    list_select_related = ("subscription__customer", "charge__metric")
    search_fields = ("subscription__external_id", "subscription__customer__name", "charge__metric__code")
    search_help_text = "Subscription, customer or metric code"
    ordering = ("-period_start", "-id")
    fields = (
        "subscription",
        "metric",
        "group",
        "period_label",
        "period_start",
        "period_end",
        "shown_quantity",
        "shown_full_quantity",
        "events_count",
        "late_events_count",
        "computed_at",
    )
    shown_full_quantity = quantity_column("full_quantity")
    shown_quantity = quantity_column("quantity")
    computed = age_column("computed_at", title="computed")

    @admin.display(ordering="charge__metric__name")
    def metric(self, usage: Usage) -> str:
        """What was metered."""
        return str(usage.charge.metric)

    @admin.display(description="filter and group")
    def group(self, usage: Usage) -> str:
        """Which filter and group the quantity is of."""
        return describe_bucket(usage)

    @admin.display(ordering="subscription__customer__name")
    def customer(self, usage: Usage) -> str:
        """Whose subscription it is."""
        return str(usage.subscription.customer)


@admin.register(Fee)
class FeeAdmin(EvidenceAdmin):
    """The rated amounts, with the price used and what each tier gave."""

    list_display = (
        "__str__",
        "customer",
        "subscription",
        "period_label",
        "kind",
        "shown_quantity",
        "shown_amount",
        "currency",
        "rated",
    )
    list_filter = (SubscriptionServiceFilter, PeriodFilter, "kind")
    list_select_related = ("subscription__customer", "subscription__plan", "charge__metric", "charge__plan")
    search_fields = ("subscription__external_id", "subscription__customer__name", "charge__metric__code")
    search_help_text = "Subscription, customer or metric code"
    ordering = ("-period_start", "-id")
    fields = (
        "subscription",
        "kind",
        "charge",
        "period_label",
        "period_start",
        "period_end",
        "shown_quantity",
        "events_count",
        "shown_exact_amount",
        "shown_amount",
        "currency",
        "shown_details",
        "rated_at",
    )
    shown_quantity = quantity_column("quantity")
    shown_amount = amount_column("amount")
    shown_exact_amount = exact_column("exact_amount")
    shown_details = json_column("details", title="how it was rated")
    rated = age_column("rated_at", title="rated")

    @admin.display(ordering="subscription__customer__name")
    def customer(self, fee: Fee) -> str:
        """Whose subscription it is."""
        return str(fee.subscription.customer)
