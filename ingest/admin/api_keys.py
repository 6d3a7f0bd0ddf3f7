"""API keys: issued and shown once, recognised by their prefix, revoked."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from ingest import keys
from ingest.models import ApiKey, Service
from ingest.screens.actions import Button, person_of, post_action
from ingest.screens.base import EvidenceAdmin
from ingest.screens.columns import age_column
from ingest.screens.filters import ServiceFilter, condition_filter
from ingest.screens.formatting import show_badge
from ingest.screens.forms import show_form, show_once

StateFilter = condition_filter(
    "state",
    "state",
    {"valid": ("Not revoked", Q(revoked_at=None)), "revoked": ("Revoked", Q(revoked_at__isnull=False))},
)


class KeyForm(forms.Form):
    """Whose key, and what to call it."""

    service = forms.ModelChoiceField(
        Service.objects.all(), to_field_name="code", widget=UnfoldAdminSelectWidget
    )
    name = forms.CharField(
        max_length=120,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="What uses it, such as production.",
    )


@admin.register(ApiKey)
class ApiKeyAdmin(EvidenceAdmin):
    """The keys of all services; the digest alone is kept."""

    when_empty = "An operator issues one per service here, or with manage.py create_api_key."
    list_display = ("__str__", "service", "name", "state", "last_used", "created_at")
    list_filter = (ServiceFilter, StateFilter)
    list_select_related = ("service",)
    search_fields = ("prefix", "name")
    fields = ("service", "name", "prefix", "state", "created_at", "last_used_at", "expires_at", "revoked_at")
    last_used = age_column("last_used_at", title="last used")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Who may issue keys."""
        return request.user.has_perm("ingest.add_apikey")

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Issues a key; the page that answers the POST is the only one that ever shows it."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = KeyForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            issued = keys.create_key(
                service=form.cleaned_data["service"], name=form.cleaned_data["name"], actor=person_of(request)
            )
            return show_once(
                request,
                screen=self,
                row=issued.record,
                secret=issued.key,
                title="The new key",
                explanation=f"{issued.record.service} sends it as “Authorization: Bearer …” with each request.",
            )
        explanation = "The key is shown once, on the next page. Only its digest is kept."
        return show_form(
            request,
            screen=self,
            form=form,
            title="Issue an API key",
            submit="Issue the key",
            explanation=explanation,
        )

    def get_buttons(self, request: HttpRequest, row: ApiKey) -> list[Button]:
        """Revoking, while there is something to revoke."""
        if row.revoked_at is not None:
            return []
        return self.offer(request, row, "revoke", label="Revoke", icon="block", tone="bad")

    @post_action("ingest.change_apikey")
    def revoke(self, request: HttpRequest, row: ApiKey) -> str:
        """Ends a key for good."""
        keys.revoke_key(key_id=row.pk, actor=person_of(request))
        return f"{row} is revoked: its requests are refused within seconds."

    @admin.display(description="state")
    def state(self, key: ApiKey) -> SafeString:
        """Whether the key opens anything."""
        if key.revoked_at is not None:
            return show_badge("revoked", "bad", "block")
        if key.expires_at is not None and key.expires_at <= timezone.now():
            return show_badge("expired", "warn", "schedule")
        return show_badge("valid", "good", "check_circle")
