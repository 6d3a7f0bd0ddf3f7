"""Tolerances: how far apart both sides of a service may be and still match."""

from django.contrib import admin
from django.utils.safestring import SafeString

from ingest.screens.base import EvidenceAdmin
from ingest.screens.columns import amount_column
from ingest.screens.filters import ServiceFilter
from ingest.screens.formatting import format_percent, show_figure
from reconciliation.models import Tolerance


@admin.register(Tolerance)
class ToleranceAdmin(EvidenceAdmin):
    """A match is a delta of at most the larger of both limits, and never above the cap."""

    list_display = ("service", "currency", "shown_absolute", "shown_relative", "shown_cap")
    list_filter = (ServiceFilter,)
    list_select_related = ("service",)
    fields = (*list_display, "created_at")
    shown_absolute = amount_column("absolute")
    shown_cap = amount_column("cap")

    @admin.display(description="relative", ordering="relative")
    def shown_relative(self, tolerance: Tolerance) -> SafeString:
        """The share of the external amount, in percent."""
        return show_figure(format_percent(tolerance.relative))
