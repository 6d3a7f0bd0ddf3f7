"""The one writer of audit records."""

from collections.abc import Iterable, Mapping
from typing import Any, Required, TypedDict, Unpack

from django.contrib.auth.models import User

from ingest.models import AuditRecord, Service
from ingest.models.public import PublicModel

LABEL_LENGTH = 150
OBJECT_LABEL_LENGTH = 255


class Decision(TypedDict, total=False):
    """What is to be told of a decision; `rule` names what decided when no person did.

    Values in `before` and `after` are JSON-able; decimals are given as strings.
    """

    actor: Required[User | None]
    action: Required[str]
    target: Required[PublicModel]
    service: Service | None
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    reason: str
    evidence_digest: str
    rule: str


def record(**decision: Unpack[Decision]) -> AuditRecord:
    """Appends one record; call it in the transaction of the decision, so that both happen or neither does."""
    entry = _make(decision)
    entry.save(force_insert=True)
    return entry


def record_all(decisions: Iterable[Decision]) -> int:
    """Appends a record for each of many decisions in one statement, as `record` does; returns how many."""
    return len(AuditRecord.objects.bulk_create(map(_make, decisions)))


def _make(decision: Decision) -> AuditRecord:
    actor, target = decision["actor"], decision["target"]
    name = actor.get_full_name() or actor.get_username() if actor else decision.get("rule") or "console"
    return AuditRecord(
        actor=actor,
        actor_label=name[:LABEL_LENGTH],
        action=decision["action"],
        service=decision.get("service"),
        object_type=target._meta.label_lower,
        object_id=str(target.public_id),
        object_label=str(target)[:OBJECT_LABEL_LENGTH],
        before=dict(decision.get("before", {})),
        after=dict(decision.get("after", {})),
        reason=decision.get("reason", ""),
        evidence_digest=decision.get("evidence_digest", ""),
    )
