"""Subscriptions, and who bills each from when."""

from django.contrib import admin
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.safestring import SafeString

from ingest.models import BillerTerm, Subscription, SubscriptionStatus, TriggeredAlert
from ingest.screens.base import EvidenceAdmin, EvidenceInline
from ingest.screens.filters import ServiceFilter, condition_filter
from ingest.screens.formatting import show_badge
from ingest.terminations import in_status

StatusFilter = condition_filter(
    "status",
    "status",
    {status: (status.label, in_status(status, Now())) for status in SubscriptionStatus},
)
TONES = {
    SubscriptionStatus.ACTIVE: ("good", "play_arrow"),
    SubscriptionStatus.PENDING: ("info", "schedule"),
    SubscriptionStatus.TERMINATED: ("plain", "stop"),
    SubscriptionStatus.CANCELED: ("plain", "block"),
}
OrderFilter = condition_filter(
    "Odoo order",
    "order",
    {
        "no": ("Without an Odoo order", Q(odoo_order_id=None)),
        "yes": ("With an Odoo order", Q(odoo_order_id__isnull=False)),
    },
)


class BillerTermInline(EvidenceInline):
    """Who bills the subscription's periods; before the first term the service does."""

    model = BillerTerm
    fields = ("biller", "starts_at", "created_at")
    readonly_fields = fields


class TriggeredAlertInline(EvidenceInline):
    """When its usage crossed what its service watches."""

    model = TriggeredAlert
    fields = ("alert", "previous_value", "current_value", "triggered_at")
    readonly_fields = fields


@admin.register(Subscription)
class SubscriptionAdmin(EvidenceAdmin):
    """Who is on which plan."""

    list_display = (
        "external_id",
        "status",
        "customer",
        "service",
        "plan",
        "billing_time",
        "started_at",
        "terminated_at",
        "odoo_order_id",
    )
    list_filter = (ServiceFilter, StatusFilter, OrderFilter, "billing_time")
    list_select_related = ("customer", "service", "plan")
    search_fields = ("external_id", "name", "customer__name", "customer__external_id", "=odoo_order_id")
    search_help_text = "External id, name, customer or Odoo order id"
    fields = (*list_display, "name", "subscription_at", "ending_at", "canceled_at", "previous", "profile")
    inlines = (BillerTermInline, TriggeredAlertInline)

    @admin.display(description="status")
    def status(self, subscription: Subscription) -> SafeString:
        """Where it stands now."""
        status = subscription.status_at(timezone.now())
        return show_badge(str(status.label), *TONES[status])
