"""What people decide about single pushes: to try one again, or to give it up."""

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from ingest import audit
from ingest.errors import DomainError, require_permission
from ingest.services import lock_service
from reconciliation.intents import queue_again
from reconciliation.models import Push, PushStatus
from reconciliation.models.push import WAITING
from reconciliation.push_moves import has_newer

PERMISSION = "reconciliation.retry_push"


@transaction.atomic
def retry(*, push_id: int, actor: User) -> Push:
    """Puts a failed push back into the queue, audited.

    Refuses any other (`not_failed`), and one that a newer version stands for (`superseded`): sending the
    older one would take the newer one back.
    """
    push = _lock(push_id, actor)
    if push.status != PushStatus.FAILED:
        raise DomainError("not_failed", "Only a failed push can be retried.")
    if has_newer(push):
        raise DomainError("superseded", "A newer version of this was pushed: this one is history.")
    before = {"status": push.status, "error": push.error}
    queue_again([push])
    push.refresh_from_db()
    _record(push, actor, "push.retry", before, "")
    return push


@transaction.atomic
def give_up(*, push_id: int, actor: User, reason: str) -> Push:
    """Takes a push that waits or has failed out of the queue for good, audited with the reason.

    What Odoo held before it still holds. The schedule leaves it alone until its figures change; a person may push
    it again. Refuses what is on its way, where only a read-back tells what became of it, and what is over
    (`not_waiting`), and no reason (`reason_required`).
    """
    push = _lock(push_id, actor)
    if not reason.strip():
        raise DomainError("reason_required", "Say why it is given up.")
    if push.status not in WAITING:
        raise DomainError("not_waiting", "Only a push that waits or has failed can be given up.")
    before = {"status": push.status, "error": push.error}
    push.status, push.settled_at = PushStatus.CANCELED, timezone.now()
    push.error_code, push.error = "given_up", reason.strip()
    push.save(update_fields=["status", "settled_at", "error_code", "error"])
    _record(push, actor, "push.give_up", before, reason.strip())
    return push


def _lock(push_id: int, actor: User) -> Push:
    require_permission(actor, PERMISSION)
    # Claims and settlements change pushes under the same lock.
    lock_service(Push.objects.values_list("service", flat=True).get(pk=push_id))
    return Push.objects.select_related("service", "customer").get(pk=push_id)


def _record(push: Push, actor: User, action: str, before: dict[str, str], reason: str) -> None:
    audit.record(
        actor=actor,
        action=action,
        target=push,
        service=push.service,
        before=before,
        after={"status": push.status},
        reason=reason,
        evidence_digest=push.digest,
    )
