"""Claim rules: by what a service's bills are known on the shared Stripe account."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from ingest.models import Service
from ingest.screens.columns import person_column
from ingest.screens.filters import ServiceFilter
from ingest.screens.formatting import show_amount, show_badge
from reconciliation.admin.previewed import PreviewedAdmin, Shown
from reconciliation.models import ClaimRules
from reconciliation.stripe import claims

HEADS = ("What changes", "Currency", "Bills", "Amount", "Such as")


class RulesForm(forms.Form):
    """The rules of one service, all of them."""

    service = forms.ModelChoiceField(
        Service.objects.all(), to_field_name="code", widget=UnfoldAdminSelectWidget
    )
    text = forms.CharField(
        label="Rules",
        required=False,
        max_length=100_000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 8}),
        help_text="One a line, tried in order: “metadata service = nexacloud”, “product = prod_…”, “price = price_…”,"
        " “subscription = sub_…”, “descriptor = NEXACLOUD*”, “account = acct_…”. They take the place of all that the"
        " service has.",
    )
    reason = forms.CharField(widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}))


@admin.register(ClaimRules)
class ClaimRulesAdmin(PreviewedAdmin):
    """Each version of each service's rules."""

    add_permission = claims.PERMISSION
    form_title, preview_title = "Change a service's rules", "Show what they would claim"
    submit_title = "Put the rules in force"
    explanation = (
        "One Stripe account serves Odoo and all services. A bill is the service's whose rules claim it; what nobody"
        " claims is a worklist, what two claim is an error, and Odoo's own charges are never asked about."
    )
    when_empty = "No service has rules yet: nothing that Stripe billed counts for any of them."
    list_display = ("service", "version", "holds", "count", "decided_by_name", "reason", "created_at")
    list_filter = (ServiceFilter,)
    list_select_related = ("service", "decided_by")
    fields = ("service", "version", "holds", "shown_rules", "reason", "decided_by_name", "created_at")
    decided_by_name = person_column("decided_by", title="decided by")

    def make_form(self, request: HttpRequest) -> forms.Form:
        """Filled with the rules that the chosen service has, `?service=code`."""
        service = Service.objects.filter(code=request.GET.get("service", "")).first()
        initial = {"service": service.code, "text": claims.write_current(service)} if service else {}
        return RulesForm(request.POST or None, initial=initial)

    def preview(self, data: dict[str, Any]) -> Shown:
        """What the rules would claim, let go and contest."""
        found = claims.preview_rules(service=data["service"], text=data["text"])
        rows = [
            (
                each.change,
                each.currency,
                each.count,
                show_amount(each.amount, each.currency) if each.currency else "",
                ", ".join(each.examples),
            )
            for each in found.effects
        ]
        return Shown(found.digest, HEADS, rows, f"Tried on the newest {found.seen:,} bills that were read.")

    def decide(self, data: dict[str, Any], digest: str, actor: Any) -> ClaimRules:
        """The rules hold from now on, for everything that was read too."""
        return claims.save_rules(
            service=data["service"], text=data["text"], reason=data["reason"], digest=digest, actor=actor
        )

    @admin.display(description="holds", ordering="is_current")
    def holds(self, row: ClaimRules) -> SafeString:
        """Whether these are the rules in force."""
        if row.is_current:
            return show_badge("in force", "good", "check_circle")
        return show_badge("earlier version", "plain", "history")

    @admin.display(description="rules")
    def count(self, row: ClaimRules) -> int:
        """How many rules there are."""
        return len(row.rules)

    @admin.display(description="rules")
    def shown_rules(self, row: ClaimRules) -> SafeString:
        """The rules as people write them."""
        return format_html('<pre class="document">{}</pre>', claims.write_version(row))
