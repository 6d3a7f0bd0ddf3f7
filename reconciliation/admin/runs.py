"""Runs: what is being done outside requests, how far it is, and doing it again."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ingest.screens.actions import Button, person_of, post_action
from ingest.screens.base import EvidenceAdmin
from ingest.screens.columns import age_column, json_column, link_to, state_column
from ingest.screens.filters import PeriodFilter, ServiceFilter
from reconciliation import run_control
from reconciliation.admin.looks import RUN
from reconciliation.figures.requesters import name_requester, with_rule
from reconciliation.models import Run, RunStatus
from reconciliation.models.run import UNDER_WAY
from reconciliation.runs import NOT_REPEATABLE, retry_run


@admin.register(Run)
class RunAdmin(EvidenceAdmin):
    """Every piece of work, the newest first."""

    change_form_template = "admin/reconciliation/run/change_form.html"
    list_display = (
        "kind",
        "service",
        "period_label",
        "shown_status",
        "progress",
        "asked_by",
        "created",
        "message",
    )
    list_filter = (ServiceFilter, PeriodFilter, "kind", "status")
    list_select_related = ("service", "requested_by")
    ordering = ("-id",)
    fields = (
        "kind",
        "service",
        "period_label",
        "shown_status",
        "progress",
        "message",
        "asked_by",
        "created_at",
        "started_at",
        "finished_at",
        "shown_parameters",
        "shown_summary",
    )
    shown_status = state_column("status", RUN, title="status")
    shown_parameters = json_column("parameters")
    shown_summary = json_column("summary")
    created = age_column("created_at", title="asked")

    def get_urls(self) -> list[URLPattern]:
        """How far a run is, for the pages that follow it."""
        progress = self.admin_site.admin_view(self.show_progress)
        return [
            path("<int:object_id>/progress/", progress, name="reconciliation_run_progress"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Run]:
        """Runs with the rule that asked for each, where no person did."""
        return with_rule(Run.objects.all())

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> HttpResponse:
        """The page, with who asked for the run beside its progress."""
        asked = {"asked_by": name_requester(obj)} if obj is not None else {}
        return super().render_change_form(request, {**context, **asked}, *args, obj=obj, **kwargs)

    def get_buttons(self, request: HttpRequest, row: Run) -> list[Button]:
        """Stopping what goes on, and going on with what stopped before everything was done."""
        buttons = []
        if row.status in {RunStatus.PARTIAL, RunStatus.FAILED, RunStatus.CANCELED}:
            buttons += self.offer(request, row, "retry", label="Run again", icon="refresh")
        if row.status in UNDER_WAY and row.kind not in NOT_REPEATABLE:
            buttons += self.offer(request, row, "pause", label="Pause", icon="pause")
        if row.status == RunStatus.PAUSED:
            buttons += self.offer(request, row, "resume", label="Go on", icon="play_arrow", tone="main")
        if not row.is_finished:
            buttons += self.offer(request, row, "cancel", label="Cancel", icon="block", tone="bad")
        return buttons

    def show_progress(self, request: HttpRequest, object_id: int) -> JsonResponse:
        """The run's state as JSON."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        run = self.get_object(request, str(object_id))
        if run is None:
            raise Http404
        state = {
            "status": run.status,
            "label": run.get_status_display(),
            "stage": run.stage,
            "done": run.done,
            "total": run.total,
            "is_finished": run.is_finished,
        }
        return JsonResponse(state, headers={"Cache-Control": "no-store"})

    @post_action("reconciliation.operate_run")
    def retry(self, request: HttpRequest, row: Run) -> str:
        """Queues the same work again, as a new run."""
        return format_html("{} is queued again.", link_to(retry_run(run_id=row.pk, actor=person_of(request))))

    @post_action(run_control.PERMISSION)
    def pause(self, request: HttpRequest, row: Run) -> str:
        """Stops it until it is resumed."""
        return f"{run_control.pause(run_id=row.pk, actor=person_of(request))} is paused."

    @post_action(run_control.PERMISSION)
    def resume(self, request: HttpRequest, row: Run) -> str:
        """Lets a paused run go on."""
        return f"{run_control.resume(run_id=row.pk, actor=person_of(request))} goes on."

    @post_action(run_control.PERMISSION)
    def cancel(self, request: HttpRequest, row: Run) -> str:
        """Ends it for good."""
        return f"{run_control.cancel(run_id=row.pk, actor=person_of(request))} is canceled."

    @admin.display(description="asked for by", ordering="requested_by__username")
    def asked_by(self, run: Run) -> str:
        """The person, or what asked when nobody did."""
        return name_requester(run)

    @admin.display(description="progress")
    def progress(self, run: Run) -> SafeString:
        """The stage, and how much of it is done."""
        count = f"{run.done:,} of {run.total:,}" if run.total else ""
        return format_html('<span class="figure">{}</span> {}', count, run.stage)
