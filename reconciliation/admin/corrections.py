"""The form that drafts a correction in Odoo from a resolved row."""

from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.html import format_html
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from ingest.screens.actions import Button, person_of, post_action, say
from ingest.screens.columns import link_to
from ingest.screens.forms import show_form
from reconciliation import corrections
from reconciliation.models import OdooProduct, Reconciliation, Status


class CorrectionForm(forms.Form):
    """How much, on which product, and what the customer reads."""

    amount = forms.DecimalField(
        max_digits=30,
        decimal_places=4,
        widget=UnfoldAdminTextInputWidget,
        help_text="Untaxed, in the row's currency: below zero it is a credit note, above it an invoice.",
    )
    product = forms.ModelChoiceField(
        OdooProduct.objects.order_by("name"),
        to_field_name="odoo_id",
        widget=UnfoldAdminSelectWidget,
        help_text="The Odoo product of its one line: it decides account and taxes.",
    )
    reason = forms.CharField(
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}), help_text="It is printed on the line."
    )


class CorrectionScreen:
    """Adds the correction to the page of a reconciliation."""

    def get_urls(self) -> list[URLPattern]:
        """The form before the library's own addresses."""
        screen: Any = self
        view = screen.admin_site.admin_view(self.draft_correction)
        own = [path("<int:object_id>/correction/", view, name="reconciliation_reconciliation_correction")]
        return own + super().get_urls()  # type: ignore[misc]

    def get_buttons(self, request: HttpRequest, row: Reconciliation) -> list[Button]:
        """The library's buttons, and the way to the form for a resolved row of a period that Odoo bills."""
        screen: Any = self
        buttons: list[Button] = super().get_buttons(request, row)  # type: ignore[misc]
        if row.status == Status.RESOLVED and corrections.is_billed_by_odoo(
            customer=row.customer, period_start=row.period_start
        ):
            buttons += screen.offer(request, row, "correct", label="Draft a correction", icon="edit_document")
        return buttons

    @post_action(corrections.PERMISSION)
    def correct(self, request: HttpRequest, row: Reconciliation) -> HttpResponse:
        """Leads to the form."""
        screen: Any = self
        return HttpResponseRedirect(screen.get_action_address(row, "correction"))

    def draft_correction(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Asks for the amount, suggests the one that closes the delta, and queues the draft."""
        screen: Any = self
        if not request.user.has_perm(corrections.PERMISSION):
            raise PermissionDenied
        row = screen.get_object(request, str(object_id))
        if row is None:
            raise Http404
        suggested = {"amount": corrections.suggest_amount(row), "reason": row.reason}
        form = CorrectionForm(request.POST or None, initial=suggested)
        if form.is_valid() and say(request, lambda: _draft(request, row, form.cleaned_data)):
            return HttpResponseRedirect(screen.get_page_address(row))
        return show_form(
            request,
            screen=screen,
            form=form,
            title=f"Draft a correction of {row}",
            submit="Draft it in Odoo",
            explanation="Odoo gets a draft invoice or credit note with one line. Nobody is billed or credited before"
            " a person posts it there.",
            context={"rows": [row]},
        )


def _draft(request: HttpRequest, row: Reconciliation, data: dict[str, Any]) -> str:
    push = corrections.draft_correction(
        reconciliation_id=row.pk,
        amount=Decimal(data["amount"]),
        product_id=data["product"].odoo_id,
        reason=data["reason"],
        actor=person_of(request),
    )
    return format_html("{} is on its way to Odoo as a draft.", link_to(push, "The correction"))
