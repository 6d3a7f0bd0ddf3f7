"""The page of one reconciliation, and what may be done on it."""

from copy import copy
from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
    QueryDict,
)
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from ingest.screens.actions import Button, person_of, post_action
from reconciliation import triage
from reconciliation.admin.bulk import link_runs
from reconciliation.admin.links import FILTERS, overview_address, queue_address
from reconciliation.admin.looks import OUTCOME, STATUS
from reconciliation.admin.push_preview import preview_address
from reconciliation.figures.page import mark_differences, read_page
from reconciliation.figures.queue import read_next
from reconciliation.lines import read_lines
from reconciliation.models import Outcome, Reconciliation, RunKind, Status
from reconciliation.refresh import request_for

PUSH = "reconciliation.push_reconciliation"


class PageScreen:
    """The read-only page of a reconciliation with its buttons."""

    def get_urls(self) -> list[URLPattern]:
        """The lines alone, for a row that is opened in the queue."""
        screen: Any = self
        lines = screen.admin_site.admin_view(self.show_lines)
        own = [path("<int:object_id>/lines/", lines, name="reconciliation_reconciliation_lines")]
        return own + super().get_urls()  # type: ignore[misc]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The page; it changes nothing by itself."""
        screen: Any = self
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        row = screen.get_object(request, object_id)
        if row is None:
            return screen._get_obj_does_not_exist_redirect(request, screen.opts, object_id)
        if not screen.has_view_permission(request, row):
            raise PermissionDenied
        page = read_page(row)
        kept = screen.get_preserved_filters(request)
        context = {
            **screen.admin_site.each_context(request),
            "opts": screen.opts,
            "original": row,
            "title": str(row.customer),
            "page": page,
            "bars": [(bar, "") for bar in page.waterfall.bars] if page.waterfall else [],
            "row": row,
            "next": read_next(row, self._read_queue(request)),
            "kept": f"?{kept}" if kept else "",
            "buttons": self.get_buttons(request, row),
            "looks": {"status": STATUS[Status(row.status)], "outcome": OUTCOME[Outcome(row.outcome)]},
            "addresses": _link(row, request.GET.get(FILTERS, "")),
        }
        return TemplateResponse(request, "admin/reconciliation/reconciliation/page.html", context)

    def _read_queue(self, request: HttpRequest) -> QuerySet[Reconciliation]:
        """The rows of the queue that the person came from; all rows without one, or from a wrong address."""
        screen: Any = self
        filters = request.GET.get(FILTERS, "")
        if not filters:
            return Reconciliation.objects.all()
        of_list = copy(request)
        of_list.GET = QueryDict(filters)
        try:
            return screen.get_changelist_instance(of_list).queryset
        except IncorrectLookupParameters:
            return Reconciliation.objects.all()

    def show_lines(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """The compared lines of one row, without a page around them."""
        screen: Any = self
        if not screen.has_view_permission(request):
            raise PermissionDenied
        row = screen.get_object(request, str(object_id))
        if row is None:
            raise Http404
        context = {"row": row, "lines": mark_differences(read_lines(row).pairs, row.currency)}
        return TemplateResponse(request, "admin/reconciliation/reconciliation/lines.html", context)

    def get_buttons(self, request: HttpRequest, row: Reconciliation) -> list[Button]:
        """What the person may do with the row as it stands."""
        screen: Any = self
        buttons = screen.offer(request, row, "push", label="Push to Odoo", icon="upload", tone="main")
        buttons += screen.offer(request, row, "rerun", label="Re-run", icon="refresh")
        if row.status == Status.DELTA:
            question = "Why is this right as it is?"
            buttons += screen.offer(
                request, row, "resolve", label="Resolve", icon="task_alt", reason=question, tone="good"
            )
        if row.status == Status.RESOLVED:
            question = "Why is it open again?"
            buttons += screen.offer(request, row, "reopen", label="Reopen", icon="replay", reason=question)
        if row.owner != request.user:
            buttons += screen.offer(request, row, "assign", label="Assign to me", icon="person_add")
        return buttons

    @post_action(PUSH)
    def push(self, request: HttpRequest, row: Reconciliation) -> HttpResponse:
        """Leads to what a push of this customer's period would change, which is where it is confirmed."""
        return HttpResponseRedirect(preview_address(row))

    @post_action(PUSH)
    def rerun(self, request: HttpRequest, row: Reconciliation) -> str:
        """Reads Odoo again and reconciles."""
        return link_runs(request_for(rows=[row], kind=RunKind.RERUN, actor=person_of(request)))

    @post_action(triage.PERMISSION)
    def resolve(self, request: HttpRequest, row: Reconciliation) -> str:
        """Marks the row as explained."""
        reason = request.POST.get("reason", "")
        triage.resolve(
            reconciliation_ids=[row.pk], actor=person_of(request), reason=reason, versions=_seen(request, row)
        )
        return f"Resolved: {reason.strip()}"

    @post_action(triage.PERMISSION)
    def reopen(self, request: HttpRequest, row: Reconciliation) -> str:
        """Takes the resolution back."""
        triage.reopen(
            reconciliation_id=row.pk,
            actor=person_of(request),
            reason=request.POST.get("reason", ""),
            version=_seen(request, row)[row.pk],
        )
        return "Reopened: it is in the queue again."

    @post_action(triage.PERMISSION)
    def assign(self, request: HttpRequest, row: Reconciliation) -> str:
        """Makes the person the row's owner."""
        triage.assign(reconciliation_ids=[row.pk], actor=person_of(request), owner=person_of(request))
        return "It is yours now."


def _seen(request: HttpRequest, row: Reconciliation) -> dict[int, int]:
    """The version that the person saw; a form without one saw none, and is refused as stale."""
    version = request.POST.get("version", "")
    return {row.pk: int(version) if version.isdecimal() else 0}


def _link(row: Reconciliation, filters: str) -> dict[str, str]:
    of_period = queue_address(service=row.service.code, period=row.period_label)
    return {
        "queue": f"{queue_address()}?{filters}" if filters else of_period,
        "overview": overview_address(service=row.service.code, period=row.period_label),
        "customer": queue_address(q=row.customer.external_id, service=row.service.code, view="all"),
    }
