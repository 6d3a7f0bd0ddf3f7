"""Connections to Lago: where each service's Lago is, whether its key may read what is needed, and fetching."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from ingest.errors import DomainError
from ingest.models import Service
from ingest.screens.actions import Button, person_of, post_action
from ingest.screens.base import EvidenceAdmin
from ingest.screens.columns import age_column, link_to
from ingest.screens.filters import ServiceFilter
from ingest.screens.formatting import show_badge
from ingest.screens.forms import show_form
from reconciliation import lago_connections as connections
from reconciliation.connectors.errors import ConnectorError
from reconciliation.models import LagoConnection, RunKind
from reconciliation.runs import request_run

FETCH = "reconciliation.push_reconciliation"


class ConnectionForm(forms.Form):
    """Where a service's Lago is, and its key."""

    service = forms.ModelChoiceField(Service.objects.all(), widget=UnfoldAdminSelectWidget)
    url = forms.URLField(
        max_length=512,
        label="Address",
        assume_scheme="https",
        initial="https://api.getlago.com",
        widget=UnfoldAdminTextInputWidget,
    )
    key = forms.CharField(
        required=False,
        max_length=255,
        label="API key",
        widget=UnfoldAdminTextInputWidget(attrs={"type": "password", "autocomplete": "off"}),
        help_text="One that may read invoices and credit notes. Empty leaves the one that is kept.",
    )


@admin.register(LagoConnection)
class LagoConnectionAdmin(EvidenceAdmin):
    """One Lago for each service that is billed there; a key is never shown again."""

    when_empty = "An operator adds where a service's Lago is; then its invoices can be fetched."
    list_display = ("service", "url", "health", "checked", "read")
    list_filter = (ServiceFilter,)
    list_select_related = ("service",)
    search_fields = ("url",)
    fields = ("service", "url", "health", "problems", "checked_at", "read_at", "read_since")
    checked = age_column("checked_at", title="checked")
    read = age_column("read_at", title="read")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Who may say where a Lago is."""
        return request.user.has_perm(connections.PERMISSION)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Keeps an address and a key; a run then checks what the key may read."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = ConnectionForm(request.POST or None)
        if form.is_valid():
            try:
                row = connections.save_connection(**form.cleaned_data, actor=person_of(request), rule="")
            except (DomainError, ConnectorError) as error:
                form.add_error("key" if error.code == "no_key" else "url", error.message)
            else:
                self._request(request, row, RunKind.CHECK_LAGO)
                return HttpResponseRedirect(self.get_page_address(row))
        return show_form(
            request,
            screen=self,
            form=form,
            title="Connect a service's Lago",
            submit="Keep and check it",
            explanation="The key is kept encrypted and never shown again. Nothing is ever written to Lago.",
        )

    def get_buttons(self, request: HttpRequest, row: LagoConnection) -> list[Button]:
        """Checking it, and fetching what Lago billed since the last time."""
        return [
            *self.offer(request, row, "fetch", label="Fetch invoices", icon="cloud_download", tone="main"),
            *self.offer(request, row, "check_key", label="Check", icon="lan"),
        ]

    @post_action(FETCH)
    def fetch(self, request: HttpRequest, row: LagoConnection) -> str:
        """Reads what Lago billed since the last time."""
        return self._request(request, row, RunKind.FETCH_LAGO)

    @post_action(connections.PERMISSION)
    def check_key(self, request: HttpRequest, row: LagoConnection) -> str:
        """Asks Lago what the key may read."""
        return self._request(request, row, RunKind.CHECK_LAGO)

    def _request(self, request: HttpRequest, row: LagoConnection, kind: RunKind) -> str:
        run = request_run(kind=kind, service=row.service, actor=person_of(request))
        return format_html("{} is queued.", link_to(run))

    @admin.display(description="key")
    def health(self, row: LagoConnection) -> SafeString:
        """What the last check found."""
        if row.checked_at is None:
            return show_badge("not checked", "plain", "help")
        if any(row.check_result.values()):
            return show_badge("may not read everything", "bad", "error")
        return show_badge("reads what is needed", "good", "check_circle")

    @admin.display(description="problems")
    def problems(self, row: LagoConnection) -> str:
        """What the key may not read, and why."""
        return " ".join(filter(None, row.check_result.values())) or "–"
