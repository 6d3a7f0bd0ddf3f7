"""Decisions on many reconciliations at once, each through a page that says what will happen to which rows."""

from collections.abc import Callable
from typing import Any, NamedTuple

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminTextareaWidget

from ingest.screens.actions import person_of, say
from ingest.screens.columns import link_to
from ingest.screens.forms import show_form
from reconciliation import triage
from reconciliation.figures.queue import Rows, fingerprint
from reconciliation.models import Run, RunKind
from reconciliation.refresh import request_for

MOST_ROWS = 1000
MOST_SHOWN = 20


class NothingToAsk(forms.Form):
    """A decision that needs no more than a yes."""


class ReasonForm(forms.Form):
    """A decision that needs its reason."""

    reason = forms.CharField(
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        help_text="One reason for all of these rows; it is what an auditor will read.",
    )


class Decision(NamedTuple):
    """What a bulk action asks for and does; `apply` returns what to say."""

    action: str
    title: str
    submit: str
    explanation: str
    form: type[forms.Form]
    apply: Callable[[Rows, Any, dict[str, Any]], str]


def link_runs(runs: list[Run]) -> SafeString:
    """The queued runs as links."""
    return format_html_join(", ", "{}", ((link_to(run),) for run in runs)) + SafeString(" queued.")


def _resolve(rows: Rows, actor: Any, data: dict[str, Any]) -> str:
    versions = dict(rows.values_list("pk", "version"))
    count = triage.resolve(
        reconciliation_ids=list(versions), actor=actor, reason=data["reason"], versions=versions
    )
    return f"{count} rows resolved: {data['reason']}"


def _assign(rows: Rows, actor: Any, data: dict[str, Any]) -> str:
    ids = list(rows.values_list("pk", flat=True))
    return f"{triage.assign(reconciliation_ids=ids, actor=actor, owner=actor)} rows are yours now."


def _request(kind: RunKind) -> Callable[[Rows, Any, dict[str, Any]], str]:
    def apply(rows: Rows, actor: Any, data: dict[str, Any]) -> str:
        return link_runs(request_for(rows=rows.select_related("service"), kind=kind, actor=actor))

    return apply


RESOLVE = Decision(
    "resolve_rows",
    "Resolve with one reason",
    "Resolve",
    "Each of these rows is marked as explained, with the same reason. It reopens when its figures change.",
    ReasonForm,
    _resolve,
)
PUSH = Decision(
    "push_rows",
    "Push to Odoo",
    "Push",
    "For these customers the usage is rated and pushed, Odoo's amounts are read back and the periods are"
    " reconciled. Odoo only computes: nothing is confirmed, sent or charged.",
    NothingToAsk,
    _request(RunKind.REFRESH),
)
RERUN = Decision(
    "rerun_rows",
    "Re-run",
    "Re-run",
    "For these customers Odoo's amounts are read again and the periods are reconciled. Nothing is written.",
    NothingToAsk,
    _request(RunKind.RERUN),
)
ASSIGN = Decision(
    "assign_rows",
    "Assign to me",
    "Assign",
    "You become the owner of these rows.",
    NothingToAsk,
    _assign,
)


class BulkActions:
    """The queue's bulk actions; who may not triage or push does not see them."""

    actions = ("resolve_rows", "push_rows", "rerun_rows", "assign_rows")

    def has_triage_permission(self, request: HttpRequest) -> bool:
        """Who may resolve and assign."""
        return request.user.has_perm(triage.PERMISSION)

    def has_push_permission(self, request: HttpRequest) -> bool:
        """Who may push and re-run."""
        return request.user.has_perm("reconciliation.push_reconciliation")

    @admin.action(description=RESOLVE.title, permissions=["triage"])
    def resolve_rows(self, request: HttpRequest, queryset: Rows) -> HttpResponse | None:
        """Resolves the chosen rows."""
        return self._decide(request, queryset, RESOLVE)

    @admin.action(description=PUSH.title, permissions=["push"])
    def push_rows(self, request: HttpRequest, queryset: Rows) -> HttpResponse | None:
        """Pushes the chosen rows."""
        return self._decide(request, queryset, PUSH)

    @admin.action(description=RERUN.title, permissions=["push"])
    def rerun_rows(self, request: HttpRequest, queryset: Rows) -> HttpResponse | None:
        """Reads Odoo again for the chosen rows."""
        return self._decide(request, queryset, RERUN)

    @admin.action(description=ASSIGN.title, permissions=["triage"])
    def assign_rows(self, request: HttpRequest, queryset: Rows) -> HttpResponse | None:
        """Gives the chosen rows to the person."""
        return self._decide(request, queryset, ASSIGN)

    def _decide(self, request: HttpRequest, rows: Rows, decision: Decision) -> HttpResponse | None:
        """Asks first; then acts on exactly the rows that were shown, or refuses."""
        count = rows.count()
        if count > MOST_ROWS:
            messages.error(request, f"{count:,} rows are too many at once: choose at most {MOST_ROWS:,}.")
            return None
        is_answer = "fingerprint" in request.POST
        form = decision.form(request.POST if is_answer else None)
        if not form.is_valid():
            return self._ask(request, rows, decision, form)
        if request.POST["fingerprint"] != fingerprint(rows):
            messages.error(request, "These rows changed since you looked: look again, then decide.")
        else:
            say(request, lambda: decision.apply(rows, person_of(request), form.cleaned_data))
        return HttpResponseRedirect(request.get_full_path())

    def _ask(self, request: HttpRequest, rows: Rows, decision: Decision, form: forms.Form) -> HttpResponse:
        count = rows.count()
        hidden = [
            ("action", decision.action),
            ("select_across", request.POST.get("select_across", "0")),
            ("fingerprint", fingerprint(rows)),
            *((ACTION_CHECKBOX_NAME, pk) for pk in request.POST.getlist(ACTION_CHECKBOX_NAME)),
        ]
        return show_form(
            request,
            screen=self,
            form=form,
            title=decision.title,
            submit=f"{decision.submit} {count:,} {'row' if count == 1 else 'rows'}",
            explanation=decision.explanation,
            context={"hidden": hidden, "rows": rows[:MOST_SHOWN], "rows_left": count - MOST_SHOWN},
        )
