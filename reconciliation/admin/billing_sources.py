"""Billing sources: which source says what a service billed, and the decision to take another."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Max, OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminDateWidget, UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from ingest.models import Service
from ingest.screens.columns import person_column
from ingest.screens.filters import ServiceFilter
from ingest.screens.formatting import show_amount, show_badge, show_instant
from reconciliation import billing_sources
from reconciliation.admin.previewed import PreviewedAdmin, Shown
from reconciliation.models import SOURCES_OF_KIND, BillingKind, BillingSource, SourceDocument

HEADS = ("Period", "Currency", "Documents now", "Counts now", "Documents then", "Would count")


class SourceForm(forms.Form):
    """Another source for a service, from when and why."""

    service = forms.ModelChoiceField(
        Service.objects.all(), to_field_name="code", widget=UnfoldAdminSelectWidget
    )
    kind = forms.ChoiceField(choices=BillingKind.choices, label="Source", widget=UnfoldAdminSelectWidget)
    starts_on = forms.DateField(
        label="From",
        widget=UnfoldAdminDateWidget(attrs={"type": "date"}),
        help_text="Of periods that begin on this day or later, where the customer is.",
    )
    reason = forms.CharField(widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}))


@admin.register(BillingSource)
class BillingSourceAdmin(PreviewedAdmin):
    """One source at a time for each service; before any is decided, files count."""

    add_permission = billing_sources.PERMISSION
    form_title, preview_title = "Take another billing source", "Show what would count"
    submit_title = "Take this source"
    explanation = (
        "One source at a time says what a service billed. What other sources say of it is kept as evidence of payment"
        " and never added: Lago collects through the same Stripe account, and counting both would double."
    )
    when_empty = "Nobody has decided yet: the files that are imported count for every service."
    list_display = ("service", "kind", "starts_on", "holds", "read", "decided_by_name", "reason")
    list_filter = (ServiceFilter, "kind")
    list_select_related = ("service", "decided_by")
    fields = ("service", "kind", "starts_on", "holds", "reason", "decided_by_name", "created_at")
    decided_by_name = person_column("decided_by", title="decided by")

    def get_queryset(self, request: HttpRequest) -> QuerySet[BillingSource]:
        """The decisions, with when the newest document of each source was read."""
        rows = super().get_queryset(request)
        documents = SourceDocument.objects.filter(service=OuterRef("service"), is_current=True).order_by()
        for kind, sources in SOURCES_OF_KIND.items():
            newest = documents.filter(source__in=sources).values("service").annotate(at=Max("fetched_at"))
            rows = rows.annotate(**{f"read_{kind}": Subquery(newest.values("at"))})
        return rows

    def make_form(self, request: HttpRequest) -> forms.Form:
        """Empty at first."""
        return SourceForm(request.POST or None)

    def preview(self, data: dict[str, Any]) -> Shown:
        """The periods in which something else would count."""
        found = billing_sources.preview_change(
            service=data["service"], kind=BillingKind(data["kind"]), starts_on=data["starts_on"]
        )
        rows = [
            (
                each.period_label,
                each.currency,
                each.documents_before,
                show_amount(each.before, each.currency),
                each.documents_after,
                show_amount(each.after, each.currency),
            )
            for each in found.effects
        ]
        summary = "" if rows else "No amount that was read so far would count otherwise."
        return Shown(found.digest, HEADS, rows, summary)

    def decide(self, data: dict[str, Any], digest: str, actor: Any) -> BillingSource:
        """From that day on the other source counts."""
        return billing_sources.change_source(
            service=data["service"],
            kind=BillingKind(data["kind"]),
            starts_on=data["starts_on"],
            reason=data["reason"],
            digest=digest,
            actor=actor,
        )

    @admin.display(description="holds", ordering="is_current")
    def holds(self, row: BillingSource) -> SafeString:
        """Whether it holds, or was decided anew for the same day."""
        if row.is_current:
            return show_badge("holds", "good", "check_circle")
        return show_badge("decided anew", "plain", "history")

    @admin.display(description="last read")
    def read(self, row: BillingSource) -> SafeString:
        """When the newest document of this source was read for the service."""
        return show_instant(getattr(row, f"read_{row.kind}"))
