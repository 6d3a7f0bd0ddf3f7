"""What each kind of run does: one table from kind to function."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from django.utils import timezone

from ingest.calendar import closed_labels
from ingest.errors import DomainError
from ingest.fees import rate_period
from ingest.models import Service
from ingest.usage import meter_period
from reconciliation import mirror, odoo_amounts, push
from reconciliation.models import Run, RunKind
from reconciliation.odoo import connect
from reconciliation.reconcile import reconcile_period
from reconciliation.runs import Progress

Summary = dict[str, Any]
# A run's message names this many reasons; the pushes themselves have them all.
MOST_MESSAGES = 20


def rate(run: Run, progress: Progress) -> Summary:
    """Meters and rates each period of the run."""
    service, labels = _service(run), _labels(run)
    summary = {"usage": 0, "fees": 0}
    for done, label in enumerate(labels):
        progress.report(f"Rating {label}", done, len(labels))
        now = timezone.now()
        summary["usage"] += meter_period(
            service=service, period_label=label, now=now, customers=_customers(run)
        )
        summary["fees"] += rate_period(
            service=service, period_label=label, now=now, customers=_customers(run)
        )
    progress.report("Rated", len(labels), len(labels))
    return summary


def send(run: Run, progress: Progress) -> Summary:
    """Writes each period's quotations to Odoo and settles what an earlier attempt left in doubt."""
    service = _service(run)
    summary: Summary = {"planned": 0, "unchanged": 0, "refused": 0}
    messages: list[str] = []
    for label in _labels(run):
        plan = push.plan_pushes(
            service=service,
            period_label=label,
            actor=run.requested_by,
            customers=_customers(run),
            run=run,
        )
        summary["planned"] += plan.created
        summary["unchanged"] += plan.unchanged
        summary["refused"] += len(plan.refusals)
        messages += [refusal.message for refusal in plan.refusals]
    summary |= send_all(service, progress)
    messages += push.read_errors(service)
    return {**summary, "message": " ".join(messages[:MOST_MESSAGES])}


def send_all(service: Service, progress: Progress | None = None) -> Summary:
    """Sends until nothing more is due now; what waits for its backoff or its read-back stays for the sweep."""
    connector = connect(service)
    total, done = push.open_pushes(service).count(), 0
    counts: Counter[str] = Counter()
    push.settle(pushes=push.find_doubtful(service=service, now=timezone.now()), connector=connector)
    while claimed := push.claim_due(service=service, now=timezone.now()):
        counts.update(push.send(pushes=claimed, connector=connector))
        done += len(claimed)
        if progress:
            progress.report("Pushing to Odoo", min(done, total), total)
    return dict(counts)


def fetch(run: Run, progress: Progress) -> Summary:
    """Reads Odoo's amounts of each period, and the invoices of the service's orders."""
    service, connector = _service(run), connect(_service(run))
    summary: Summary = {"quotations": 0, "changed": 0, "gone": 0}
    for label in _labels(run):
        counts = odoo_amounts.fetch_amounts(
            service=service,
            period_label=label,
            connector=connector,
            progress=progress,
            customers=_customers(run),
        )
        for name, count in counts.items():
            summary[name] += count
    summary["invoices"] = mirror.sync_invoices(service=service, connector=connector)
    return summary


def sync(run: Run, progress: Progress) -> Summary:
    """Mirrors Odoo's partners, products, pricelists and subscription orders."""
    return mirror.sync(connector=connect(run.service), progress=progress)


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


Step = Callable[[Run, Progress], Summary]

# Rating comes before judging and sending alike: fees that Odoo has not seen make a row stale.
STEPS: dict[RunKind, Sequence[Step]] = {
    RunKind.RATE: (rate,),
    RunKind.PUSH: (rate, send),
    RunKind.FETCH: (fetch,),
    RunKind.SYNC: (sync,),
    RunKind.RECONCILE: (rate, judge),
    RunKind.RERUN: (fetch, rate, judge),
    RunKind.REFRESH: (rate, send, fetch, judge),
}


def do_work(run: Run, progress: Progress) -> Summary:
    """Does the steps of a run's kind in turn and returns all that they counted."""
    summary: Summary = {}
    for step in STEPS[RunKind(run.kind)]:
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
