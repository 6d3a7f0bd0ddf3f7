"""The outbox to Odoo: intents are claimed, attempted, and settled by a read-back equal to the payload."""

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from ingest import audit
from ingest.billers import billed_by
from ingest.errors import DomainError, require_permission
from ingest.models import Biller, Fee, Service
from ingest.services import lock_service
from reconciliation import odoo_amounts
from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.odoo.connector import OdooConnector
from reconciliation.connectors.odoo.drafts import QuotationDraft
from reconciliation.connectors.odoo.readback import verify
from reconciliation.connectors.odoo.records import Quotation
from reconciliation.intents import queue_again
from reconciliation.models import Push, PushStatus
from reconciliation.models.push import IN_FLIGHT, WAITING

# Odoo retries a conflict by itself for up to 30 seconds: an attempt that was lost may still commit until then.
LONGEST_SERVER_TIME = timedelta(seconds=90)
# A call is given up after ODOO_TIMEOUT and the lease is renewed between calls, however many drafts that Odoo refuses
# make of them: one that runs out is a dead worker's.
CALLS_PER_LEASE = 15
FIRST_WAIT = timedelta(seconds=10)
LONGEST_WAIT = timedelta(hours=1)
MAX_ATTEMPTS = 12
BATCH = 100

OPEN = [PushStatus.PENDING, *IN_FLIGHT]
OVER = [PushStatus.DONE, PushStatus.FAILED, PushStatus.SUPERSEDED]


def claim_due(*, service: Service, now: datetime, limit: int = BATCH) -> list[Push]:
    """Takes due pushes for one attempt each; what another attempt is in flight for stays.

    The next attempt is scheduled before this one is made, so that a crash leaves nothing forgotten. A push
    whose worker died is in doubt, never simply sent again.
    """
    _doubt_dead(service=service, now=now)
    with transaction.atomic():
        in_flight = Push.objects.filter(key=OuterRef("key"), status__in=IN_FLIGHT)
        due = list(
            Push.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(service=service, status=PushStatus.PENDING, next_attempt_at__lte=now)
            .filter(~Exists(in_flight))
            .select_related("service", "customer")
            .order_by("pk")[:limit]
        )
        for push in due:
            push.status = PushStatus.SENDING
            push.attempts += 1
            push.next_attempt_at = now + _wait_after(push.attempts)
            push.leased_until = now + _lease_of(CALLS_PER_LEASE)
        Push.objects.bulk_update(due, ["status", "attempts", "next_attempt_at", "leased_until"])
    return due


def send(*, pushes: Sequence[Push], connector: OdooConnector) -> Counter[str]:
    """Attempts the claimed pushes together and settles each by reading it back; returns counts by status.

    Whatever the attempt takes, the pushes stay this worker's: before each call their lease is renewed, or found lost,
    and then nothing more is sent.
    """
    allowed = _refuse_billed_by_odoo(pushes)
    with connector.watched(lambda: _renew(allowed)):
        _write(allowed, connector)
    return _count(pushes)


def _write(pushes: Sequence[Push], connector: OdooConnector) -> None:
    try:
        outcomes = connector.write_quotations([QuotationDraft.from_payload(push.payload) for push in pushes])
    except ConnectorError as error:
        for push in pushes:
            _keep_error(push, error)
        return
    written = []
    for push in pushes:
        outcome = outcomes[push.key]
        push.odoo_id = outcome.order_id or push.odoo_id
        if outcome.error is None:
            written.append(push)
        else:
            _keep_error(push, outcome.error)
    settle(pushes=written, connector=connector)


def _lease_of(calls: int) -> timedelta:
    return timedelta(seconds=calls * settings.ODOO_TIMEOUT)


@transaction.atomic
def _renew(pushes: Sequence[Push]) -> None:
    """Puts off the end of the lease on what is being sent, once a call's time of it has passed.

    Raises a ConnectorError when another worker has taken any of it over (`lease_lost`).
    """
    now, held = timezone.now(), [push for push in pushes if push.status == PushStatus.SENDING]
    if all(push.leased_until - now > _lease_of(CALLS_PER_LEASE - 1) for push in held if push.leased_until):
        return
    until = now + _lease_of(CALLS_PER_LEASE)
    mine = Push.objects.filter(
        pk__in=[push.pk for push in held],
        status=PushStatus.SENDING,
        leased_until__in={push.leased_until for push in held},
    )
    if mine.update(leased_until=until) != len(held):
        message = "Another worker took this push over: the attempt had outlived its lease."
        raise ConnectorError("lease_lost", message, "console", permanent=False)
    for push in held:
        push.leased_until = until


def settle(*, pushes: Sequence[Push], connector: OdooConnector) -> None:
    """Ends attempts of one service by what Odoo holds: equal to the payload is done, anything else is sent again.

    What is done is also known: Odoo's amounts are kept in the same transaction.
    """
    if not pushes:
        return
    known = {push.key: push.odoo_id for push in pushes if push.odoo_id}
    read_at = timezone.now()
    try:
        held = connector.read_quotations([push.key for push in pushes], known)
    except ConnectorError as error:
        for push in pushes:
            _move(push, PushStatus.UNKNOWN, error.code, error.message)
        return
    with transaction.atomic():
        lock_service(pushes[0].service_id)
        for push in pushes:
            _settle_one(push, held.get(push.key), read_at)


def find_doubtful(*, service: Service, now: datetime) -> list[Push]:
    """Pushes whose outcome is unknown and whose attempt can no longer commit: a read-back may settle them."""
    _doubt_dead(service=service, now=now)
    doubtful = Push.objects.filter(service=service, status=PushStatus.UNKNOWN, leased_until__lte=now)
    return list(doubtful.select_related("service", "customer").order_by("pk")[:BATCH])


def open_pushes(service: Service) -> QuerySet[Push]:
    """Pushes of a service that are not settled yet."""
    return Push.objects.filter(service=service, status__in=OPEN)


def count_unsettled(
    *, service: Service, period_label: str, customers: Iterable[int] | None = None
) -> Counter[str]:
    """How many of a period's pushes wait, are in doubt or failed, by status."""
    rows = Push.objects.filter(service=service, period_label=period_label)
    if customers is not None:
        rows = rows.filter(customer__in=customers)
    return Counter(rows.filter(status__in=[*OPEN, PushStatus.FAILED]).values_list("status", flat=True))


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
    stuck = Push.objects.filter(service=service, status__in=[*OPEN, PushStatus.FAILED]).exclude(error="")
    return list(stuck.order_by("error").values_list("error", flat=True).distinct()[:10])


@transaction.atomic
def retry(*, push_id: int, actor: User) -> Push:
    """Puts a failed push back into the queue, audited.

    Refuses any other (`not_failed`), and one that a newer version stands for (`superseded`): sending the
    older one would take the newer one back.
    """
    require_permission(actor, "reconciliation.retry_push")
    lock_service(Push.objects.values_list("service", flat=True).get(pk=push_id))
    push = Push.objects.select_related("service", "customer").get(pk=push_id)
    if push.status != PushStatus.FAILED:
        raise DomainError("not_failed", "Only a failed push can be retried.")
    if _has_newer(push):
        raise DomainError("superseded", "A newer version of this quotation was pushed: this one is history.")
    queue_again([push])
    audit.record(
        actor=actor,
        action="push.retry",
        target=push,
        service=push.service,
        before={"status": push.status, "error": push.error},
        after={"status": PushStatus.PENDING},
    )
    push.refresh_from_db()
    return push


def _settle_one(push: Push, quotation: Quotation | None, read_at: datetime) -> None:
    if quotation is None:
        _schedule_again(push, "not_found", "Odoo does not hold it yet.")
        return
    push.odoo_id = quotation.id
    differences = verify(QuotationDraft.from_payload(push.payload), quotation)
    if quotation.state != "draft":
        message = f"The quotation {quotation.name} is no longer a draft in Odoo."
        is_held = _move(push, PushStatus.FAILED, "not_draft", message)
    elif differences:
        is_held = _schedule_again(push, "read_back_differs", "; ".join(differences)[:2000])
    else:
        is_held = _move(push, PushStatus.DONE)
    if is_held:
        odoo_amounts.store_quotation(push=push, quotation=quotation, fetched_at=read_at)


def _refuse_billed_by_odoo(pushes: Sequence[Push]) -> list[Push]:
    """The guard beside the write: the biller may have changed since the intent was stored."""
    keys = {line["key"]: push for push in pushes for line in _lines(push)}
    fees = billed_by(Biller.ODOO, Fee.objects.filter(public_id__in=keys))
    refused = {keys[public_id.hex].pk for public_id in fees.values_list("public_id", flat=True)}
    for push in pushes:
        if push.pk in refused:
            message = "Odoo bills this period now: no shadow quotation is written for it."
            _move(push, PushStatus.FAILED, "billed_by_odoo", message)
    return [push for push in pushes if push.pk not in refused]


def _lines(push: Push) -> list[dict[str, str]]:
    return [*push.payload["usage_lines"], *push.payload["plan_lines"]]


@transaction.atomic
def _doubt_dead(*, service: Service, now: datetime) -> None:
    lock_service(service.pk)
    Push.objects.filter(service=service, status=PushStatus.SENDING, leased_until__lt=now).update(
        status=PushStatus.UNKNOWN, error_code="worker_died", error="The worker died during the attempt."
    )


def _keep_error(push: Push, error: ConnectorError) -> None:
    if error.is_outcome_unknown:
        _move(push, PushStatus.UNKNOWN, error.code, error.message)
    elif not error.permanent:
        _schedule_again(push, error.code, error.message)
    elif _move(push, PushStatus.FAILED, error.code, error.message):
        odoo_amounts.watch_state(push, error)


def _schedule_again(push: Push, code: str, message: str) -> bool:
    status = PushStatus.FAILED if push.attempts >= MAX_ATTEMPTS else PushStatus.PENDING
    return _move(push, status, code, message)


@transaction.atomic(savepoint=False)
def _move(push: Push, status: PushStatus, code: str = "", message: str = "") -> bool:
    """Moves a push that this worker still holds; returns False, and changes nothing, when another one does.

    The lease tells one holder from the next. What would wait or fail while a newer version stands for it is
    superseded instead: an older version is never sent after a newer one.
    """
    lock_service(push.service_id)
    if status in WAITING and _has_newer(push):
        status = PushStatus.SUPERSEDED
    now = timezone.now()
    changes: dict[str, Any] = {
        "status": status,
        "error_code": code,
        "error": message,
        "odoo_id": push.odoo_id,
        "settled_at": now if status in OVER else None,
        "leased_until": now + LONGEST_SERVER_TIME if status == PushStatus.UNKNOWN else None,
    }
    holding = Push.objects.filter(pk=push.pk, status=push.status, leased_until=push.leased_until)
    is_held = holding.update(**changes) == 1
    if is_held:
        for name, value in changes.items():
            setattr(push, name, value)
    else:
        push.refresh_from_db(fields=list(changes))
    return is_held


def _has_newer(push: Push) -> bool:
    return Push.objects.filter(key=push.key, version__gt=push.version).exists()


def _wait_after(attempts: int) -> timedelta:
    """Exponential backoff with jitter, so that many pushes do not return together."""
    wait = min(FIRST_WAIT * 2 ** (attempts - 1), LONGEST_WAIT)
    return wait * random.uniform(0.75, 1.25)


def _count(pushes: Sequence[Push]) -> Counter[str]:
    return Counter(str(push.status) for push in pushes)
