"""What both sides said: amounts with their lines, and the documents they came from."""

from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.utils.safestring import SafeString

from ingest.screens.base import EvidenceAdmin, EvidenceInline
from ingest.screens.columns import (
    age_column,
    amount_column,
    exact_column,
    json_column,
    link_to,
    quantity_column,
)
from ingest.screens.filters import PeriodFilter, ServiceFilter, condition_filter
from ingest.screens.formatting import show_badge
from reconciliation.models import Amount, AmountLine, SourceDocument

CurrentFilter = condition_filter(
    "version",
    "version",
    {"current": ("Current", Q(is_current=True)), "earlier": ("No longer current", Q(is_current=False))},
)
CountingFilter = condition_filter(
    "version",
    "version",
    {
        "current": ("Counts", Q(is_current=True)),
        "evidence": ("Evidence of payment", Q(is_current=False, document__is_current=True)),
        "earlier": ("No longer current", Q(document__is_current=False)),
    },
)


def show_currency(_: Any, row: Amount | SourceDocument) -> SafeString:
    """Whether the row still counts, or is evidence beside the billing source's."""
    if row.is_current:
        return show_badge("current", "good", "check_circle")
    if isinstance(row, Amount) and row.document.is_current:
        return show_badge("evidence of payment", "info", "receipt")
    return show_badge("earlier version", "plain", "history")


show_currency.short_description = "version"  # type: ignore[attr-defined]


class AmountLineInline(EvidenceInline):
    """The lines of an amount."""

    model = AmountLine
    fields = (
        "position",
        "kind",
        "code",
        "description",
        "shown_quantity",
        "shown_price",
        "shown_untaxed",
        "shown_tax",
        "shown_total",
        "timing",
        "priced_by",
    )
    readonly_fields = fields
    ordering = ("position",)
    shown_quantity = quantity_column("quantity")
    shown_price = quantity_column("unit_price")
    shown_untaxed = exact_column("untaxed", currency="amount__currency")
    shown_tax = exact_column("tax", currency="amount__currency")
    shown_total = exact_column("total", currency="amount__currency")

    @admin.display(description="price from")
    def priced_by(self, line: AmountLine) -> str:
        """Whose price the line has."""
        return "Odoo" if line.is_priced_by_odoo else "the service"


@admin.register(Amount)
class AmountAdmin(EvidenceAdmin):
    """What one document says a customer's period costs."""

    list_display = (
        "customer",
        "service",
        "period_label",
        "side",
        "shown_untaxed",
        "shown_tax",
        "shown_total",
        "currency",
        "state",
        "version",
        "fetched",
    )
    list_filter = (ServiceFilter, PeriodFilter, "side", CountingFilter)
    list_select_related = ("customer", "service", "document")
    search_fields = ("customer__name", "customer__external_id", "document__reference", "document__title")
    search_help_text = "Customer or document"
    ordering = ("-period_start", "-id")
    fields = (
        "customer",
        "service",
        "period_label",
        "period_start",
        "period_end",
        "side",
        "source_document",
        "state",
        "exact_untaxed",
        "exact_tax",
        "exact_total",
        "currency",
        "version",
        "fetched_at",
    )
    inlines = (AmountLineInline,)
    shown_untaxed = amount_column("untaxed")
    shown_tax = amount_column("tax")
    shown_total = amount_column("total")
    exact_untaxed = exact_column("untaxed")
    exact_tax = exact_column("tax")
    exact_total = exact_column("total")
    version = show_currency
    fetched = age_column("fetched_at", title="fetched")

    @admin.display(description="source document")
    def source_document(self, amount: Amount) -> SafeString:
        """The document that says so."""
        return link_to(amount.document)


@admin.register(SourceDocument)
class SourceDocumentAdmin(EvidenceAdmin):
    """Outside documents, whole, each version of each."""

    list_display = ("__str__", "source", "service", "version", "state", "fetched", "run")
    list_filter = (ServiceFilter, "source", CurrentFilter)
    list_select_related = ("service", "run__service")
    search_fields = ("reference", "title")
    ordering = ("-fetched_at", "-id")
    fields = (
        "title",
        "number",
        "reference",
        "source",
        "service",
        "version",
        "state",
        "digest",
        "fetched_at",
        "run",
        "shown_content",
    )
    shown_content = json_column("content")
    fetched = age_column("fetched_at", title="fetched")

    @admin.display(description="counts")
    def state(self, document: SourceDocument) -> SafeString:
        """Whether it is the version that counts."""
        return show_currency(self, document)
