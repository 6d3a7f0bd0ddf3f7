"""The one writer of audit records."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User

from ingest.models import AuditRecord, Service
from ingest.models.public import PublicModel


def record(
    *,
    actor: User | None,
    action: str,
    target: PublicModel,
    service: Service | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
    evidence_digest: str = "",
    rule: str = "",
) -> AuditRecord:
    """Appends one record; call it in the transaction of the decision, so that both happen or neither does.

    `rule` names what decided when no person did. Values in `before` and `after` are JSON-able; decimals are
    given as strings.
    """
    return AuditRecord.objects.create(
        actor=actor,
        actor_label=(actor.get_full_name() or actor.get_username()) if actor else (rule or "console"),
        action=action,
        service=service,
        object_type=target._meta.label_lower,
        object_id=str(target.public_id),
        object_label=str(target)[:255],
        before=dict(before or {}),
        after=dict(after or {}),
        reason=reason,
        evidence_digest=evidence_digest,
    )
