"""Cutover requests: the manager's inbox, and the page on which one is decided."""

from typing import Any

from django.contrib import admin
from django.db.models import Case, IntegerField, QuerySet, Value, When
from django.http import HttpRequest

from ingest.screens.actions import Button, person_of, post_action
from ingest.screens.base import EvidenceAdmin
from ingest.screens.columns import age_column, person_column, state_column
from ingest.screens.filters import ServiceFilter
from reconciliation import cutover
from reconciliation.admin.links import condition_address
from reconciliation.admin.looks import CUTOVER
from reconciliation.comparison.readiness import Condition
from reconciliation.figures.cutover import read_switches
from reconciliation.models import CutoverRequest, CutoverStatus
from reconciliation.readiness import read_readiness

APPROVE = "reconciliation.approve_cutover"


@admin.register(CutoverRequest)
class CutoverRequestAdmin(EvidenceAdmin):
    """What waits for a second person comes first."""

    change_form_template = "admin/reconciliation/cutoverrequest/change_form.html"
    when_empty = "Finance asks for one on the page of a service in its dual run."
    list_display = (
        "service",
        "effective_date",
        "shown_status",
        "requested_by",
        "requested",
        "decided_by",
        "comment",
    )
    list_filter = (ServiceFilter, "status")
    list_select_related = ("service", "requested_by", "decided_by")
    fields = (
        "service",
        "effective_date",
        "shown_status",
        "shown_requested_by",
        "created_at",
        "comment",
        "shown_decided_by",
        "decided_at",
        "decision_comment",
        "shown_rolled_back_by",
        "rolled_back_at",
        "rollback_reason",
        "evidence_digest",
    )
    shown_requested_by = person_column("requested_by")
    shown_decided_by = person_column("decided_by")
    shown_rolled_back_by = person_column("rolled_back_by")
    shown_status = state_column("status", CUTOVER, title="status")
    requested = age_column("created_at", title="asked")

    def get_queryset(self, request: HttpRequest) -> QuerySet[CutoverRequest]:
        """Requests with whether they wait; the list itself puts them in order."""
        waits = When(status=CutoverStatus.REQUESTED, then=Value(0))
        order = Case(waits, default=Value(1), output_field=IntegerField())
        return CutoverRequest.objects.annotate(place=order)

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """The inbox first, the newest first in it."""
        return ("place", "-created_at")

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> Any:
        """The page, with the evidence as it stood and as it stands."""
        evidence = _show_evidence(request, obj) if obj is not None else {}
        return super().render_change_form(request, {**context, **evidence}, *args, obj=obj, **kwargs)

    def get_buttons(self, request: HttpRequest, row: CutoverRequest) -> list[Button]:
        """What another manager may decide now."""
        if row.status == CutoverStatus.REQUESTED and row.requested_by != request.user:
            return [
                *self.offer(
                    request,
                    row,
                    "approve",
                    label="Approve",
                    icon="check_circle",
                    reason="Comment",
                    is_optional=True,
                    tone="good",
                ),
                *self.offer(
                    request, row, "reject", label="Reject", icon="block", reason="Why not?", tone="bad"
                ),
            ]
        if row.status in {CutoverStatus.APPROVED, CutoverStatus.LIVE}:
            return self.offer(
                request, row, "roll_back", label="Roll back", icon="undo", reason="Why?", tone="bad"
            )
        return []

    @post_action(APPROVE)
    def approve(self, request: HttpRequest, row: CutoverRequest) -> str:
        """Approves, if everything is still ready."""
        cutover.approve(
            request_id=row.pk,
            actor=person_of(request),
            seen=request.POST.get("version", ""),
            comment=request.POST.get("reason", ""),
        )
        return f"Approved: Odoo bills {row.service} from {row.effective_date} on."

    @post_action(APPROVE)
    def reject(self, request: HttpRequest, row: CutoverRequest) -> str:
        """Rejects, with a comment."""
        cutover.reject(request_id=row.pk, actor=person_of(request), comment=request.POST.get("reason", ""))
        return f"Rejected: {row.service} goes on in its dual run."

    @post_action(APPROVE)
    def roll_back(self, request: HttpRequest, row: CutoverRequest) -> str:
        """Gives billing back to the service, with a reason."""
        cutover.roll_back(request_id=row.pk, actor=person_of(request), reason=request.POST.get("reason", ""))
        return f"Rolled back: {row.service} bills again from each subscription's next period on."


def _show_evidence(request: HttpRequest, row: CutoverRequest) -> dict[str, Any]:
    is_waiting = row.status == CutoverStatus.REQUESTED
    now = read_readiness(service=row.service, effective_date=row.effective_date) if is_waiting else None
    return {
        "look": CUTOVER[CutoverStatus(row.status)],
        "then": [(Condition(**kept), "") for kept in row.readiness.get("conditions", [])],
        "now": [(item, condition_address(row.service, item)) for item in now.conditions] if now else [],
        # The buttons post it: a decision is about what the page shows.
        "version": now.digest if now else "",
        "has_changed": now is not None and now.digest != row.evidence_digest,
        "switches": read_switches(service=row.service, effective_date=row.effective_date),
        "is_own": is_waiting and row.requested_by == request.user and request.user.has_perm(APPROVE),
    }
