"""Services: their configuration, their phase, and the way to their cutover."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from simple_history.admin import SimpleHistoryAdmin
from unfold.widgets import (
    UnfoldAdminDateWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
)

from ingest import configuration
from ingest.errors import DomainError
from ingest.models import Phase, Service
from ingest.screens.actions import Button, person_of, post_action, say
from ingest.screens.base import ConsoleAdmin
from ingest.screens.columns import age_column, link_to, state_column
from ingest.screens.forms import show_form
from reconciliation import connections, cutover
from reconciliation.admin.links import condition_address, overview_address, queue_address
from reconciliation.admin.looks import PHASE
from reconciliation.figures.cutover import UNDER_WAY, read_card
from reconciliation.figures.freshness import read_sources
from reconciliation.models import CutoverRequest, OdooConnection, Strategy
from reconciliation.odoo import connection_of
from reconciliation.strategies import choose_strategy, read_strategy

REQUEST = "reconciliation.request_cutover"


class CutoverForm(forms.Form):
    """From when Odoo should bill a service, and why now."""

    effective_date = forms.DateField(
        widget=UnfoldAdminDateWidget(attrs={"type": "date"}),
        help_text="Each subscription switches at its first period start on or after it.",
    )
    comment = forms.CharField(
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="What the manager should know.",
    )


class ServiceForm(forms.ModelForm):
    """A service's configuration, and by which Odoo it is billed."""

    odoo_connection = forms.ModelChoiceField(
        OdooConnection.objects.all(),
        required=False,
        empty_label="The environment’s",
        widget=UnfoldAdminSelectWidget,
        help_text="By which Odoo it is billed: it can change only before anything is linked or pushed.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["odoo_connection"].initial = connection_of(self.instance)

    def clean_odoo_connection(self) -> OdooConnection | None:
        """Refused here when the service is linked already."""
        chosen = self.cleaned_data["odoo_connection"]
        if chosen != connection_of(self.instance):
            try:
                connections.refuse_linked(self.instance)
                connections.refuse_other_mirror(chosen)
            except DomainError as error:
                raise ValidationError(error.message, code=error.code) from None
        return chosen


class StrategyForm(forms.Form):
    """Where Odoo's amounts of a service come from."""

    strategy = forms.ChoiceField(choices=Strategy.choices, widget=UnfoldAdminRadioSelectWidget())


@admin.register(Service)
class ServiceAdmin(SimpleHistoryAdmin, ConsoleAdmin):
    """One page per service; operators configure it, finance asks for its cutover."""

    change_form_template = "admin/ingest/service/change_form.html"
    list_display = ("name", "code", "shown_phase", "since", "timezone", "required_clean_periods")
    list_filter = ("phase",)
    search_fields = ("name", "code")
    form = ServiceForm
    fields = ("code", "shown_phase", "phase_since", *configuration.CONFIGURABLE, "odoo_connection")
    readonly_fields = ("code", "shown_phase", "phase_since")
    shown_phase = state_column("phase", PHASE, title="phase")
    since = age_column("phase_since", title="in it for")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Services come with an installation, not from a form."""
        return False

    def get_urls(self) -> list[URLPattern]:
        """The forms that ask for a cutover, and for another source of Odoo's amounts."""
        view, choose = (
            self.admin_site.admin_view(each) for each in (self.request_cutover, self.choose_strategy)
        )
        return [
            path("<int:object_id>/request-cutover/", view, name="ingest_service_request_cutover"),
            path("<int:object_id>/amount-strategy/", choose, name="ingest_service_amount_strategy"),
            *super().get_urls(),
        ]

    def save_model(self, request: HttpRequest, obj: Service, form: Any, change: bool) -> None:
        """Keeps the configuration, through the function that audits it."""
        values = {
            name: form.cleaned_data[name] for name in form.changed_data if name in configuration.CONFIGURABLE
        }
        actor = person_of(request)
        configuration.configure(service=obj, values=values, actor=actor)
        if "odoo_connection" in form.changed_data:
            chosen = form.cleaned_data["odoo_connection"]
            connections.assign_connection(service=obj, connection=chosen, actor=actor)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> Any:
        """The form below the way to the cutover."""
        # As it is kept: what was just posted, and perhaps refused, is in the form.
        page = {**context, **_show_way(request, Service.objects.get(pk=obj.pk))}
        return super().render_change_form(request, page, *args, obj=obj, **kwargs)

    def get_buttons(self, request: HttpRequest, row: Service) -> list[Button]:
        """Starting the dual run of a service in shadow."""
        if row.phase != Phase.SHADOW:
            return []
        return self.offer(request, row, "start_dual_run", label="Start dual run", icon="compare_arrows")

    @post_action("ingest.change_service")
    def start_dual_run(self, request: HttpRequest, row: Service) -> str:
        """From now on closed periods are judged."""
        cutover.start_dual_run(service=row, actor=person_of(request))
        return f"{row} is in its dual run: its closed periods count from now on."

    def request_cutover(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Asks a manager to move the service to Odoo."""
        if not request.user.has_perm(REQUEST):
            raise PermissionDenied
        service = self.get_object(request, str(object_id))
        if service is None:
            raise Http404
        form = CutoverForm(request.POST or None)
        if form.is_valid() and say(request, lambda: _request(request, service, form.cleaned_data)):
            return HttpResponseRedirect(self.get_page_address(service))
        return show_form(
            request,
            screen=self,
            form=form,
            title=f"Request the cutover of {service}",
            submit="Request the cutover",
            explanation="A manager other than you decides on it. It may be asked for before everything is ready;"
            " it cannot be approved before.",
        )

    def choose_strategy(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Says where Odoo's amounts come from, one source at a time."""
        if not request.user.has_perm("ingest.change_service"):
            raise PermissionDenied
        service = self.get_object(request, str(object_id))
        if service is None:
            raise Http404
        form = StrategyForm(request.POST or None, initial={"strategy": read_strategy(service)})
        if form.is_valid() and say(request, lambda: _choose(request, service, form.cleaned_data["strategy"])):
            return HttpResponseRedirect(self.get_page_address(service))
        return show_form(
            request,
            screen=self,
            form=form,
            title=f"Where do Odoo's amounts of {service} come from?",
            submit="Choose",
            explanation="One at a time: what another source has read no longer counts, and the next fetch reads"
            " anew. Shadow quotations cannot be billed by Odoo. Drafts of invoices can: a mass “Post” in Odoo would"
            " bill them.",
        )


def _choose(request: HttpRequest, service: Service, chosen: str) -> str:
    strategy = Strategy(chosen)
    is_new = choose_strategy(service=service, strategy=strategy, actor=person_of(request))
    return f"Odoo's amounts come from {strategy.label.lower()}{'' if is_new else ' already'}."


def _request(request: HttpRequest, service: Service, data: dict[str, Any]) -> str:
    asked = cutover.request_cutover(service=service, actor=person_of(request), **data)
    return format_html("{} waits for a manager.", link_to(asked, f"The cutover of {asked}"))


def _show_way(request: HttpRequest, service: Service) -> dict[str, Any]:
    asked = CutoverRequest.objects.filter(service=service).select_related("service", "requested_by")
    under_way = asked.filter(status__in=UNDER_WAY).first()
    card = read_card(service, under_way)
    may_request = service.phase == Phase.DUAL_RUN and under_way is None and request.user.has_perm(REQUEST)
    return {
        "look": PHASE[Phase(service.phase)],
        "conditions": [(item, condition_address(service, item)) for item in card.conditions],
        "requests": asked,
        "request_address": reverse("admin:ingest_service_request_cutover", args=[service.pk])
        if may_request
        else "",
        "queue_address": queue_address(service=service.code),
        "overview_address": overview_address(service=service.code),
        "strategy": read_strategy(service),
        "strategy_address": reverse("admin:ingest_service_amount_strategy", args=[service.pk])
        if request.user.has_perm("ingest.change_service")
        else "",
        "tolerances": service.tolerances.all(),
        "sources": read_sources(service),
    }
