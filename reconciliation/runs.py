"""Runs: asking for work, doing it under a lease, and waking what was lost."""

from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

import structlog
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone
from kombu.exceptions import KombuError

from ingest import audit
from ingest.errors import DomainError, require_permission
from ingest.metering.periods import PeriodLabelError
from ingest.models import Service
from reconciliation.connectors.errors import ConnectorError
from reconciliation.models import Run, RunKind, RunStatus

logger = structlog.get_logger(__name__)

# Longer than any single call that a run makes, Odoo's own retries included; renewed with every progress.
LEASE = timedelta(minutes=5)

# Counts in a run's summary that say that something is still to do.
LEFT_UNDONE = ("refused", "failed", "unknown", "pending", "sending")

# What asks for a run when no person does, as the audit names it.
BY_SCHEDULE, BY_COMMAND = "schedule", "command"

# What only its command can do again, and why.
NOT_REPEATABLE = {
    RunKind.IMPORT: "Import the file again: a worker cannot read what a command read.",
    RunKind.LAGO: "Start manage.py import_lago again: the console does not keep Lago's key.",
}

ASIDE = """
UPDATE reconciliation_run SET stage = %s, done = %s, total = %s, leased_until = %s
WHERE id = %s AND started_at = %s AND status = 'running'
"""

FINANCE_KINDS = {
    RunKind.PUSH,
    RunKind.REFRESH,
    RunKind.RECONCILE,
    RunKind.RERUN,
    RunKind.FETCH,
    RunKind.FETCH_LAGO,
}
# Whoever may import a file may have it read.
FILE_KINDS = {RunKind.PREVIEW, RunKind.IMPORT}


class Progress:
    """How a run tells how far it is; each report renews its lease."""

    def __init__(self, run: Run, echo: Callable[[str, int, int], None] | None = None) -> None:
        self.run = run
        self._echo = echo
        self._told_at = 0.0

    def report(self, stage: str, done: int, total: int) -> None:
        """Keeps the stage and the counts on the run; a lost lease ends the work (`lease_lost`)."""
        now = timezone.now()
        held = Run.objects.filter(
            pk=self.run.pk, status=RunStatus.RUNNING, started_at=self.run.started_at
        ).update(stage=stage, done=done, total=total, leased_until=now + LEASE)
        if not held:
            raise _explain_loss(self.run)
        if self._echo:
            self._echo(stage, done, total)

    def report_aside(self, stage: str, done: int, total: int) -> None:
        """Tells the same from within a long transaction, at most each second: on a connection of its own.

        What the transaction itself writes shows only at its end, and so does whether the lease is still held.
        """
        if self._echo:
            self._echo(stage, done, total)
        if monotonic() < self._told_at + 1:
            return
        self._told_at = monotonic()
        leased_until = timezone.now() + LEASE
        with closing(connection.copy()) as aside, aside.cursor() as cursor:
            cursor.execute(ASIDE, [stage, done, total, leased_until, self.run.pk, self.run.started_at])


def request_run(
    *,
    kind: RunKind,
    service: Service | None,
    actor: User | None,
    period_label: str = "",
    parameters: dict[str, Any] | None = None,
) -> Run:
    """Queues a run, audited in the same transaction, and wakes a worker once that is committed.

    Finance may ask for what moves the figures of a period (push, fetch, reconcile), operators for anything.
    """
    _require_may_run(kind, actor)
    with transaction.atomic():
        run = Run.objects.create(
            kind=kind,
            service=service,
            period_label=period_label,
            parameters=parameters or {},
            requested_by=actor,
        )
        _record(run, actor, BY_SCHEDULE)
        wake_after_commit(run)
    return run


def wake_after_commit(run: Run) -> None:
    """Wakes a worker for a queued run once that is committed."""
    transaction.on_commit(lambda: _wake(run))


def retry_run(*, run_id: int, actor: User) -> Run:
    """Queues the same work again as a new run.

    Refuses one that is not finished (`not_finished`), and an import (`not_repeatable`): its file, or its key to
    Lago, is not kept.
    """
    run = Run.objects.select_related("service").get(pk=run_id)
    if not run.is_finished:
        raise DomainError("not_finished", "This run is not finished yet.")
    if run.kind in NOT_REPEATABLE and "billed_file" not in run.parameters:
        raise DomainError("not_repeatable", NOT_REPEATABLE[RunKind(run.kind)])
    return request_run(
        kind=RunKind(run.kind),
        service=run.service,
        period_label=run.period_label,
        parameters=run.parameters,
        actor=actor,
    )


@transaction.atomic
def start_run(
    *,
    kind: RunKind,
    service: Service | None,
    period_label: str = "",
    parameters: dict[str, Any] | None = None,
    rule: str = BY_COMMAND,
) -> Run:
    """A run that a command does itself, already under lease and audited; workers leave it alone.

    `rule` is what asked for it, as the audit keeps it.
    """
    now = timezone.now()
    run = Run.objects.create(
        kind=kind,
        service=service,
        period_label=period_label,
        parameters=parameters or {},
        status=RunStatus.RUNNING,
        started_at=now,
        leased_until=now + LEASE,
    )
    _record(run, None, rule)
    return run


def claim_run(run_id: int) -> Run | None:
    """Takes a queued run, or one whose worker died, under lease; None when another worker has it."""
    now = timezone.now()
    claimed = (
        Run.objects.filter(pk=run_id)
        .filter(Q(status=RunStatus.QUEUED) | Q(status=RunStatus.RUNNING, leased_until__lt=now))
        .update(status=RunStatus.RUNNING, started_at=now, leased_until=now + LEASE, message="")
    )
    return Run.objects.select_related("service", "requested_by").get(pk=run_id) if claimed else None


def perform(
    run: Run,
    work: Callable[[Run, Progress], dict[str, Any]],
    echo: Callable[[str, int, int], None] | None = None,
) -> Run:
    """Does the work of a run under lease and keeps how it ended: a failure is a status, never a zero.

    `work` returns what it counted; a count of anything left undone makes the run partial.
    """
    try:
        summary = work(run, Progress(run, echo))
    except (ConnectorError, DomainError) as error:
        return _finish(run, RunStatus.FAILED, {}, error.message)
    except PeriodLabelError as error:
        return _finish(run, RunStatus.FAILED, {}, str(error))
    except Exception:
        logger.exception("run_failed", run=str(run.public_id), kind=run.kind)
        _finish(run, RunStatus.FAILED, {}, "An unexpected error; the log has it under this run's id.")
        raise
    is_partial = any(summary.get(name) for name in LEFT_UNDONE)
    message = str(summary.pop("message", ""))
    return _finish(run, RunStatus.PARTIAL if is_partial else RunStatus.SUCCEEDED, summary, message)


def find_lost_runs(now: datetime) -> list[int]:
    """Runs that wait although their message may be lost, and runs whose worker died."""
    return list(
        Run.objects.filter(
            Q(status=RunStatus.QUEUED, created_at__lt=now - timedelta(seconds=5))
            | Q(status=RunStatus.RUNNING, leased_until__lt=now)
        )
        .order_by("pk")
        .values_list("pk", flat=True)[:100]
    )


def _finish(run: Run, status: RunStatus, summary: dict[str, Any], message: str) -> Run:
    # Only the holder of the lease may end a run: `started_at` tells one holder from the next.
    Run.objects.filter(pk=run.pk, status=RunStatus.RUNNING, started_at=run.started_at).update(
        status=status,
        summary=summary,
        message=message,
        finished_at=timezone.now(),
        leased_until=None,
    )
    run.refresh_from_db()
    return run


def _explain_loss(run: Run) -> DomainError:
    """Why a worker must stop: a person stopped the run, or another worker has it."""
    run.refresh_from_db(fields=["status"])
    if run.status in {RunStatus.PAUSED, RunStatus.CANCELED}:
        return DomainError("stopped", f"The run was {run.get_status_display().lower()}.")
    return DomainError("lease_lost", "Another worker took this run over.")


def _require_may_run(kind: RunKind, actor: User | None) -> None:
    if kind in FINANCE_KINDS and actor is not None and actor.has_perm("reconciliation.push_reconciliation"):
        return
    if kind in FILE_KINDS and actor is not None and actor.has_perm("reconciliation.import_billedfile"):
        return
    require_permission(actor, "reconciliation.operate_run")


def _record(run: Run, actor: User | None, rule: str) -> None:
    audit.record(
        actor=actor,
        action=f"run.{run.kind}",
        target=run,
        service=run.service,
        after={"period": run.period_label, **run.parameters},
        rule=rule,
    )


def _wake(run: Run) -> None:
    # Imported here: the tasks know the runs, not the other way round.
    from reconciliation.tasks import execute_run

    try:
        execute_run.delay(run.pk)
    except (KombuError, OSError):
        # The row is the work; the sweep wakes it when the broker is back.
        logger.warning("broker_unreachable", run=str(run.public_id))
