"""Alarms: what must never happen and was seen."""

from django.contrib import admin
from django.db.models import Q
from django.utils.safestring import SafeString

from ingest.screens.base import EvidenceAdmin
from ingest.screens.columns import age_column
from ingest.screens.filters import ServiceFilter, condition_filter
from ingest.screens.formatting import show_badge
from reconciliation.models import Alarm

StateFilter = condition_filter(
    "state",
    "state",
    {"open": ("Open", Q(cleared_at=None)), "cleared": ("Cleared", Q(cleared_at__isnull=False))},
)


@admin.register(Alarm)
class AlarmAdmin(EvidenceAdmin):
    """Alarms clear themselves when what raised them is gone."""

    when_empty = "No service bills a period that Odoo bills."
    list_display = ("message", "kind", "service", "state", "raised")
    list_filter = (ServiceFilter, StateFilter, "kind")
    list_select_related = ("service",)
    search_fields = ("message", "reference")
    fields = ("kind", "service", "state", "message", "reference", "created_at", "cleared_at")
    raised = age_column("created_at", title="raised")

    @admin.display(description="state", ordering="cleared_at")
    def state(self, alarm: Alarm) -> SafeString:
        """Whether it is still so."""
        if alarm.cleared_at is None:
            return show_badge("open", "bad", "notifications_active")
        return show_badge("cleared", "good", "check_circle")
