"""Pushes: what was meant to be written to Odoo, what became of it, and trying again."""

from django.contrib import admin
from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpRequest

from ingest.screens.actions import Button, person_of, post_action
from ingest.screens.base import EvidenceAdmin
from ingest.screens.columns import age_column, json_column, state_column
from ingest.screens.filters import PeriodFilter, ServiceFilter, condition_filter
from reconciliation import push_decisions
from reconciliation.admin.looks import PUSH
from reconciliation.admin.push_preview import PreviewScreen
from reconciliation.figures.requesters import name_pusher, with_rule
from reconciliation.models import Push, PushStatus, Run
from reconciliation.models.push import WAITING

StateFilter = condition_filter(
    "state",
    "state",
    {
        "open": ("Not done", ~Q(status__in=[PushStatus.DONE, PushStatus.SUPERSEDED, PushStatus.CANCELED])),
        **{status.value: (status.label, Q(status=status)) for status in PushStatus},
    },
)


@admin.register(Push)
class PushAdmin(PreviewScreen, EvidenceAdmin):
    """The outbox to Odoo, the newest first."""

    when_empty = "They are made when a period is rated and pushed: see Runs."
    list_display = (
        "customer",
        "service",
        "kind",
        "period_label",
        "currency",
        "shown_status",
        "version",
        "attempts",
        "odoo_id",
        "error",
        "created",
    )
    list_filter = (ServiceFilter, PeriodFilter, StateFilter, "kind")
    list_select_related = ("customer", "service")
    search_fields = ("customer__name", "customer__external_id", "key__exact", "=odoo_id")
    search_help_text = "Customer, whole key or Odoo id"
    ordering = ("-id",)
    fields = (
        "customer",
        "service",
        "kind",
        "period_label",
        "currency",
        "shown_status",
        "key",
        "version",
        "attempts",
        "next_attempt_at",
        "settled_at",
        "odoo_id",
        "error_code",
        "error",
        "asked_by",
        "run",
        "digest",
        "shown_payload",
    )
    shown_status = state_column("status", PUSH, title="status")
    shown_payload = json_column("payload")
    created = age_column("created_at", title="asked")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Push]:
        """Pushes, their runs with the rule that asked for them."""
        runs = with_rule(Run.objects.select_related("service", "requested_by"))
        return Push.objects.prefetch_related(Prefetch("run", runs))

    @admin.display(description="asked for by")
    def asked_by(self, row: Push) -> str:
        """The person, or what asked for the run that made it."""
        return name_pusher(row)

    def get_buttons(self, request: HttpRequest, row: Push) -> list[Button]:
        """A retry of a failed push, and giving up one that waits or has failed."""
        buttons = []
        if row.status == PushStatus.FAILED:
            buttons += self.offer(request, row, "retry", label="Try again", icon="refresh")
        if row.status in WAITING:
            question = "Why is it given up? What Odoo holds stays as it is."
            buttons += self.offer(
                request, row, "give_up", label="Give up", icon="block", reason=question, tone="bad"
            )
        return buttons

    @post_action(push_decisions.PERMISSION)
    def retry(self, request: HttpRequest, row: Push) -> str:
        """Puts a failed push back into the queue."""
        push_decisions.retry(push_id=row.pk, actor=person_of(request))
        return f"The push of {row} is due again."

    @post_action(push_decisions.PERMISSION)
    def give_up(self, request: HttpRequest, row: Push) -> str:
        """Takes a push out of the queue for good."""
        push_decisions.give_up(
            push_id=row.pk, actor=person_of(request), reason=request.POST.get("reason", "")
        )
        return f"The push of {row} is given up."
