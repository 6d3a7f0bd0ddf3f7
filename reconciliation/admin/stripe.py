"""Stripe's screens: what waits for a person, the events, how far reading came, and the check of the connection."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminDateWidget, UnfoldBooleanWidget

from ingest.errors import DomainError
from ingest.screens.actions import Button, person_of, post_action
from ingest.screens.base import EvidenceAdmin
from ingest.screens.columns import age_column, amount_column, json_column, state_column, text_column
from ingest.screens.filters import ConditionFilter, ServiceFilter, exact_filter
from ingest.screens.forms import show_form
from reconciliation.admin.looks import STRIPE_EVENT, STRIPE_RECORD
from reconciliation.models import (
    TO_DO,
    OdooToken,
    OdooTransaction,
    RunKind,
    StripeCheck,
    StripeCursor,
    StripeEvent,
    StripeRecord,
)
from reconciliation.runs import request_run
from reconciliation.stripe import events

OPERATE = "reconciliation.operate_run"


class WorkFilter(ConditionFilter):
    """The list opens on what is to do; whoever filters or searches sees what they ask for."""

    title = parameter_name = "work"
    conditions = {
        "todo": ("To do", Q(state__in=TO_DO)),
        "done": ("Nothing to do", ~Q(state__in=TO_DO)),
    }

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        """Work to do at first, else as asked."""
        return queryset.filter(state__in=TO_DO) if not request.GET else super().queryset(request, queryset)


@admin.register(StripeRecord)
class StripeRecordAdmin(EvidenceAdmin):
    """What Stripe said, the largest money that counts nowhere first."""

    when_empty = "Nothing waits for a person. Filter by state to see all that was read."
    list_display = (
        "stripe_id",
        "kind",
        "shown_state",
        "shown_amount",
        "currency",
        "service",
        "customer",
        "reason",
        "claimed_by",
        "made",
    )
    list_filter = (WorkFilter, ServiceFilter, "state", exact_filter("list", "kind", "kind"))
    list_select_related = ("service",)
    search_fields = ("=stripe_id", "=customer", "=pays", "=intent")
    search_help_text = "An id of Stripe's: of the object, its customer, its intent or the bill that it pays"
    fields = (
        "stripe_id",
        "kind",
        "account",
        "shown_state",
        "reason",
        "service",
        "claimed_by",
        "shown_amount",
        "currency",
        "customer",
        "status",
        "intent",
        "pays",
        "created",
        "fetched_at",
        "digest",
        "shown_raw",
    )
    shown_state = state_column("state", STRIPE_RECORD, title="state")
    shown_amount = amount_column("amount")
    shown_raw = json_column("raw", title="as it was read")
    made = age_column("created", title="made")

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        """By the money at stake."""
        return [F("amount").desc(nulls_last=True), "-pk"]


@admin.register(StripeEvent)
class StripeEventAdmin(EvidenceAdmin):
    """What happened at Stripe, as it was told."""

    when_empty = (
        "No event was told yet: have Stripe send them to /webhooks/stripe, or wait for the next pass."
    )
    list_display = (
        "event_id",
        "event_type",
        "shown_state",
        "object_id",
        "reason",
        "is_polled",
        "attempts",
        "received",
    )
    list_filter = ("state", "is_polled", exact_filter("type", "type", "event_type"))
    search_fields = ("=event_id", "=object_id")
    fields = (
        "event_id",
        "event_type",
        "account",
        "shown_state",
        "reason",
        "object_kind",
        "object_id",
        "is_polled",
        "attempts",
        "created",
        "received_at",
        "next_attempt_at",
        "done_at",
        "shown_body",
    )
    shown_state = state_column("state", STRIPE_EVENT, title="state")
    shown_body = text_column("body")
    received = age_column("received_at", title="received")

    def get_buttons(self, request: HttpRequest, row: StripeEvent) -> list[Button]:
        """Processing a parked one again."""
        if row.state != "parked":
            return []
        return self.offer(request, row, "retry", label="Process again", icon="refresh")

    @post_action("reconciliation.retry_stripeevent")
    def retry(self, request: HttpRequest, row: StripeEvent) -> str:
        """Lets the next sweep process it."""
        events.retry(event_id=row.pk, actor=person_of(request))
        return f"{row} will be processed again."


class PassForm(forms.Form):
    """What a pass reads beside what is new."""

    since = forms.DateField(
        required=False,
        widget=UnfoldAdminDateWidget(attrs={"type": "date"}),
        help_text="Where the first pass begins; later ones go on where the last one ended.",
    )
    fees = forms.BooleanField(
        required=False, label="Fees too", widget=UnfoldBooleanWidget, help_text="Balance transactions."
    )


class RunStarter(EvidenceAdmin):
    """A screen whose “add” starts a run, and leads to its page."""

    kind: RunKind
    start_title = start_explanation = ""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Who may start runs."""
        return request.user.has_perm(OPERATE)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Starts a run of the kind."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = self.make_form(request)
        if request.method == "POST" and form.is_valid():
            try:
                run = request_run(
                    kind=self.kind,
                    service=None,
                    actor=person_of(request),
                    parameters=self.read_parameters(form.cleaned_data),
                )
                return HttpResponseRedirect(reverse("admin:reconciliation_run_change", args=[run.pk]))
            except DomainError as error:
                form.add_error(None, error.message)
        return show_form(
            request,
            screen=self,
            form=form,
            title=self.start_title,
            submit="Start",
            explanation=self.start_explanation,
        )

    def make_form(self, request: HttpRequest) -> forms.Form:
        """Nothing to fill in."""
        return forms.Form(request.POST if request.method == "POST" else None)

    def read_parameters(self, data: dict[str, Any]) -> dict[str, Any]:
        """What the run is told."""
        return {}


@admin.register(StripeCursor)
class StripeCursorAdmin(RunStarter):
    """How far each list was read."""

    kind = RunKind.STRIPE
    start_title = "Read what changed at Stripe"
    start_explanation = "It runs each hour by itself. Its progress shows on the page that follows."
    when_empty = "Nothing was read from Stripe yet. An operator sets STRIPE_API_KEY and starts a pass here."
    list_display = ("kind", "account", "reached_at", "read", "reading_after")
    fields = ("kind", "account", "reached_at", "read_at", "reading_from", "reading_after")
    ordering = ("account", "kind")
    read = age_column("read_at", title="read")

    def make_form(self, request: HttpRequest) -> forms.Form:
        """Where it begins, and whether fees are read."""
        return PassForm(request.POST if request.method == "POST" else None)

    def read_parameters(self, data: dict[str, Any]) -> dict[str, Any]:
        """As the command's options."""
        since = {"since": f"{data['since'].isoformat()}T00:00:00+00:00"} if data["since"] else {}
        return {**since, **({"fees": True} if data["fees"] else {})}


@admin.register(StripeCheck)
class StripeCheckAdmin(RunStarter):
    """Each check of the connection: whose key it was, what it might read, what was missing."""

    kind = RunKind.CHECK_STRIPE
    start_title = "Check the connection to Stripe"
    start_explanation = "It reads one object of each list, and changes nothing at Stripe."
    when_empty = "The connection was not checked yet."
    list_display = ("__str__", "account", "is_live", "problem_count", "has_webhook_secret", "checked")
    fields = (
        "account",
        "name",
        "is_live",
        "api_base",
        "api_version",
        "has_webhook_secret",
        "shown_problems",
        "shown_rights",
        "created_at",
        "run",
    )
    checked = age_column("created_at", title="checked")

    @admin.display(description="problems")
    def problem_count(self, check: StripeCheck) -> int:
        """How many there are."""
        return len(check.problems)

    @admin.display(description="problems")
    def shown_problems(self, check: StripeCheck) -> SafeString | str:
        """Each with what to do about it."""
        listed = format_html_join("", "<li>{}</li>", ([problem] for problem in check.problems))
        return format_html("<ul>{}</ul>", listed) if check.problems else "none"

    @admin.display(description="rights")
    def shown_rights(self, check: StripeCheck) -> SafeString:
        """Of each list, whether it may be read."""
        told = ((kind.replace("_", " "), why or "may be read") for kind, why in check.rights.items())
        return format_html("<ul>{}</ul>", format_html_join("", "<li>{}: {}</li>", told))


@admin.register(OdooTransaction)
class OdooTransactionAdmin(EvidenceAdmin):
    """Odoo's own payments, by which its charges are known at Stripe."""

    when_empty = "None was read from Odoo: its charges cannot be told from the services'."
    list_display = ("reference", "provider_reference", "state", "shown_amount", "currency", "mirrored")
    search_fields = ("=reference", "=provider_reference")
    fields = ("odoo_id", *list_display[:-1], "partner_id", "mirrored_at")
    ordering = ("-odoo_id",)
    shown_amount = amount_column("amount")
    mirrored = age_column("mirrored_at", title="read")


@admin.register(OdooToken)
class OdooTokenAdmin(EvidenceAdmin):
    """The cards that Odoo may charge."""

    when_empty = "None was read from Odoo."
    list_display = ("odoo_id", "partner_id", "stripe_customer", "payment_method", "is_active", "mirrored")
    search_fields = ("=stripe_customer",)
    fields = (*list_display[:-1], "mirrored_at")
    ordering = ("-odoo_id",)
    mirrored = age_column("mirrored_at", title="read")
