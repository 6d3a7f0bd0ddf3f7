"""The page that shows what a push would change in Odoo, and confirms exactly that."""

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from ingest.metering.periods import PeriodLabelError, parse_label
from ingest.models import Customer, Service
from ingest.screens.actions import person_of, say
from ingest.screens.columns import link_to
from reconciliation.figures.push_preview import read_fresh_preview, read_preview
from reconciliation.models import Reconciliation
from reconciliation.push_requests import confirm_push

CONFIRM = "reconciliation.push_reconciliation"


class PreviewForm(forms.Form):
    """Which push: a service's period, or one customer's of it."""

    service = forms.ModelChoiceField(
        Service.objects.all(), to_field_name="code", widget=UnfoldAdminSelectWidget, empty_label=None
    )
    period = forms.CharField(max_length=16, widget=UnfoldAdminTextInputWidget, help_text="Such as 2026-09.")
    customer = forms.CharField(
        required=False,
        max_length=255,
        widget=UnfoldAdminTextInputWidget,
        help_text="One customer's external id; empty for all.",
    )

    def clean_period(self) -> str:
        """The label of a period that there can be."""
        try:
            parse_label(self.cleaned_data["period"])
        except PeriodLabelError as error:
            raise forms.ValidationError(str(error)) from error
        return self.cleaned_data["period"]

    def clean(self) -> dict[str, Any]:
        """The customer as a row of the service."""
        data = super().clean() or {}
        if data.get("customer") and data.get("service"):
            found = Customer.objects.filter(service=data["service"], external_id=data["customer"]).first()
            if found is None:
                self.add_error("customer", "The service has no such customer.")
            data["customer"] = found
        return data


def preview_address(row: Reconciliation) -> str:
    """The preview of the push of one reconciliation's customer and period."""
    query = {"service": row.service.code, "period": row.period_label, "customer": row.customer.external_id}
    return f"{reverse('admin:reconciliation_push_preview')}?{urlencode(query)}"


class PreviewScreen:
    """Adds the preview to the screen of pushes."""

    def get_urls(self) -> list[URLPattern]:
        """The preview before the library's own addresses."""
        screen: Any = self
        view = screen.admin_site.admin_view(self.preview)
        return [
            path("preview/", view, name="reconciliation_push_preview"),
            *super().get_urls(),  # type: ignore[misc]
        ]

    def preview(self, request: HttpRequest) -> HttpResponse:
        """Shows what would be written; a POST confirms what was shown."""
        screen: Any = self
        if not screen.has_view_permission(request):
            raise PermissionDenied
        form = PreviewForm(request.GET or None)
        if request.method == "POST":
            if not request.user.has_perm(CONFIRM):
                raise PermissionDenied
            if form.is_valid() and say(request, lambda: _confirm(request, form.cleaned_data)):
                return HttpResponseRedirect(_find_next(form.cleaned_data))
        return TemplateResponse(
            request,
            "admin/reconciliation/push/preview.html",
            {
                **screen.admin_site.each_context(request),
                "opts": screen.opts,
                "title": "What a push would change",
                "form": form,
                "preview": _read(request, form),
                "chosen": form.cleaned_data if form.is_valid() else {},
                "may_confirm": request.user.has_perm(CONFIRM),
                "media": screen.media + form.media,
            },
        )


def _read(request: HttpRequest, form: PreviewForm) -> Any:
    if not form.is_valid():
        return None
    data = form.cleaned_data
    asked = {"service": data["service"], "period_label": data["period"], "actor": person_of(request)}
    if not data["customer"]:
        return read_preview(**asked)
    return read_fresh_preview(**asked, customers=[data["customer"].pk], now=timezone.now())


def _confirm(request: HttpRequest, data: dict[str, Any]) -> str:
    run = confirm_push(
        service=data["service"],
        period_label=data["period"],
        seen=request.POST.get("seen", ""),
        actor=person_of(request),
        customer_id=data["customer"].pk if data["customer"] else None,
    )
    return format_html("{} queued.", link_to(run))


def _find_next(data: dict[str, Any]) -> str:
    """The customer's reconciliation, where the push was of one that has it; else the runs."""
    rows = Reconciliation.objects.filter(service=data["service"], period_label=data["period"])
    row = rows.filter(customer=data["customer"]).first() if data["customer"] else None
    if row is None:
        return reverse("admin:reconciliation_run_changelist")
    return reverse("admin:reconciliation_reconciliation_change", args=[row.pk])
