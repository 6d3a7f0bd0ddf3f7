"""Stopping a run: for a while, or for good. What it has done stays done, and its worker stops after this batch."""

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from ingest import audit
from ingest.errors import DomainError, require_permission
from ingest.services import lock_service
from reconciliation.models import Push, PushStatus, Run, RunKind, RunStatus
from reconciliation.models.run import UNDER_WAY
from reconciliation.runs import NOT_REPEATABLE, wake_after_commit

PERMISSION = "reconciliation.operate_run"


@transaction.atomic
def pause(*, run_id: int, actor: User) -> Run:
    """Stops a run that waits or is under way, until it is resumed; its pushes that wait are held back with it.

    A worker that has it finishes the batch it is at. Refuses what is not under way (`not_under_way`) and an
    import, which cannot go on (`not_repeatable`).
    """
    run = _lock(run_id, actor)
    if run.kind in NOT_REPEATABLE:
        raise DomainError(
            "not_repeatable", f"An import cannot be paused. {NOT_REPEATABLE[RunKind(run.kind)]}"
        )
    if run.status not in UNDER_WAY:
        raise DomainError("not_under_way", "Only a run that waits or is under way can be paused.")
    return _move(run, RunStatus.PAUSED, actor, "run.pause")


@transaction.atomic
def resume(*, run_id: int, actor: User) -> Run:
    """Queues a paused run again: what it has done already is found done. Refuses any other (`not_paused`)."""
    run = _lock(run_id, actor)
    if run.status != RunStatus.PAUSED:
        raise DomainError("not_paused", "Only a paused run can go on.")
    wake_after_commit(run)
    return _move(run, RunStatus.QUEUED, actor, "run.resume")


@transaction.atomic
def cancel(*, run_id: int, actor: User) -> Run:
    """Ends a run that is not over for good, and gives up its pushes that still wait.

    What is on its way is settled by its read-back, and what is done stays in Odoo. Refuses a run that is over
    (`not_under_way`).
    """
    run = _lock(run_id, actor)
    if run.is_finished:
        raise DomainError("not_under_way", "This run is over.")
    now = timezone.now()
    waiting = Push.objects.filter(run=run, status=PushStatus.PENDING)
    count = waiting.update(
        status=PushStatus.CANCELED,
        settled_at=now,
        error_code="given_up",
        error=f"Its run was canceled by {actor.get_username()}.",
    )
    run.finished_at = now
    return _move(run, RunStatus.CANCELED, actor, "run.cancel", pushes=count)


def _lock(run_id: int, actor: User) -> Run:
    require_permission(actor, PERMISSION)
    service_id = Run.objects.values_list("service", flat=True).get(pk=run_id)
    if service_id is not None:
        # Planning has it too: no push of this run can come into being meanwhile.
        lock_service(service_id)
    return Run.objects.select_for_update(of=("self",)).select_related("service").get(pk=run_id)


def _move(run: Run, status: RunStatus, actor: User, action: str, **facts: int) -> Run:
    before, run.status, run.leased_until = run.status, status, None
    run.save(update_fields=["status", "leased_until", "finished_at"])
    audit.record(
        actor=actor,
        action=action,
        target=run,
        service=run.service,
        before={"status": before},
        after={"status": status, **facts},
    )
    return run
