"""What is to be written to Odoo: an intent for each quotation of a period that is not what was pushed last."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from ingest import audit
from ingest.errors import DomainError
from ingest.models import Service
from ingest.services import lock_service
from reconciliation.connectors.odoo.drafts import QuotationDraft
from reconciliation.models import Push, PushKind, PushStatus, Run, RunStatus
from reconciliation.models.push import IN_FLIGHT, WAITING
from reconciliation.quotations import Bill, Refusal, read_drafts


@dataclass(frozen=True, slots=True)
class Plan:
    """What planning a period's pushes found: how many are to be sent, how many are unchanged, and the refused."""

    created: int
    unchanged: int
    refusals: list[Refusal]


@transaction.atomic
def plan_pushes(
    *,
    service: Service,
    period_label: str,
    actor: User | None,
    customers: Iterable[int] | None = None,
    run: Run | None = None,
    is_dry: bool = False,
) -> Plan:
    """Stores an intent for each of the period's quotations that is not what was pushed last.

    A bill that is unlinked, unmapped or billed by Odoo gets none; one that holds nothing any more is emptied
    in Odoo, or withdrawn when it never got there. `actor` is who asked for the run, which is where that was
    permitted. A dry run stores nothing. What a person gave up is left alone unless a person asks for it or its
    figures have changed. Refuses for a run that was stopped meanwhile (`stopped`).
    """
    lock_service(service.pk)
    _refuse_stopped(run)
    chosen = None if customers is None else list(customers)
    drafts, refusals = read_drafts(service=service, period_label=period_label, customers=chosen)
    latest = _read_latest(service, period_label, chosen)
    wanted = {bill.key for bill, _ in drafts} | {refusal.bill.key for refusal in refusals}
    left = [latest[key] for key in latest.keys() - wanted]
    in_odoo = _find_in_odoo(left)
    drafts += [_empty(push) for push in left if push.key in in_odoo]
    again = [latest[bill.key] for bill, draft in drafts if _is_failed(latest.get(bill.key), draft)]
    changed = [(bill, draft) for bill, draft in drafts if not _is_same(latest.get(bill.key), draft, actor)]
    if not is_dry:
        _take_over(latest.values(), actor, run)
        _supersede({push.key for push in left} - in_odoo)
        queue_again(again)
        _store(service, changed, latest, actor, run)
    return Plan(len(again) + len(changed), len(drafts) - len(again) - len(changed), refusals)


def queue_again(pushes: Iterable[Push]) -> None:
    """Puts failed pushes back into the queue as they are."""
    Push.objects.filter(pk__in=[push.pk for push in pushes], status=PushStatus.FAILED).update(
        status=PushStatus.PENDING, attempts=0, next_attempt_at=timezone.now(), settled_at=None
    )


def _read_latest(service: Service, period_label: str, customers: list[int] | None) -> dict[str, Push]:
    rows = Push.objects.filter(kind=PushKind.QUOTATION, service=service, period_label=period_label)
    if customers is not None:
        rows = rows.filter(customer__in=customers)
    rows = rows.order_by("key", "-version").distinct("key").select_related("customer")
    return {push.key: push for push in rows}


def _find_in_odoo(pushes: Iterable[Push]) -> set[str]:
    """The keys of those whose quotation Odoo has, or may have by an attempt that is under way."""
    versions = Push.objects.filter(key__in=[push.key for push in pushes])
    reached = versions.filter(Q(odoo_id__isnull=False) | Q(status__in=IN_FLIGHT))
    return set(reached.values_list("key", flat=True))


def _empty(push: Push) -> tuple[Bill, QuotationDraft]:
    """A draft without lines for a quotation that no fee asks for any more: Odoo must not go on billing it."""
    bill = Bill(push.customer, push.currency, push.period_start, push.period_end, push.period_label)
    return bill, replace(QuotationDraft.from_payload(push.payload), usage_lines=(), plan_lines=())


def _is_same(push: Push | None, draft: QuotationDraft, actor: User | None = None) -> bool:
    if push is None or push.digest != draft.digest():
        return False
    # What was withdrawn before it reached Odoo is not there, whatever it said.
    return push.status != PushStatus.SUPERSEDED and not (push.status == PushStatus.CANCELED and actor)


def _refuse_stopped(run: Run | None) -> None:
    """Whoever stops a run has the service's lock too: what is planned under it belongs to a run that goes on."""
    if run and Run.objects.filter(pk=run.pk, status__in=[RunStatus.PAUSED, RunStatus.CANCELED]).exists():
        raise DomainError("stopped", "The run was stopped.")


def _take_over(pushes: Iterable[Push], actor: User | None, run: Run | None) -> None:
    """What a paused run holds back and a person asks for again goes with the newer run."""
    if actor and run:
        held = Push.objects.filter(pk__in=[push.pk for push in pushes], status=PushStatus.PENDING)
        held.filter(run__status=RunStatus.PAUSED).update(run=run)


def _is_failed(push: Push | None, draft: QuotationDraft) -> bool:
    return push is not None and push.status == PushStatus.FAILED and _is_same(push, draft)


def _store(
    service: Service,
    drafts: Iterable[tuple[Bill, QuotationDraft]],
    latest: Mapping[str, Push],
    actor: User | None,
    run: Run | None,
) -> None:
    pushes = [
        Push(
            service=service,
            customer=bill.customer,
            currency=bill.currency,
            period_start=bill.period_start,
            period_end=bill.period_end,
            period_label=bill.period_label,
            key=bill.key,
            version=latest[bill.key].version + 1 if bill.key in latest else 1,
            payload=draft.payload(),
            digest=draft.digest(),
            next_attempt_at=timezone.now(),
            requested_by=actor,
            run=run,
        )
        for bill, draft in drafts
    ]
    _supersede(push.key for push in pushes)
    Push.objects.bulk_create(pushes)
    audit.record_all(_decision(push, actor) for push in pushes)


def _supersede(keys: Iterable[str]) -> None:
    Push.objects.filter(key__in=list(keys), status__in=WAITING).update(
        status=PushStatus.SUPERSEDED, settled_at=timezone.now()
    )


def _decision(push: Push, actor: User | None) -> audit.Decision:
    lines = len(push.payload["usage_lines"]) + len(push.payload["plan_lines"])
    return audit.Decision(
        actor=actor,
        action="push.request",
        target=push,
        service=push.service,
        after={"version": push.version, "lines": lines},
        evidence_digest=push.digest,
        rule="schedule",
    )
