"""API keys: issued and shown once, recognised by their prefix, limited, rotated, revoked."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from ingest import keys
from ingest.errors import DomainError
from ingest.models import ApiKey, Scope, Service
from ingest.rate_limits import WINDOW_SECONDS
from ingest.screens.actions import Button, person_of, post_action, say
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


def _limit_field() -> forms.IntegerField:
    return forms.IntegerField(
        required=False,
        min_value=1,
        max_value=keys.HIGHEST_LIMIT,
        label=f"Requests in {WINDOW_SECONDS} seconds",
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="Empty for any number.",
    )


class KeyForm(forms.Form):
    """Whose key, what to call it, and what it opens."""

    service = forms.ModelChoiceField(
        Service.objects.all(), to_field_name="code", widget=UnfoldAdminSelectWidget
    )
    name = forms.CharField(
        max_length=120,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="What uses it, such as production.",
    )
    scopes = forms.MultipleChoiceField(
        choices=Scope.choices, initial=Scope.values, widget=UnfoldAdminCheckboxSelectMultipleWidget
    )
    days = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=3_650,
        label="Expires in days",
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="Empty for never.",
    )
    rate_limit = _limit_field()


class LimitForm(forms.Form):
    """How often a key may be used."""

    rate_limit = _limit_field()


class RotationForm(forms.Form):
    """How long the old key still works."""

    overlap = forms.IntegerField(
        min_value=0,
        max_value=keys.LONGEST_OVERLAP // timedelta(hours=1),
        initial=keys.OVERLAP // timedelta(hours=1),
        label="Overlap in hours",
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="How long the old key still works beside the new one; 0 ends it at once.",
    )


@admin.register(ApiKey)
class ApiKeyAdmin(EvidenceAdmin):
    """The keys of all services; the digest alone is kept."""

    when_empty = "An operator issues one per service here, or with manage.py create_api_key."
    list_display = ("__str__", "service", "name", "opens", "state", "last_used", "created_at")
    list_filter = (ServiceFilter, StateFilter)
    list_select_related = ("service",)
    search_fields = ("prefix", "name")
    fields = (
        *("service", "name", "prefix", "opens", "rate_limit", "state", "created_at", "last_used_at"),
        *("expires_at", "revoked_at", "replaces"),
    )
    change_form_template = "admin/ingest/apikey/change_form.html"
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
        if form.is_valid():
            issued = _issue(form.cleaned_data, request)
            return self._show_key(request, issued, title="The new key")
        explanation = "The key is shown once, on the next page. Only its digest is kept."
        return show_form(
            request,
            screen=self,
            form=form,
            title="Issue an API key",
            submit="Issue the key",
            explanation=explanation,
        )

    def get_urls(self) -> list[URLPattern]:
        """The forms that rotate and that limit a key."""
        views = {"rotate": self.rotate, "limit": self.limit}
        own = [
            path(f"<int:object_id>/{name}/", self.admin_site.admin_view(view), name=f"ingest_apikey_{name}")
            for name, view in views.items()
        ]
        return own + super().get_urls()

    def get_buttons(self, request: HttpRequest, row: ApiKey) -> list[Button]:
        """Revoking, while there is something to revoke."""
        if row.revoked_at is not None:
            return []
        return self.offer(request, row, "revoke", label="Revoke", icon="block", tone="bad")

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> HttpResponse:
        """The key, with the ways to the forms that rotate and limit it."""
        ways = _show_ways(obj) if obj is not None and _may_change(request) else []
        return super().render_change_form(request, {**context, "ways": ways}, *args, obj=obj, **kwargs)

    def rotate(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Issues a key in place of this one; the page that answers the POST is the only one that shows it."""
        row, form = self._find(request, object_id), RotationForm(request.POST or None)
        if form.is_valid():
            overlap = timedelta(hours=form.cleaned_data["overlap"])
            try:
                issued = keys.rotate_key(key_id=row.pk, actor=person_of(request), overlap=overlap)
            except DomainError as error:
                form.add_error(None, error.message)
            else:
                return self._show_key(request, issued, title=f"The key in place of {row}")
        return show_form(
            request,
            screen=self,
            form=form,
            title=f"Rotate {row}",
            submit="Issue the new key",
            explanation="The new key opens the same, at the same limit, and is shown once. The old one works on"
            " for the overlap, so that its users can change over.",
        )

    def limit(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Sets how often the key may be used."""
        row = self._find(request, object_id)
        form = LimitForm(request.POST or None, initial={"rate_limit": row.rate_limit})
        if form.is_valid() and say(request, lambda: _limit(row, form.cleaned_data["rate_limit"], request)):
            return HttpResponseRedirect(self.get_page_address(row))
        return show_form(
            request,
            screen=self,
            form=form,
            title=f"Limit {row}",
            submit="Set the limit",
            explanation="What is beyond the limit is answered 429 with the seconds to wait; Lago's clients wait"
            " and try again by themselves.",
        )

    def _find(self, request: HttpRequest, object_id: int) -> ApiKey:
        if not _may_change(request):
            raise PermissionDenied
        row = self.get_object(request, str(object_id))
        if row is None:
            raise Http404
        return row

    def _show_key(self, request: HttpRequest, issued: keys.IssuedKey, *, title: str) -> HttpResponse:
        explanation = f"{issued.record.service} sends it as “Authorization: Bearer …” with each request."
        return show_once(
            request, screen=self, row=issued.record, secret=issued.key, title=title, explanation=explanation
        )

    @post_action("ingest.change_apikey")
    def revoke(self, request: HttpRequest, row: ApiKey) -> str:
        """Ends a key for good."""
        keys.revoke_key(key_id=row.pk, actor=person_of(request))
        return f"{row} is revoked: its requests are refused within seconds."

    @admin.display(description="opens")
    def opens(self, key: ApiKey) -> str:
        """What the key may do."""
        return ", ".join(key.scopes)

    @admin.display(description="state")
    def state(self, key: ApiKey) -> SafeString:
        """Whether the key opens anything."""
        if key.revoked_at is not None:
            return show_badge("revoked", "bad", "block")
        if key.expires_at is not None and key.expires_at <= timezone.now():
            return show_badge("expired", "warn", "schedule")
        return show_badge("valid", "good", "check_circle")


def _may_change(request: HttpRequest) -> bool:
    return request.user.has_perms(["ingest.add_apikey", "ingest.change_apikey"])


def _issue(data: dict[str, Any], request: HttpRequest) -> keys.IssuedKey:
    days = data["days"]
    return keys.create_key(
        service=data["service"],
        name=data["name"],
        actor=person_of(request),
        scopes=data["scopes"],
        expires_at=timezone.now() + timedelta(days=days) if days else None,
        rate_limit=data["rate_limit"],
    )


def _limit(row: ApiKey, rate_limit: int | None, request: HttpRequest) -> str:
    keys.limit_key(key_id=row.pk, rate_limit=rate_limit, actor=person_of(request))
    if rate_limit is None:
        return f"{row} may be used any number of times."
    return f"{row} may be used {rate_limit:,} times in {WINDOW_SECONDS} seconds."


def _show_ways(row: ApiKey) -> list[dict[str, str]]:
    """The forms that a key which still works leads to."""
    has_ended = row.revoked_at is not None or (
        row.expires_at is not None and row.expires_at <= timezone.now()
    )
    if has_ended:
        return []
    ways = [("limit", "Limit", "speed")]
    if not ApiKey.objects.filter(replaces=row).exists():
        ways.insert(0, ("rotate", "Rotate", "autorenew"))
    return [
        {"address": reverse(f"admin:ingest_apikey_{name}", args=[row.pk]), "label": label, "icon": icon}
        for name, label, icon in ways
    ]
