"""Connections to Odoo: who is reached how, whether that works, and changing it."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from unfold.widgets import UnfoldAdminPasswordWidget

from ingest.errors import DomainError
from ingest.models import Service
from ingest.screens.actions import Button, person_of, post_action, say
from ingest.screens.base import ConsoleAdmin, EvidenceAdmin
from ingest.screens.columns import age_column, link_to
from reconciliation import connection_checks, connections
from reconciliation.connectors.odoo.checks import Level
from reconciliation.models import ConnectionCheck, OdooConnection

OPERATE = "reconciliation.operate_run"


class LineLook(NamedTuple):
    """How a line of a check is shown."""

    word: str
    tone: str
    icon: str


LINES = {
    Level.OK: LineLook("ok", "good", "check_circle"),
    Level.ADVICE: LineLook("advice", "warn", "lightbulb"),
    Level.FAILED: LineLook("failed", "bad", "error"),
    Level.SKIPPED: LineLook("not checked", "plain", "remove"),
}
UNCHECKED = LineLook("unchecked", "plain", "help")
PASSED = LineLook("works", "good", "check_circle")
NOT_PASSED = LineLook("does not work", "bad", "error")


class Card(NamedTuple):
    """One connection above the list: the environment's, or a named one."""

    name: str
    address: str
    database: str
    login: str
    services: Iterable[Service]
    checked: ConnectionCheck | None
    look: LineLook
    action: str


class ConnectionForm(forms.ModelForm):
    """A connection and, when it is set or replaced, its API key."""

    api_key = forms.CharField(
        required=False,
        label="API key",
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text="It is kept encrypted and never shown; empty keeps the one that is there.",
    )

    class Meta:
        model = OdooConnection
        fields = connections.CONFIGURABLE

    def clean(self) -> dict[str, Any]:
        """What the domain would refuse is said at its field."""
        cleaned = super().clean() or {}
        if not self.instance.pk and not cleaned.get("api_key"):
            self.add_error("api_key", "A connection needs an API key.")
        if self.instance.pk and "url" in self.changed_data and not cleaned.get("api_key"):
            self.add_error("api_key", connections.KEY_STAYS)
        try:
            connections.check_address(cleaned.get("url") or "")
        except DomainError as error:
            self.add_error("url", error.message)
        return cleaned


@admin.register(OdooConnection)
class OdooConnectionAdmin(ConsoleAdmin):
    """The environment's connection and the named ones, each with its newest check."""

    form = ConnectionForm
    change_form_template = "admin/reconciliation/odooconnection/change_form.html"
    list_before_template = "admin/reconciliation/odooconnection/all.html"
    when_empty = "The environment names the one that is used; an operator adds others here."
    list_display = ("name", "url", "database", "login", "company_id", "transport")
    search_fields = ("name", "url", "database")
    fields = (*connections.CONFIGURABLE, "api_key")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The key has a field only for who may set it."""
        may_set = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        return self.fields if may_set else connections.CONFIGURABLE

    def get_urls(self) -> list[URLPattern]:
        """Checking the environment's connection, which has no row."""
        view = self.admin_site.admin_view(self.check_environment)
        name = "reconciliation_odooconnection_check_environment"
        return [path("check-environment/", view, name=name), *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list below a card for each connection."""
        cards = _make_cards(may_check=request.user.has_perm(OPERATE))
        return super().changelist_view(request, {**(extra_context or {}), "cards": cards})

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> HttpResponse:
        """The form below what the newest check found."""
        checked = obj.checks.order_by("-id").first() if obj is not None else None
        shown = {"checked": checked, "lines": _look_at(checked) if checked else []}
        return super().render_change_form(request, {**context, **shown}, *args, obj=obj, **kwargs)

    def save_model(self, request: HttpRequest, obj: OdooConnection, form: Any, change: bool) -> None:
        """Keeps the connection, through the function that encrypts its key and audits it."""
        values = {name: form.cleaned_data[name] for name in connections.CONFIGURABLE}
        key, actor = form.cleaned_data["api_key"], person_of(request)
        if change:
            connections.change_connection(connection_id=obj.pk, values=values, api_key=key, actor=actor)
        else:
            obj.pk = connections.create_connection(values=values, api_key=key, actor=actor).pk

    def get_buttons(self, request: HttpRequest, row: OdooConnection) -> list[Button]:
        """Checking it."""
        return self.offer(request, row, "check_now", label="Check now", icon="network_check")

    @post_action(OPERATE)
    def check_now(self, request: HttpRequest, row: OdooConnection) -> str:
        """Queues a check of the connection."""
        return _ask(request, row)

    def check_environment(self, request: HttpRequest) -> HttpResponse:
        """Queues a check of the environment's connection."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not request.user.has_perm(OPERATE):
            raise PermissionDenied
        say(request, lambda: _ask(request, None))
        return HttpResponseRedirect(reverse("admin:reconciliation_odooconnection_changelist"))


@admin.register(ConnectionCheck)
class ConnectionCheckAdmin(EvidenceAdmin):
    """What checks of connections found, the newest first."""

    change_form_template = "admin/reconciliation/connectioncheck/change_form.html"
    when_empty = "An operator checks a connection from its page, or by manage.py check_odoo."
    list_display = ("name", "service", "is_passed", "version", "transport", "made")
    list_filter = ("connection", "is_passed")
    list_select_related = ("connection", "service")
    ordering = ("-id",)
    fields = ("name", "service", "run", "is_passed", "version", "transport", "created_at")
    made = age_column("created_at", title="made")

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> HttpResponse:
        """The page with the lines."""
        lines = {"lines": _look_at(obj)} if obj is not None else {}
        return super().render_change_form(request, {**context, **lines}, *args, obj=obj, **kwargs)

    @admin.display(description="connection")
    def name(self, check: ConnectionCheck) -> str:
        """The connection's name, or that it is the environment's."""
        return check.connection.name if check.connection else "The environment’s"


def _ask(request: HttpRequest, connection: OdooConnection | None) -> str:
    run = connection_checks.request_check(connection=connection, actor=person_of(request))
    return format_html("{} is queued: its page shows how far it is.", link_to(run))


def _look_at(check: ConnectionCheck) -> list[tuple[dict[str, Any], LineLook]]:
    return [(line, LINES[Level(line["level"])]) for line in check.lines]


def _make_cards(*, may_check: bool) -> list[Card]:
    """The environment's connection and every named one, in three queries."""
    newest = connection_checks.newest_checks()
    users: dict[int | None, list[Service]] = {}
    for service in Service.objects.select_related("named_connection"):
        named = getattr(service, "named_connection", None)
        users.setdefault(named.connection_id if named else None, []).append(service)
    environment = ("The environment’s", settings.ODOO_URL, settings.ODOO_DB, settings.ODOO_LOGIN)
    rows: list[tuple[int | None, tuple[str, str, str, str]]] = [(None, environment)]
    rows += [(row.pk, (row.name, row.url, row.database, row.login)) for row in OdooConnection.objects.all()]
    return [
        Card(
            *names,
            services=users.get(row_id, []),
            checked=newest.get(row_id),
            look=_judge(newest.get(row_id)),
            action=_address_of_check(row_id) if may_check and names[1] else "",
        )
        for row_id, names in rows
    ]


def _judge(check: ConnectionCheck | None) -> LineLook:
    if check is None:
        return UNCHECKED
    return PASSED if check.is_passed else NOT_PASSED


def _address_of_check(connection_id: int | None) -> str:
    if connection_id is None:
        return reverse("admin:reconciliation_odooconnection_check_environment")
    return reverse("admin:reconciliation_odooconnection_check_now", args=[connection_id])
