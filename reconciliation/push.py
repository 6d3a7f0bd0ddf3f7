"""The outbox to Odoo: intents are claimed, attempted, and settled by a read-back equal to the payload."""

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from ingest.models import Service
from ingest.services import lock_service
from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.odoo.connector import OdooConnector
from reconciliation.connectors.odoo.quotation import BATCH_LINES
from reconciliation.models import Push, PushKind, PushStatus, RunStatus
from reconciliation.models.push import IN_FLIGHT
from reconciliation.push_moves import Move, keep_attempts, move_all
from reconciliation.writers.table import WRITERS
from reconciliation.writers.writer import Reading, Writer

# A call is given up after ODOO_TIMEOUT and the lease is renewed between calls, however many drafts that Odoo refuses
# make of them: one that runs out is a dead worker's.
CALLS_PER_LEASE = 15
FIRST_WAIT = timedelta(seconds=10)
LONGEST_WAIT = timedelta(hours=1)
# Of a record that does not become what is meant.
MAX_ATTEMPTS = 12
# Of one that Odoo does not take now: waits of an hour at most outlast a day without Odoo.
MAX_ATTEMPTS_IN_OUTAGE = 36
# As many as Odoo takes in one call for each step: see the connector's BATCH_LINES.
BATCH = 1000
# Settled in one transaction, which has the service's lock.
SETTLED_AT_ONCE = 100

OPEN = [PushStatus.PENDING, *IN_FLIGHT]
# What waits for a paused run to go on, and holds nobody else up.
HELD = Q(status=PushStatus.PENDING, run__status=RunStatus.PAUSED)


def claim_due(*, service: Service, now: datetime, limit: int = BATCH) -> list[Push]:
    """Takes due pushes for one attempt each, the oldest first: as many as go into one call.

    What another attempt is in flight for stays, and so does what would overtake an earlier push of the same
    customer. The next attempt is scheduled before this one is made, so that a crash leaves nothing forgotten. A
    push whose worker died is in doubt, never simply sent again.
    """
    _doubt_dead(service=service, now=now)
    with transaction.atomic():
        # One claim after the other: two at once could each take a part of one customer's and overtake.
        lock_service(service.pk)
        due = _cut(_find_due(service, now)[:limit])
        for push in due:
            push.status = PushStatus.SENDING
            push.attempts += 1
            push.next_attempt_at = now + _wait_after(push.attempts)
            push.leased_until = now + _lease_of(CALLS_PER_LEASE)
        keep_attempts(due)
    return due


def _cut(pushes: Iterable[Push]) -> list[Push]:
    """The first of them that together have no more lines than one call takes, and one at least."""
    kept: list[Push] = []
    lines = 0
    for push in pushes:
        lines += max(1, push.count_lines())
        if kept and lines > BATCH_LINES:
            break
        kept.append(push)
    return kept


def _find_due(service: Service, now: datetime) -> QuerySet[Push]:
    pending = Push.objects.filter(service=service, status=PushStatus.PENDING).exclude(HELD)
    in_flight = Push.objects.filter(key=OuterRef("key"), status__in=IN_FLIGHT)
    earlier = Push.objects.filter(customer=OuterRef("customer"), pk__lt=OuterRef("pk")).exclude(HELD)
    delayed = earlier.filter(Q(status__in=IN_FLIGHT) | Q(status=PushStatus.PENDING, next_attempt_at__gt=now))
    return (
        pending.filter(~Exists(in_flight), ~Exists(delayed), next_attempt_at__lte=now)
        .select_for_update(of=("self",))
        .select_related("service", "customer")
        .order_by("pk")
    )


def send(*, pushes: Sequence[Push], connector: OdooConnector) -> Counter[str]:
    """Attempts the claimed pushes together and settles each by reading it back; returns counts by status.

    Whatever the attempt takes, the pushes stay this worker's: before each call their lease is renewed, or found lost,
    and then nothing more is sent.
    """
    with connector.watched(lambda: _renew(pushes)):
        for writer, batch in _by_writer(pushes):
            _write(writer, _refuse(writer, batch), connector)
    return _count(pushes)


def _by_writer(pushes: Sequence[Push]) -> Iterator[tuple[Writer, list[Push]]]:
    batches: dict[PushKind, list[Push]] = defaultdict(list)
    for push in pushes:
        batches[PushKind(push.kind)].append(push)
    return ((WRITERS[kind], batch) for kind, batch in batches.items())


def _refuse(writer: Writer, pushes: Sequence[Push]) -> list[Push]:
    """Fails what may not leave as things stand now; returns the others."""
    refused = writer.refuse(pushes)
    move_all(
        Move(push, PushStatus.FAILED, refused[push.key].code, refused[push.key].message)
        for push in pushes
        if push.key in refused
    )
    return [push for push in pushes if push.key not in refused]


def _write(writer: Writer, pushes: Sequence[Push], connector: OdooConnector) -> None:
    try:
        outcomes = writer.write(connector, pushes) if pushes else {}
    except ConnectorError as error:
        _keep_errors(writer, dict.fromkeys(pushes, error))
        return
    errors: dict[Push, ConnectorError] = {}
    for push in pushes:
        outcome = outcomes[push.key]
        push.odoo_id = outcome.record_id or push.odoo_id
        if outcome.error is not None:
            errors[push] = outcome.error
    _keep_errors(writer, errors)
    _settle(writer, [push for push in pushes if push not in errors], connector)


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

    What is done is also known: what was read is kept in the same transaction.
    """
    for writer, batch in _by_writer(pushes):
        _settle(writer, batch, connector)


def _settle(writer: Writer, pushes: Sequence[Push], connector: OdooConnector) -> None:
    if not pushes:
        return
    read_at = timezone.now()
    try:
        held = writer.read(connector, pushes)
    except ConnectorError as error:
        move_all(Move(push, PushStatus.UNKNOWN, error.code, error.message) for push in pushes)
        return
    for start in range(0, len(pushes), SETTLED_AT_ONCE):
        _settle_batch(writer, pushes[start : start + SETTLED_AT_ONCE], held, read_at)


@transaction.atomic
def _settle_batch(
    writer: Writer, pushes: Sequence[Push], held: Mapping[str, Reading], read_at: datetime
) -> None:
    lock_service(pushes[0].service_id)
    settled = move_all(_judge(push, held.get(push.key)) for push in pushes)
    writer.keep({push.key: (push, held[push.key]) for push in settled if push.key in held}, read_at)


def find_doubtful(*, service: Service, now: datetime) -> list[Push]:
    """Pushes whose outcome is unknown and whose attempt can no longer commit: a read-back may settle them."""
    _doubt_dead(service=service, now=now)
    doubtful = Push.objects.filter(service=service, status=PushStatus.UNKNOWN, leased_until__lte=now)
    return list(doubtful.select_related("service", "customer").order_by("pk")[:BATCH])


def open_pushes(service: Service) -> QuerySet[Push]:
    """Pushes of a service that are not settled yet, those of paused runs left out."""
    return Push.objects.filter(service=service, status__in=OPEN).exclude(HELD)


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
    return list(Service.objects.filter(pk__in=Push.objects.filter(waiting).exclude(HELD).values("service")))


def read_errors(service: Service) -> list[str]:
    """What is in the way of a service's pushes that are not settled or failed, each reason once."""
    stuck = Push.objects.filter(service=service, status__in=[*OPEN, PushStatus.FAILED]).exclude(error="")
    return list(stuck.order_by("error").values_list("error", flat=True).distinct()[:10])


def _judge(push: Push, reading: Reading | None) -> Move:
    """What becomes of a push by what Odoo holds of it."""
    if reading is None:
        return _again(push, "not_found", "Odoo does not hold it yet.")
    push.odoo_id = reading.odoo_id
    if reading.refusal is not None:
        return Move(push, PushStatus.FAILED, reading.refusal.code, reading.refusal.message)
    if reading.differences:
        return _again(push, "read_back_differs", "; ".join(reading.differences)[:2000])
    return Move(push, PushStatus.DONE)


@transaction.atomic
def _doubt_dead(*, service: Service, now: datetime) -> None:
    lock_service(service.pk)
    Push.objects.filter(service=service, status=PushStatus.SENDING, leased_until__lt=now).update(
        status=PushStatus.UNKNOWN, error_code="worker_died", error="The worker died during the attempt."
    )


def _keep_errors(writer: Writer, errors: Mapping[Push, ConnectorError]) -> None:
    for push in move_all(_make_move(push, error) for push, error in errors.items()):
        error = errors[push]
        if error.permanent and not error.is_outcome_unknown:
            writer.watch(push, error)


def _make_move(push: Push, error: ConnectorError) -> Move:
    if error.is_outcome_unknown:
        return Move(push, PushStatus.UNKNOWN, error.code, error.message)
    if error.permanent:
        return Move(push, PushStatus.FAILED, error.code, error.message)
    return _again(push, error.code, error.message, MAX_ATTEMPTS_IN_OUTAGE)


def _again(push: Push, code: str, message: str, most: int = MAX_ATTEMPTS) -> Move:
    status = PushStatus.FAILED if push.attempts >= most else PushStatus.PENDING
    return Move(push, status, code, message)


def _wait_after(attempts: int) -> timedelta:
    """Exponential backoff with jitter, so that many pushes do not return together."""
    wait = min(FIRST_WAIT * 2 ** (attempts - 1), LONGEST_WAIT)
    return wait * random.uniform(0.75, 1.25)


def _count(pushes: Sequence[Push]) -> Counter[str]:
    return Counter(str(push.status) for push in pushes)
