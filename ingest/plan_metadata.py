"""What a service notes of a plan: texts by keys, replaced, merged or taken away (Lago: metadata)."""

from collections.abc import Mapping

from django.db import transaction

from ingest import audit
from ingest.errors import DomainError
from ingest.models import Plan
from ingest.plans import lock_plan

Metadata = Mapping[str, str | None]


@transaction.atomic
def replace_metadata(*, plan: Plan, values: Metadata | None, rule: str) -> Metadata | None:
    """Keeps these instead of what was noted, or nothing for None; audited. Refuses `unknown_plan`."""
    row, _ = lock_plan(plan)
    return _keep(row, values, rule)


@transaction.atomic
def merge_metadata(*, plan: Plan, values: Metadata, rule: str, most: int) -> Metadata | None:
    """Keeps these beside what was noted under other keys, audited.

    Refuses `unknown_plan`, and more than `most` of them together (`too_many_keys`).
    """
    row, _ = lock_plan(plan)
    merged = {**(row.metadata or {}), **values}
    if len(merged) > most:
        raise DomainError("too_many_keys", f"At most {most} things can be noted of a plan.")
    return _keep(row, merged, rule) if values else row.metadata


@transaction.atomic
def delete_metadata_key(*, plan: Plan, key: str, rule: str) -> Metadata | None:
    """Forgets what was noted under a key, audited. Refuses `unknown_metadata` where nothing was noted at all."""
    row, _ = lock_plan(plan)
    if row.metadata is None:
        raise DomainError("unknown_metadata", "Nothing was noted of this plan.")
    return _keep(row, {name: text for name, text in row.metadata.items() if name != key}, rule)


def _keep(plan: Plan, values: Metadata | None, rule: str) -> Metadata | None:
    before = plan.metadata
    if values != before:
        plan.metadata = values
        plan.save(update_fields=["metadata"])
        audit.record(
            actor=None,
            action="plan.change",
            target=plan,
            service=plan.service,
            before={"metadata": before},
            after={"metadata": values},
            rule=rule,
        )
    return values
