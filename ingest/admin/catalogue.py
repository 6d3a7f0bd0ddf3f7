"""The catalogue: metrics, plans with their charges, and charges."""

from django.contrib import admin
from simple_history.admin import SimpleHistoryAdmin

from ingest.models import Charge, Metric, Plan
from ingest.screens.base import EvidenceAdmin, EvidenceInline
from ingest.screens.columns import amount_column, json_column
from ingest.screens.filters import ServiceFilter, exact_filter


@admin.register(Metric)
class MetricAdmin(EvidenceAdmin):
    """What is metered, and how events become a quantity."""

    list_display = ("name", "code", "service", "aggregation", "field_name")
    list_filter = (ServiceFilter, "aggregation")
    list_select_related = ("service",)
    search_fields = ("name", "code")
    fields = ("service", "code", "name", "aggregation", "field_name", "created_at")


class ChargeInline(EvidenceInline):
    """A plan's charges."""

    model = Charge
    fields = ("metric", "model", "shown_properties", "odoo_product_id")
    readonly_fields = fields
    shown_properties = json_column("properties")


class HistoryAdmin(SimpleHistoryAdmin, EvidenceAdmin):
    """A screen whose rows keep every version of themselves: that is their history."""


@admin.register(Plan)
class PlanAdmin(HistoryAdmin):
    """What is sold, with the charges that price its usage."""

    list_display = ("name", "code", "service", "interval", "shown_amount", "currency", "odoo_product_id")
    list_filter = (ServiceFilter, "interval", exact_filter("currency", "currency", "currency"))
    list_select_related = ("service",)
    search_fields = ("name", "code")
    fields = ("service", "code", "name", "interval", "shown_amount", "currency", "odoo_product_id")
    inlines = (ChargeInline,)
    shown_amount = amount_column("amount", title="base amount")


@admin.register(Charge)
class ChargeAdmin(HistoryAdmin):
    """The price of a metric on a plan."""

    list_display = ("__str__", "service", "plan", "metric", "model", "odoo_product_id")
    list_filter = (ServiceFilter, "model")
    list_select_related = ("service", "plan", "metric")
    search_fields = ("plan__name", "plan__code", "metric__name", "metric__code")
    fields = ("service", "plan", "metric", "model", "shown_properties", "odoo_product_id")
    shown_properties = json_column("properties")
