"""Subscriptions, and who bills each from when."""

from django.contrib import admin
from django.db.models import Q

from ingest.models import BillerTerm, Subscription
from ingest.screens.base import EvidenceAdmin, EvidenceInline
from ingest.screens.filters import ServiceFilter, condition_filter

StateFilter = condition_filter(
    "state",
    "state",
    {"open": ("Open", Q(terminated_at=None)), "ended": ("Ended", Q(terminated_at__isnull=False))},
)
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


@admin.register(Subscription)
class SubscriptionAdmin(EvidenceAdmin):
    """Who is on which plan."""

    list_display = (
        "external_id",
        "customer",
        "service",
        "plan",
        "billing_time",
        "started_at",
        "terminated_at",
        "odoo_order_id",
    )
    list_filter = (ServiceFilter, StateFilter, OrderFilter, "billing_time")
    list_select_related = ("customer", "service", "plan")
    search_fields = ("external_id", "customer__name", "customer__external_id", "=odoo_order_id")
    search_help_text = "External id, customer or Odoo order id"
    fields = list_display
    inlines = (BillerTermInline,)
