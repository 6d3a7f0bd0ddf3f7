"""What is to be written to Odoo: an intent for each record of a period that is not what was pushed last."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from ingest import audit
from ingest.errors import DomainError
from ingest.models import Service
from ingest.services import lock_service
from reconciliation.connectors.odoo.drafts import PlanLine, QuotationDraft, UsageLine
from reconciliation.connectors.odoo.order_drafts import OrderDraft
from reconciliation.live_usage import read_order_drafts
from reconciliation.models import Push, PushKind, PushStatus, Run, RunStatus
from reconciliation.models.push import IN_FLIGHT, WAITING
from reconciliation.quotations import Bill, Refusal, read_drafts


class Draft(Protocol):
    """What a record in Odoo is meant to be, of whatever kind."""

    @property
    def lines(self) -> Sequence[UsageLine | PlanLine]:
        """What it bills."""

    def payload(self) -> dict[str, object]:
        """All of it as JSON."""

    def digest(self) -> str:
        """Equal for equal drafts."""


@dataclass(frozen=True, slots=True)
class Intent:
    """A record that should be in Odoo as its draft says, and the newest push of it, None for the first."""

    kind: PushKind
    bill: Bill
    draft: Draft
    latest: Push | None


@dataclass(frozen=True, slots=True)
class Changes:
    """What a period's records in Odoo lack: new or changed, failed and still meant, and withdrawn ones."""

    changed: list[Intent]
    again: list[Intent]
    withdrawn: set[str]
    unchanged: int
    refusals: list[Refusal]
    latest: Mapping[str, Push]

    @property
    def to_send(self) -> list[Intent]:
        """All that would be sent."""
        return self.changed + self.again

    @property
    def digest(self) -> str:
        """What a person decides on: the same as long as the same would be written, under whatever line's key."""
        parts = sorted(f"{intent.bill.key} {_describe(intent.draft)}" for intent in self.to_send)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


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
    seen: str = "",
    is_dry: bool = False,
) -> Plan:
    """Stores an intent for each of the period's records that is not what was pushed last.

    A bill that is unlinked or unmapped gets none; one that holds nothing any more is emptied in Odoo, or withdrawn
    when it never got there. `actor` is who asked for the run, which is where that was permitted. A dry run stores
    nothing. What a person gave up is left alone unless a person asks for it or its figures have changed. Refuses for
    a run that was stopped meanwhile (`stopped`), and when other than what the person saw would be written (`stale`,
    where `seen` is the digest of that).
    """
    lock_service(service.pk)
    _refuse_stopped(run)
    changes = find_changes(service=service, period_label=period_label, actor=actor, customers=customers)
    if seen and seen != changes.digest:
        raise DomainError("stale", "Other than what was shown would be written by now: look again.")
    if not is_dry:
        _take_over(changes.latest.values(), actor, run)
        _supersede(changes.withdrawn)
        queue_again(intent.latest for intent in changes.again if intent.latest)
        _store(service, changes.changed, actor, run)
    return Plan(len(changes.to_send), changes.unchanged, changes.refusals)


def find_changes(
    *, service: Service, period_label: str, actor: User | None, customers: Iterable[int] | None = None
) -> Changes:
    """What would be written for a period as its fees stand now; reads only."""
    chosen = None if customers is None else list(customers)
    latest = _read_latest(service, period_label, chosen)
    quotations, refused_quotations = read_drafts(service=service, period_label=period_label, customers=chosen)
    orders, refused_orders = read_order_drafts(service=service, period_label=period_label, customers=chosen)
    refusals = refused_quotations + refused_orders
    intents = [Intent(PushKind.QUOTATION, bill, draft, latest.get(bill.key)) for bill, draft in quotations]
    intents += [_of_order(bill, draft, latest.get(bill.key)) for bill, draft in orders]
    wanted = {intent.bill.key for intent in intents} | {refusal.bill.key for refusal in refusals}
    left = [latest[key] for key in latest.keys() - wanted]
    in_odoo = _find_in_odoo(left)
    intents += [_empty(push) for push in left if push.key in in_odoo]
    again = [intent for intent in intents if _is_failed(intent)]
    changed = [intent for intent in intents if not _is_same(intent, actor)]
    unchanged = len(intents) - len(again) - len(changed)
    return Changes(changed, again, {push.key for push in left} - in_odoo, unchanged, refusals, latest)


def queue_again(pushes: Iterable[Push]) -> None:
    """Puts failed pushes back into the queue as they are."""
    Push.objects.filter(pk__in=[push.pk for push in pushes], status=PushStatus.FAILED).update(
        status=PushStatus.PENDING, attempts=0, next_attempt_at=timezone.now(), settled_at=None
    )


def _read_latest(service: Service, period_label: str, customers: list[int] | None) -> dict[str, Push]:
    rows = Push.objects.filter(kind__in=DRAFTS, service=service, period_label=period_label)
    if customers is not None:
        rows = rows.filter(customer__in=customers)
    rows = rows.order_by("key", "-version").distinct("key").select_related("customer")
    return {push.key: push for push in rows}


def _find_in_odoo(pushes: Iterable[Push]) -> set[str]:
    """The keys of those whose record Odoo has, or may have by an attempt that is under way."""
    versions = Push.objects.filter(key__in=[push.key for push in pushes])
    reached = versions.filter(Q(odoo_id__isnull=False) | Q(status__in=IN_FLIGHT))
    return set(reached.values_list("key", flat=True))


def _describe(draft: Draft) -> str:
    payload = draft.payload()
    lines = [{**line.payload(), "key": ""} for line in draft.lines]
    facts = {name: value for name, value in payload.items() if not isinstance(value, list)}
    return json.dumps([facts, sorted(map(json.dumps, lines))], sort_keys=True)


def _of_order(bill: Bill, draft: OrderDraft, latest: Push | None) -> Intent:
    """A line of a confirmed order is not deleted: one that was pushed and is gone goes on at nothing."""
    if latest is not None:
        draft = draft.with_gone(OrderDraft.from_payload(latest.payload))
    return Intent(PushKind.ORDER_LINES, bill, draft, latest)


def _empty(push: Push) -> Intent:
    """A draft that bills nothing for a record that no fee asks for any more: Odoo must not go on billing it."""
    bill = Bill(
        push.customer, push.currency, push.period_start, push.period_end, push.period_label, key=push.key
    )
    kind = PushKind(push.kind)
    return Intent(kind, bill, DRAFTS[kind].from_payload(push.payload).emptied(), push)


DRAFTS: Mapping[PushKind, type[QuotationDraft] | type[OrderDraft]] = {
    PushKind.QUOTATION: QuotationDraft,
    PushKind.ORDER_LINES: OrderDraft,
}


def _is_same(intent: Intent, actor: User | None = None) -> bool:
    push = intent.latest
    if push is None or push.digest != intent.draft.digest():
        return False
    # What was withdrawn before it reached Odoo is not there, whatever it said.
    return push.status != PushStatus.SUPERSEDED and not (push.status == PushStatus.CANCELED and actor)


def _is_failed(intent: Intent) -> bool:
    return intent.latest is not None and intent.latest.status == PushStatus.FAILED and _is_same(intent)


def _refuse_stopped(run: Run | None) -> None:
    """Whoever stops a run has the service's lock too: what is planned under it belongs to a run that goes on."""
    if run and Run.objects.filter(pk=run.pk, status__in=[RunStatus.PAUSED, RunStatus.CANCELED]).exists():
        raise DomainError("stopped", "The run was stopped.")


def _take_over(pushes: Iterable[Push], actor: User | None, run: Run | None) -> None:
    """What a paused run holds back and a person asks for again goes with the newer run."""
    if actor and run:
        held = Push.objects.filter(pk__in=[push.pk for push in pushes], status=PushStatus.PENDING)
        held.filter(run__status=RunStatus.PAUSED).update(run=run)


def _store(service: Service, intents: Iterable[Intent], actor: User | None, run: Run | None) -> None:
    pushes = [_make(service, intent, actor, run) for intent in intents]
    _supersede(push.key for push in pushes)
    Push.objects.bulk_create(pushes)
    audit.record_all(_decision(push, actor) for push in pushes)


def _make(service: Service, intent: Intent, actor: User | None, run: Run | None) -> Push:
    bill = intent.bill
    return Push(
        kind=intent.kind,
        service=service,
        customer=bill.customer,
        currency=bill.currency,
        period_start=bill.period_start,
        period_end=bill.period_end,
        period_label=bill.period_label,
        key=bill.key,
        version=intent.latest.version + 1 if intent.latest else 1,
        payload=intent.draft.payload(),
        digest=intent.draft.digest(),
        next_attempt_at=timezone.now(),
        requested_by=actor,
        run=run,
    )


def _supersede(keys: Iterable[str]) -> None:
    Push.objects.filter(key__in=list(keys), status__in=WAITING).update(
        status=PushStatus.SUPERSEDED, settled_at=timezone.now()
    )


def _decision(push: Push, actor: User | None) -> audit.Decision:
    return audit.Decision(
        actor=actor,
        action="push.request",
        target=push,
        service=push.service,
        after={"version": push.version, "lines": push.count_lines()},
        evidence_digest=push.digest,
        rule="schedule",
    )
