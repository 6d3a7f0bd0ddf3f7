"""What each kind of run does: one table from kind to function."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from ingest.calendar import closed_labels
from ingest.errors import DomainError
from ingest.models import Phase, Service
from ingest.rated_periods import meter_and_rate
from ingest.services import lock_service
from reconciliation import (
    connection_checks,
    early_invoices,
    invoicing_watch,
    mirror,
    odoo_amounts,
    push,
)
from reconciliation.billed_amounts import store_billed
from reconciliation.billed_files import import_file, preview_file
from reconciliation.connections import refuse_other_mirror
from reconciliation.connectors.odoo.connector import OdooConnector
from reconciliation.intents import plan_pushes
from reconciliation.lago_connections import check_of_service, fetch_of_service
from reconciliation.mirror_rows import BILLED, ORDERED
from reconciliation.models import PushStatus, Run, RunKind, Strategy
from reconciliation.odoo import connect, connection_of
from reconciliation.reconcile import reconcile_period
from reconciliation.runs import NOT_REPEATABLE, Progress
from reconciliation.strategies import read_strategy
from reconciliation.stripe.checking import check_connection
from reconciliation.stripe.connection import connect as connect_stripe
from reconciliation.stripe.passes import fetch_and_settle

Summary = dict[str, Any]
# A run's message names this many reasons; the pushes themselves have them all.
MOST_MESSAGES = 20


def rate(run: Run, progress: Progress) -> Summary:
    """Meters and rates each period of the run; what a person saw of a whole period is written as it was seen."""
    if run.parameters.get("seen") and _customers(run) is None:
        return {}
    service, labels = _service(run), _labels(run)
    summary = {"usage": 0, "fees": 0}
    for done, label in enumerate(labels):
        progress.report(f"Rating {label}", done, len(labels))
        changed = meter_and_rate(
            service=service, period_label=label, now=timezone.now(), customers=_customers(run)
        )
        summary["usage"] += changed.usage
        summary["fees"] += changed.fees
    progress.report("Rated", len(labels), len(labels))
    return summary


def send(run: Run, progress: Progress) -> Summary:
    """Writes each period's quotations to Odoo and settles what an earlier attempt left in doubt."""
    service, labels = _service(run), _labels(run)
    summary: Counter[str] = Counter(planned=0, unchanged=0, refused=0)
    messages: list[str] = []
    for label in labels:
        plan = plan_pushes(
            service=service,
            period_label=label,
            actor=run.requested_by,
            customers=_customers(run),
            run=run,
            seen=run.parameters.get("seen", ""),
        )
        summary.update(planned=plan.created, unchanged=plan.unchanged, refused=len(plan.refusals))
        messages += [refusal.message for refusal in plan.refusals]
    summary["done"] = send_all(service, progress)
    if service.phase == Phase.LIVE:
        invoicing_watch.watch(service=service, now=timezone.now())
    for label in labels:
        summary.update(push.count_unsettled(service=service, period_label=label, customers=_customers(run)))
    messages += push.read_errors(service)
    return {**summary, "message": " ".join(messages[:MOST_MESSAGES])}


def send_all(service: Service, progress: Progress | None = None) -> int:
    """Sends what is due now, and settles what is in doubt, until Odoo does not answer; returns how many are done.

    What waits for its backoff or its read-back stays for the sweep.
    """
    connector = connect(service)
    total, attempted, done = push.open_pushes(service).count(), 0, 0
    push.settle(pushes=push.find_doubtful(service=service, now=timezone.now()), connector=connector)
    while claimed := push.claim_due(service=service, now=timezone.now()):
        counts = push.send(pushes=claimed, connector=connector)
        attempted, done = attempted + len(claimed), done + counts[PushStatus.DONE]
        if progress:
            progress.report("Pushing to Odoo", min(attempted, total), total)
        if counts.keys() <= {PushStatus.PENDING, PushStatus.UNKNOWN}:
            break
    return done


def fetch(run: Run, progress: Progress) -> Summary:
    """Reads Odoo's amounts by the service's strategy: of each period, or all that Odoo bills by itself.

    What a push of the same run has just read back is not read twice.
    """
    service, connector = _service(run), connect(_service(run))
    strategy = read_strategy(service)
    if strategy == Strategy.QUOTATION:
        return _fetch_quotations(run, connector, progress)
    read_at = timezone.now()
    shelves = (*ORDERED, *BILLED)
    synced = mirror.sync(connector=connector, progress=progress, shelves=shelves)
    if synced.refused:
        raise DomainError("not_readable", " ".join(synced.messages))
    with transaction.atomic():
        # Whoever chose another strategy meanwhile retired what this one had read: it must not come back.
        if read_strategy(lock_service(service.pk)) != strategy:
            raise DomainError("strategy_changed", "Odoo's amounts come from elsewhere by now: fetch again.")
        return store_billed(service=service, strategy=strategy, fetched_at=read_at)


def _fetch_quotations(run: Run, connector: OdooConnector, progress: Progress) -> Summary:
    summary: Summary = {"quotations": 0, "changed": 0, "gone": 0}
    for label in _labels(run):
        counts = odoo_amounts.fetch_amounts(
            service=_service(run),
            period_label=label,
            connector=connector,
            unread_since=run.started_at or timezone.now(),
            progress=progress,
            customers=_customers(run),
        )
        for name, count in counts.items():
            summary[name] += count
    return summary


def sync(run: Run, progress: Progress) -> Summary:
    """Mirrors Odoo: what linking, pushing and comparing need of it, and what is gone there.

    What it says of invoices is looked through for what services still bill.
    """
    connection = connection_of(run.service)
    refuse_other_mirror(connection)
    summary = mirror.sync(connector=connect(run.service), progress=progress).summarise()
    if early := early_invoices.watch_all(connection=connection):
        summary["billed_too_early"] = early
    return summary


def check(run: Run, progress: Progress) -> Summary:
    """Checks the connection that the run names, else its service's, else the environment's."""
    return connection_checks.check(run=run, progress=progress)


def judge(run: Run, progress: Progress) -> Summary:
    """Judges each closed period of the run."""
    service, labels = _service(run), _labels(run)
    summary = {"changed_rows": 0, "reopened": 0}
    for done, label in enumerate(labels):
        progress.report(f"Reconciling {label}", done, len(labels))
        result = reconcile_period(service=service, period_label=label, now=timezone.now())
        summary["changed_rows"] += result.changed
        summary["reopened"] += result.reopened
    progress.report("Reconciled", len(labels), len(labels))
    return summary


def check_stripe(run: Run, progress: Progress) -> Summary:
    """Checks what Stripe's key may read; problems are the run's message."""
    check = check_connection(api=connect_stripe(), run=run, echo=progress.report)
    return {"problems": len(check.problems), "message": " ".join(check.problems)}


Step = Callable[[Run, Progress], Summary]

# Rating comes before judging and sending alike: fees that Odoo has not seen make a row stale.
STEPS: dict[RunKind, Sequence[Step]] = {
    RunKind.RATE: (rate,),
    RunKind.PUSH: (rate, send),
    RunKind.FETCH: (fetch,),
    RunKind.SYNC: (sync,),
    RunKind.CHECK: (check,),
    RunKind.STRIPE: (fetch_and_settle,),
    RunKind.CHECK_STRIPE: (check_stripe,),
    RunKind.PREVIEW: (preview_file,),
    RunKind.FETCH_LAGO: (fetch_of_service,),
    RunKind.CHECK_LAGO: (check_of_service,),
    RunKind.IMPORT: (import_file,),
    RunKind.RECONCILE: (rate, judge),
    RunKind.RERUN: (fetch, rate, judge),
    RunKind.REFRESH: (rate, send, fetch, judge),
}


def do_work(run: Run, progress: Progress) -> Summary:
    """Does the steps of a run's kind in turn and returns all that they counted."""
    summary: Summary = {}
    steps = STEPS.get(RunKind(run.kind))
    # What a command imports it reads itself; a file that was uploaded is kept.
    if steps is None or (run.kind == RunKind.IMPORT and "billed_file" not in run.parameters):
        raise DomainError("not_repeatable", NOT_REPEATABLE[RunKind(run.kind)])
    for step in steps:
        summary |= step(run, progress)
    return summary


def _service(run: Run) -> Service:
    if run.service is None:
        raise DomainError("service_required", "This kind of run needs a service.")
    return run.service


def _labels(run: Run) -> list[str]:
    if run.period_label:
        return [run.period_label]
    return closed_labels(service=_service(run), now=timezone.now())


def _customers(run: Run) -> list[int] | None:
    return run.parameters.get("customers")
