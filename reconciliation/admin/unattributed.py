"""Lines of Odoo that do not say which period they bill: finance's worklist."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from ingest.errors import DomainError
from ingest.metering.periods import PeriodLabelError
from ingest.models import Customer
from ingest.screens.actions import Button, person_of, post_action, say
from ingest.screens.base import EvidenceAdmin
from ingest.screens.columns import age_column, amount_column, state_column
from ingest.screens.filters import ServiceFilter
from ingest.screens.forms import show_form
from reconciliation import unattributed
from reconciliation.admin.looks import LINE
from reconciliation.models import LineState, UnattributedLine


class AssignForm(forms.Form):
    """Whose period a line bills, and why."""

    customer = forms.CharField(
        widget=UnfoldAdminTextInputWidget(), help_text="The customer's external id at the service."
    )
    period = forms.CharField(
        widget=UnfoldAdminTextInputWidget(),
        max_length=16,
        help_text="Such as 2026-09, 2026-Q3 or 2026-05-15.",
    )
    reason = forms.CharField(
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}), help_text="What an auditor will read."
    )


@admin.register(UnattributedLine)
class UnattributedLineAdmin(EvidenceAdmin):
    """What waits for a person comes first."""

    change_form_template = "admin/with_form.html"
    when_empty = "Every line that Odoo bills says which period it is of, or is no service's."
    list_display = (
        "document",
        "name",
        "service",
        "shown_untaxed",
        "currency",
        "shown_state",
        "why",
        "period_label",
        "asked",
    )
    list_filter = (ServiceFilter, "state")
    list_select_related = ("service",)
    search_fields = ("document", "name", "=odoo_id", "=partner_id")
    search_help_text = "Document, line, or an Odoo id"
    ordering = ("state", "-id")
    fields = (
        "document",
        "name",
        "service",
        "strategy",
        "odoo_id",
        "partner_id",
        "shown_untaxed",
        "currency",
        "occasion",
        "why",
        "shown_state",
        "customer",
        "period_label",
        "period_start",
        "period_end",
        "reason",
        "decided_by",
        "decided_at",
    )
    shown_untaxed = amount_column("untaxed")
    shown_state = state_column("state", LINE, title="state")
    asked = age_column("created_at", title="found")

    def get_urls(self) -> list[URLPattern]:
        """The form that assigns a line."""
        view = self.admin_site.admin_view(self.assign)
        name = "reconciliation_unattributedline_assign"
        return [path("<int:object_id>/assign/", view, name=name), *super().get_urls()]

    def get_buttons(self, request: HttpRequest, row: UnattributedLine) -> list[Button]:
        """Deciding, also again: a decision may be corrected, and both stay in the audit."""
        if row.state == LineState.SETTLED:
            return []
        return self.offer(
            request, row, "leave_out", label="Not of this service", icon="block", reason="Why not?"
        )

    @post_action(unattributed.DECIDE)
    def leave_out(self, request: HttpRequest, row: UnattributedLine) -> str:
        """The line bills nothing of the service."""
        reason = request.POST.get("reason", "")
        unattributed.leave_out(line_id=row.pk, reason=reason, actor=person_of(request))
        return f"{row} is left out."

    def assign(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Says which customer's period a line bills."""
        if not request.user.has_perm(unattributed.DECIDE):
            raise PermissionDenied
        row = self.get_object(request, str(object_id))
        if row is None:
            raise Http404
        form = AssignForm(request.POST or None)
        if form.is_valid() and say(request, lambda: _assign(request, row, form.cleaned_data)):
            return HttpResponseRedirect(self.get_page_address(row))
        return show_form(
            request,
            screen=self,
            form=form,
            title=f"Which period does this bill: {row}?",
            submit="Assign",
            explanation=f"{row.untaxed} {row.currency} untaxed. It counts there from the next fetch on. {row.why}",
        )

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> HttpResponse:
        """The page, with the way to the form for who may decide."""
        link = {}
        if obj is not None and obj.state != LineState.SETTLED and request.user.has_perm(unattributed.DECIDE):
            address = reverse("admin:reconciliation_unattributedline_assign", args=[obj.pk])
            link = {"form_address": address, "form_label": "Assign to a period…"}
        return super().render_change_form(request, {**context, **link}, *args, obj=obj, **kwargs)


def _assign(request: HttpRequest, row: UnattributedLine, data: dict[str, str]) -> str:
    customer = Customer.objects.filter(service=row.service, external_id=data["customer"]).first()
    if customer is None:
        raise DomainError("unknown_customer", f"{row.service} has no customer {data['customer']}.")
    try:
        unattributed.assign_line(
            line_id=row.pk,
            customer=customer,
            period_label=data["period"],
            reason=data["reason"],
            actor=person_of(request),
        )
    except PeriodLabelError as error:
        raise DomainError("unknown_period", str(error)) from None
    return f"{row} is {customer}'s {data['period']} from the next fetch on."
