"""The ids that a service's things had in Lago, and what Lago said of them last."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from ingest import audit
from ingest.models import LagoId, LagoKind
from ingest.models.public import PublicModel


def find_lago_id(*, service_id: int, kind: LagoKind, lago_id: UUID) -> LagoId | None:
    """What is known under an id of Lago's."""
    return LagoId.objects.filter(service=service_id, kind=kind, lago_id=lago_id).first()


def find_public_ids(*, service_id: int, kind: LagoKind, lago_ids: Iterable[UUID]) -> Mapping[UUID, UUID]:
    """Our public ids by Lago's ids, of those that are known."""
    known = LagoId.objects.filter(service=service_id, kind=kind, lago_id__in=list(lago_ids))
    return dict(known.values_list("lago_id", "public_id"))


def link_lago_id(
    *, row: PublicModel, service_id: int, kind: LagoKind, lago_id: UUID, digest: str = "", rule: str
) -> None:
    """Keeps which row an id of Lago's is, audited when that is new, and the digest of what was taken over."""
    known, is_new = LagoId.objects.update_or_create(
        service_id=service_id,
        kind=kind,
        lago_id=lago_id,
        defaults={"public_id": row.public_id, "digest": digest},
    )
    if is_new:
        audit.record(
            actor=None,
            action=f"{kind.value}.link_lago",
            target=row,
            service=known.service,
            after={"lago_id": str(lago_id)},
            rule=rule,
        )
