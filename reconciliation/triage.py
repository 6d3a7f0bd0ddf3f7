"""Triage: people explain deltas; every decision is checked again here, locked and audited."""

from collections.abc import Iterable, Mapping, Sequence

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from ingest import audit
from ingest.errors import DomainError, require_permission
from ingest.services import lock_service
from reconciliation.documents import digest_of
from reconciliation.models import Reconciliation, Status

PERMISSION = "reconciliation.triage_reconciliation"
# From which status a person may move a row to which.
TRANSITIONS = {Status.DELTA: {Status.RESOLVED}, Status.RESOLVED: {Status.DELTA}}


@transaction.atomic
def resolve(
    *,
    reconciliation_ids: Sequence[int],
    actor: User,
    reason: str,
    versions: Mapping[int, int] | None = None,
) -> int:
    """Resolves rows with one reason, all or none; returns how many.

    Refuses without a reason (`reason_required`), a row that is no open delta (`not_open`), and one that
    changed since the person looked (`stale`, when `versions` says what they saw).
    """
    require_permission(actor, PERMISSION)
    if not reason.strip():
        raise DomainError("reason_required", "Give the reason: it is what an auditor will read.")
    rows = _lock(reconciliation_ids, versions)
    for row in rows:
        _move(row, Status.RESOLVED, "not_open", f"{row} is not an open delta.")
        row.reason, row.resolved_by, row.resolved_at = reason.strip(), actor, timezone.now()
        row.save(update_fields=["status", "version", "reason", "resolved_by", "resolved_at"])
        _record(row, actor, "reconciliation.resolve", Status.DELTA, reason)
    return len(rows)


@transaction.atomic
def reopen(*, reconciliation_id: int, actor: User, reason: str, version: int | None = None) -> Reconciliation:
    """Opens a resolved row again; refuses any other (`not_resolved`), and as `resolve` does."""
    require_permission(actor, PERMISSION)
    if not reason.strip():
        raise DomainError("reason_required", "Say why it is opened again.")
    (row,) = _lock([reconciliation_id], None if version is None else {reconciliation_id: version})
    _move(row, Status.DELTA, "not_resolved", f"{row} is not resolved.")
    row.reopened_at, row.reopened_because = timezone.now(), f"{actor.get_username()}: {reason.strip()}"
    row.save(update_fields=["status", "version", "reopened_at", "reopened_because"])
    _record(row, actor, "reconciliation.reopen", Status.RESOLVED, reason)
    return row


@transaction.atomic
def assign(*, reconciliation_ids: Sequence[int], actor: User, owner: User | None) -> int:
    """Gives rows to somebody who may triage, or to nobody; returns how many changed hands."""
    require_permission(actor, PERMISSION)
    require_permission(owner, PERMISSION)
    rows = [row for row in _lock(reconciliation_ids, None) if row.owner != owner]
    for row in rows:
        before, row.owner = row.owner, owner
        row.version += 1
        row.save(update_fields=["owner", "version"])
        audit.record(
            actor=actor,
            action="reconciliation.assign",
            target=row,
            service=row.service,
            before={"owner": before.get_username() if before else None},
            after={"owner": owner.get_username() if owner else None},
        )
    return len(rows)


def _lock(ids: Iterable[int], versions: Mapping[int, int] | None) -> list[Reconciliation]:
    wanted = sorted(set(ids))
    # Judging writes the same rows in an order of its own: whoever has the service's lock goes first.
    services = Reconciliation.objects.filter(pk__in=wanted).order_by("service").values_list("service")
    for (service_id,) in services.distinct():
        lock_service(service_id)
    rows = list(
        Reconciliation.objects.select_for_update(of=("self",))
        .filter(pk__in=wanted)
        .select_related("service", "customer", "owner")
        .order_by("pk")
    )
    if len(rows) != len(wanted):
        raise DomainError("not_found", "A row that was chosen is not there.")
    if versions is not None and any(row.version != versions.get(row.pk) for row in rows):
        raise DomainError("stale", "The figures changed since you looked: look again, then decide.")
    return rows


def _move(row: Reconciliation, to: Status, code: str, message: str) -> None:
    if to not in TRANSITIONS.get(Status(row.status), set()):
        raise DomainError(code, message)
    row.status = to
    row.version += 1


def _record(row: Reconciliation, actor: User, action: str, before: Status, reason: str) -> None:
    figures = {
        "odoo_amount": _text(row.odoo_amount),
        "external_amount": _text(row.external_amount),
        "delta": _text(row.delta),
        "currency": row.currency,
        "outcome": row.outcome,
    }
    audit.record(
        actor=actor,
        action=action,
        target=row,
        service=row.service,
        before={"status": before},
        after={"status": row.status, **figures},
        reason=reason.strip(),
        evidence_digest=digest_of(figures),
    )


def _text(amount: object) -> str | None:
    return None if amount is None else str(amount)
