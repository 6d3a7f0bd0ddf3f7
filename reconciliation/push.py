"""The outbox to Odoo: intents are stored, claimed, attempted, and settled by a read-back equal to the payload."""

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from ingest import audit
from ingest.billers import billed_by
from ingest.errors import DomainError, require_permission
from ingest.models import Biller, Fee, Service
from reconciliation import odoo_amounts
from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.odoo.connector import OdooConnector
from reconciliation.connectors.odoo.drafts import QuotationDraft
from reconciliation.connectors.odoo.readback import verify
from reconciliation.connectors.odoo.records import Quotation
from reconciliation.models import Push, PushStatus, Run
from reconciliation.quotations import Bill, Refusal, read_drafts

# Odoo retries a conflict by itself for up to 30 seconds: an attempt that was lost may still commit until then.
LONGEST_SERVER_TIME = timedelta(seconds=90)
LEASE = timedelta(minutes=5)
FIRST_WAIT = timedelta(seconds=10)
LONGEST_WAIT = timedelta(hours=1)
MAX_ATTEMPTS = 12
BATCH = 100


@dataclass(slots=True)
class Plan:
    """What planning a period's pushes found: how many are new, unchanged and refused, and why."""

    created: int = 0
    unchanged: int = 0
    refusals: list[Refusal] = field(default_factory=list)


def plan_pushes(
    *,
    service: Service,
    period_label: str,
    actor: User | None,
    customers: Iterable[int] | None = None,
    run: Run | None = None,
    is_dry: bool = False,
) -> Plan:
    """Stores an intent for each of the period's quotations that changed since it was last pushed.

    A bill that is unlinked, unmapped or billed by Odoo gets none. A dry run stores nothing.
    """
    require_permission(actor, "reconciliation.push_reconciliation")
    drafts, refusals = read_drafts(service=service, period_label=period_label, customers=customers)
    plan = Plan(refusals=refusals)
    latest = _latest_pushes([bill.key for bill, _ in drafts])
    for bill, draft in drafts:
        earlier = latest.get(bill.key)
        if earlier is None or earlier.digest != draft.digest():
            intend: Callable[[], object] = partial(_store_intent, service, bill, draft, actor, run)
        elif earlier.status == PushStatus.FAILED:
            intend = partial(_queue_again, earlier)
        else:
            plan.unchanged += 1
            continue
        plan.created += 1
        if not is_dry:
            intend()
    return plan


def _latest_pushes(keys: Sequence[str]) -> dict[str, Push]:
    rows = Push.objects.filter(key__in=keys).order_by("key", "-version").distinct("key")
    return {push.key: push for push in rows}


@transaction.atomic
def _store_intent(
    service: Service, bill: Bill, draft: QuotationDraft, actor: User | None, run: Run | None
) -> Push:
    earlier = Push.objects.select_for_update().filter(key=bill.key)
    version = max(earlier.values_list("version", flat=True), default=0) + 1
    earlier.filter(status__in=[PushStatus.PENDING, PushStatus.FAILED]).update(
        status=PushStatus.SUPERSEDED, settled_at=timezone.now()
    )
    push = Push.objects.create(
        service=service,
        customer=bill.customer,
        currency=bill.currency,
        period_start=bill.period_start,
        period_end=bill.period_end,
        period_label=bill.period_label,
        key=bill.key,
        version=version,
        payload=draft.payload(),
        digest=draft.digest(),
        next_attempt_at=timezone.now(),
        requested_by=actor,
        run=run,
    )
    audit.record(
        actor=actor,
        action="push.request",
        target=push,
        service=service,
        after={"version": version, "lines": len(draft.line_keys)},
        evidence_digest=push.digest,
        rule="schedule",
    )
    return push


def claim_due(*, service: Service, now: datetime, limit: int = BATCH) -> list[Push]:
    """Takes due pushes for one attempt each; what another attempt is in flight for stays.

    The next attempt is scheduled before this one is made, so that a crash leaves nothing forgotten. A push
    whose worker died is in doubt, never simply sent again.
    """
    _doubt_dead(service=service, now=now)
    with transaction.atomic():
        in_flight = Push.objects.filter(
            key=OuterRef("key"), status__in=[PushStatus.SENDING, PushStatus.UNKNOWN]
        )
        due = list(
            Push.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(service=service, status=PushStatus.PENDING, next_attempt_at__lte=now)
            .filter(~Exists(in_flight))
            .order_by("pk")[:limit]
        )
        for push in due:
            push.status = PushStatus.SENDING
            push.attempts += 1
            push.next_attempt_at = now + _wait_after(push.attempts)
            push.leased_until = now + LEASE
        Push.objects.bulk_update(due, ["status", "attempts", "next_attempt_at", "leased_until"])
    return due


def send(*, pushes: Sequence[Push], connector: OdooConnector) -> dict[str, int]:
    """Attempts the claimed pushes together and settles each by reading it back; returns counts by status."""
    allowed = [push for push in pushes if not _refuse_if_odoo_bills(push)]
    drafts = [QuotationDraft.from_payload(push.payload) for push in allowed]
    try:
        outcomes = connector.write_quotations(drafts)
    except ConnectorError as error:
        for push in allowed:
            _keep_error(push, error)
        return _count(pushes)
    written = []
    for push in allowed:
        outcome = outcomes[push.key]
        if outcome.error is not None:
            _keep_error(push, outcome.error)
            odoo_amounts.watch_state(push, outcome.error)
        else:
            push.odoo_id = outcome.order_id
            written.append(push)
    settle(pushes=written, connector=connector)
    return _count(pushes)


def settle(*, pushes: Sequence[Push], connector: OdooConnector) -> None:
    """Ends an attempt by what Odoo holds: equal to the payload is done, anything else is sent again."""
    if not pushes:
        return
    known = {push.key: push.odoo_id for push in pushes if push.odoo_id}
    try:
        held = connector.read_quotations([push.key for push in pushes], known)
    except ConnectorError as error:
        for push in pushes:
            _doubt(push, error.code, error.message)
        return
    for push in pushes:
        _settle_one(push, held.get(push.key))


def find_doubtful(*, service: Service, now: datetime) -> list[Push]:
    """Pushes whose outcome is unknown and whose attempt can no longer commit: a read-back may settle them."""
    return list(
        Push.objects.filter(service=service, status=PushStatus.UNKNOWN, leased_until__lte=now)[:BATCH]
    )


def open_pushes(service: Service) -> QuerySet[Push]:
    """Pushes of a service that are not settled yet."""
    return Push.objects.filter(
        service=service, status__in=[PushStatus.PENDING, PushStatus.SENDING, PushStatus.UNKNOWN]
    )


def services_waiting(now: datetime) -> list[Service]:
    """Services with a push that is due, in doubt, or held by a worker that died."""
    waiting = (
        Q(status=PushStatus.PENDING, next_attempt_at__lte=now)
        | Q(status=PushStatus.UNKNOWN, leased_until__lte=now)
        | Q(status=PushStatus.SENDING, leased_until__lt=now)
    )
    return list(Service.objects.filter(pk__in=Push.objects.filter(waiting).values("service")))


def read_errors(service: Service) -> list[str]:
    """What is in the way of a service's pushes that are not settled or failed, each reason once."""
    stuck = (
        Push.objects.filter(service=service)
        .exclude(error="")
        .exclude(status__in=[PushStatus.DONE, PushStatus.SUPERSEDED])
    )
    return list(stuck.order_by("error").values_list("error", flat=True).distinct()[:10])


@transaction.atomic
def retry(*, push_id: int, actor: User) -> Push:
    """Puts a failed push back into the queue, audited; refuses any other (`not_failed`)."""
    require_permission(actor, "reconciliation.retry_push")
    push = Push.objects.select_for_update().get(pk=push_id)
    if push.status != PushStatus.FAILED:
        raise DomainError("not_failed", "Only a failed push can be retried.")
    _queue_again(push)
    audit.record(
        actor=actor,
        action="push.retry",
        target=push,
        service=push.service,
        before={"status": push.status, "error": push.error},
        after={"status": PushStatus.PENDING},
    )
    return push


def _queue_again(push: Push) -> None:
    Push.objects.filter(pk=push.pk, status=PushStatus.FAILED).update(
        status=PushStatus.PENDING, attempts=0, next_attempt_at=timezone.now(), settled_at=None
    )


def _settle_one(push: Push, quotation: Quotation | None) -> None:
    if quotation is None:
        _schedule_again(push, "not_found", "Odoo does not hold it yet.")
        return
    push.odoo_id = quotation.id
    differences = verify(QuotationDraft.from_payload(push.payload), quotation)
    if quotation.state != "draft":
        _fail(push, "not_draft", f"The quotation {quotation.name} is no longer a draft in Odoo.")
    elif differences:
        _schedule_again(push, "read_back_differs", "; ".join(differences)[:2000])
    else:
        push.status, push.settled_at, push.leased_until = PushStatus.DONE, timezone.now(), None
        push.error_code = push.error = ""
        _save(push)
    odoo_amounts.store_quotation(push=push, quotation=quotation, fetched_at=timezone.now())


def _refuse_if_odoo_bills(push: Push) -> bool:
    """The guard beside the write: the biller may have changed since the intent was stored."""
    keys = [line["key"] for kind in ("usage_lines", "plan_lines") for line in push.payload[kind]]
    if not _has_fee_billed_by_odoo(keys):
        return False
    _fail(push, "billed_by_odoo", "Odoo bills this period now: no shadow quotation is written for it.")
    return True


def _has_fee_billed_by_odoo(fee_ids: Sequence[str]) -> bool:
    return billed_by(Biller.ODOO, Fee.objects.filter(public_id__in=fee_ids)).exists()


def _doubt_dead(*, service: Service, now: datetime) -> None:
    Push.objects.filter(service=service, status=PushStatus.SENDING, leased_until__lt=now).update(
        status=PushStatus.UNKNOWN, error_code="worker_died", error="The worker died during the attempt."
    )


def _keep_error(push: Push, error: ConnectorError) -> None:
    if error.is_outcome_unknown:
        _doubt(push, error.code, error.message)
    elif error.permanent:
        _fail(push, error.code, error.message)
    else:
        _schedule_again(push, error.code, error.message)


def _doubt(push: Push, code: str, message: str) -> None:
    push.status, push.error_code, push.error = PushStatus.UNKNOWN, code, message
    push.leased_until = timezone.now() + LONGEST_SERVER_TIME
    _save(push)


def _fail(push: Push, code: str, message: str) -> None:
    push.status, push.error_code, push.error = PushStatus.FAILED, code, message
    push.settled_at, push.leased_until = timezone.now(), None
    _save(push)


def _schedule_again(push: Push, code: str, message: str) -> None:
    if push.attempts >= MAX_ATTEMPTS:
        _fail(push, code, message)
        return
    newer = Push.objects.filter(key=push.key, version__gt=push.version).exists()
    push.status = PushStatus.SUPERSEDED if newer else PushStatus.PENDING
    push.settled_at = timezone.now() if newer else None
    push.error_code, push.error, push.leased_until = code, message, None
    _save(push)


def _save(push: Push) -> None:
    push.save(update_fields=["status", "error_code", "error", "odoo_id", "leased_until", "settled_at"])


def _wait_after(attempts: int) -> timedelta:
    """Exponential backoff with jitter, so that many pushes do not return together."""
    wait = min(FIRST_WAIT * 2 ** (attempts - 1), LONGEST_WAIT)
    return wait * random.uniform(0.75, 1.25)


def _count(pushes: Sequence[Push]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for push in pushes:
        counts[push.status] = counts.get(push.status, 0) + 1
    return counts
