"""How far a load has come: rows that say so, so that an interrupted one goes on where it stopped."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from time import monotonic, sleep
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from billing_console.demo.odoo_client import DemoRefusedError
from ingest import audit
from ingest.models import AuditRecord, Service
from reconciliation import push
from reconciliation.models import Push, PushStatus, Run, RunKind, RunStatus
from reconciliation.runs import Progress, perform, start_run
from reconciliation.work import do_work, send_all

BEGUN, LOADED = "demo.begun", "demo.loaded"
RULE = "load_demo"
STEP = "demo_step"
FINISHED = (RunStatus.SUCCEEDED, RunStatus.PARTIAL)
# What a run of the story must not leave behind; bills that are refused belong to the story.
LEFT_UNDONE = ("failed", "pending", "sending", "unknown")

# One load at a time, by an advisory lock of this number; it ends with the connection that holds it.
LOCK = 7_401_220_419
SETTLE_SECONDS = 60.0

Work = Callable[[Run, Progress], dict[str, Any]]


class LoadFailedError(Exception):
    """A step of the load failed; what was done stays, and the next load goes on from there."""

    code = "load_failed"


def is_loaded() -> bool:
    """Whether a load has come to its end."""
    return _notes(LOADED).exists()


def find_newest_month() -> date | None:
    """The newest month of the story that a first load settled; None before it has."""
    record = _notes(BEGUN).first()
    return date.fromisoformat(record.after["newest_month"]) if record else None


def note_begun(service: Service, newest_month: date) -> None:
    """Settles the story's months; call it in the transaction that creates the first service."""
    after = {"newest_month": newest_month.isoformat()}
    audit.record(actor=None, action=BEGUN, target=service, after=after, rule=RULE)


def note_loaded(service: Service) -> None:
    """Says that the demo is whole: the next load has nothing to do."""
    audit.record(actor=None, action=LOADED, target=service, rule=RULE)


@contextmanager
def hold_lock() -> Iterator[None]:
    """Keeps a second load out, and refuses (DemoRefusedError) while one is under way.

    Within it a commit does not wait for the disk: what a crash of the machine takes away is loaded again.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            raise DemoRefusedError("Another load of the demo is under way.")
        cursor.execute("SET synchronous_commit TO off")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET synchronous_commit")
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


def _notes(action: str) -> QuerySet[AuditRecord]:
    return AuditRecord.objects.filter(object_type=Service._meta.label_lower, action=action)


def run_once(
    *,
    step: str,
    kind: RunKind,
    service: Service | None,
    period_label: str = "",
    work: Work = do_work,
) -> None:
    """Does a run as in real use, unless a run of this step has finished; raises LoadFailedError."""
    earlier = Run.objects.filter(parameters__contains={STEP: step}, status__in=FINISHED)
    if earlier.exclude(summary__has_any_keys=LEFT_UNDONE).exists():
        return
    run = start_run(kind=kind, service=service, period_label=period_label, parameters={STEP: step}, rule=RULE)
    run = perform(run, work)
    if run.status == RunStatus.FAILED or not run.summary.keys().isdisjoint(LEFT_UNDONE):
        raise LoadFailedError(f"{run}: {run.message or run.summary}")


def release_interrupted(now: datetime) -> None:
    """Ends what a killed load left under lease; its pushes are in doubt until they are read back.

    None of them waits any longer, and only the demo's own are touched: a console beside it keeps its leases.
    """
    pushes = Push.objects.filter(run__parameters__has_key=STEP)
    pushes.filter(status__in=[PushStatus.SENDING, PushStatus.UNKNOWN]).update(
        status=PushStatus.UNKNOWN, leased_until=now, next_attempt_at=now
    )
    pushes.filter(status=PushStatus.PENDING).update(next_attempt_at=now)
    Run.objects.filter(parameters__has_key=STEP, status=RunStatus.RUNNING).update(
        status=RunStatus.FAILED,
        message="The load of the demo was interrupted here; it went on with a new run.",
        finished_at=now,
        leased_until=None,
    )


def settle_pushes(service: Service) -> None:
    """Returns when nothing of the service waits to be sent or read back; raises LoadFailedError after a minute."""
    deadline = monotonic() + SETTLE_SECONDS
    while push.open_pushes(service).exists():
        send_all(service)
        if monotonic() > deadline:
            errors = "; ".join(push.read_errors(service))
            raise LoadFailedError(f"The pushes of {service} do not settle: {errors}")
        sleep(0.1)
