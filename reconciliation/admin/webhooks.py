"""Webhooks out: where services listen, and each delivery."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from ingest.errors import DomainError
from ingest.models import Service
from ingest.screens.actions import Button, person_of, post_action
from ingest.screens.base import EvidenceAdmin
from ingest.screens.columns import age_column, state_column, text_column
from ingest.screens.filters import ServiceFilter, exact_filter, service_filter
from ingest.screens.forms import show_form, show_once
from reconciliation import webhooks
from reconciliation.admin.looks import DELIVERY
from reconciliation.models import Delivery, DeliveryStatus, SignatureAlgorithm, WebhookEndpoint

# What is wrong with the address is said at its field.
ADDRESS_ERRORS = dict.fromkeys(("url_is_invalid", "host_is_invalid", "value_already_exist"), "url")


class EndpointForm(forms.Form):
    """Where a service listens, and the key that it already has, if any."""

    service = forms.ModelChoiceField(
        Service.objects.all(), to_field_name="code", widget=UnfoldAdminSelectWidget
    )
    url = forms.URLField(
        max_length=1024, label="Address", assume_scheme="https", widget=UnfoldAdminTextInputWidget
    )
    algorithm = forms.ChoiceField(
        choices=SignatureAlgorithm.choices,
        initial=SignatureAlgorithm.HMAC,
        label="Signed by",
        widget=UnfoldAdminSelectWidget,
    )
    secret = forms.CharField(
        required=False,
        label="HMAC key",
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "off"}),
        help_text="For hmac: the key that the service already verifies with; empty makes a new one.",
    )


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(EvidenceAdmin):
    """The addresses of all services; a signing key is never shown again."""

    list_display = ("url", "service", "algorithm", "is_active", "created_at", "deleted_at")
    list_filter = (ServiceFilter, "algorithm", "is_active")
    when_empty = "An operator adds the address at which a service is told of its cutover."
    list_select_related = ("service",)
    search_fields = ("url", "name")
    fields = (*list_display, "name", "event_types")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Who may add an address."""
        return request.user.has_perm("reconciliation.add_webhookendpoint")

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Registers an address; the page that answers the POST is the only one that shows a key."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = EndpointForm(request.POST or None)
        if form.is_valid():
            try:
                row, key = webhooks.create_endpoint(**form.cleaned_data, actor=person_of(request))
            except DomainError as error:
                form.add_error(ADDRESS_ERRORS.get(error.code), error.message)
            else:
                return self._show_key(request, row, key) if key else self._show_page(row)
        return show_form(
            request,
            screen=self,
            form=form,
            title="Add a webhook endpoint",
            submit="Add the endpoint",
            explanation="The service is told of its cutover there, in signed messages. The key is kept encrypted.",
        )

    def get_buttons(self, request: HttpRequest, row: WebhookEndpoint) -> list[Button]:
        """Another key, for an endpoint that has one: what came from Lago has one that nobody was shown."""
        if row.algorithm != SignatureAlgorithm.HMAC or row.deleted_at is not None:
            return []
        return self.offer(
            request,
            row,
            "renew",
            label="New key",
            icon="key",
            reason="Why? The old key ends at once.",
            tone="bad",
        )

    @post_action("reconciliation.change_webhookendpoint")
    def renew(self, request: HttpRequest, row: WebhookEndpoint) -> HttpResponse:
        """Gives the endpoint another key; this answer is the only one that shows it."""
        reason = request.POST.get("reason", "")
        key = webhooks.renew_key(endpoint_id=row.pk, actor=person_of(request), reason=reason)
        return self._show_key(request, row, key)

    def _show_page(self, row: WebhookEndpoint) -> HttpResponse:
        return HttpResponseRedirect(self.get_page_address(row))

    def _show_key(self, request: HttpRequest, row: WebhookEndpoint, key: str) -> HttpResponse:
        explanation = f"{row.service} verifies with it that a message is ours."
        return show_once(
            request, screen=self, row=row, secret=key, title="The HMAC key", explanation=explanation
        )


@admin.register(Delivery)
class DeliveryAdmin(EvidenceAdmin):
    """Every message to every endpoint, with its exact body."""

    when_empty = "Messages are made when a cutover is decided, for services with a webhook endpoint."
    list_display = (
        "webhook_type",
        "endpoint",
        "shown_status",
        "attempts",
        "http_status",
        "created",
        "delivered_at",
    )
    list_filter = (
        service_filter("endpoint__service"),
        "status",
        exact_filter("type", "type", "webhook_type"),
    )
    list_select_related = ("endpoint",)
    search_fields = ("webhook_type", "=unique_key")
    ordering = ("-id",)
    fields = (
        "webhook_type",
        "endpoint",
        "shown_status",
        "unique_key",
        "attempts",
        "next_attempt_at",
        "delivered_at",
        "http_status",
        "shown_body",
        "shown_response",
    )
    shown_status = state_column("status", DELIVERY, title="status")
    shown_body = text_column("body")
    shown_response = text_column("response")
    created = age_column("created_at", title="made")

    def get_buttons(self, request: HttpRequest, row: Delivery) -> list[Button]:
        """Sending a failed one again."""
        if row.status != DeliveryStatus.FAILED or row.endpoint.deleted_at is not None:
            return []
        return self.offer(request, row, "retry", label="Send again", icon="refresh")

    @post_action("reconciliation.retry_delivery")
    def retry(self, request: HttpRequest, row: Delivery) -> str:
        """Sends a failed delivery again."""
        webhooks.retry(delivery_id=row.pk, actor=person_of(request))
        return f"{row} will be sent again."
