"""A service's configuration: changed by operators, audited with what it was before."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from ingest import audit
from ingest.errors import require_permission
from ingest.models import Service
from ingest.services import lock_service

CONFIGURABLE = (
    "name",
    "timezone",
    "grace_hours",
    "late_usage_policy",
    "required_clean_periods",
    "odoo_company_id",
    "is_resend_accepted",
    "is_batch_partial",
    "events_batch_max",
)


@transaction.atomic
def configure(
    *, service: Service, values: Mapping[str, Any], actor: User | None, rule: str = ""
) -> list[str]:
    """Sets the given configuration, validated; returns the names of what changed.

    `rule` says what asked for it when no person did, as in `audit.Decision`. Refuses who may not change services
    (`permission_denied`). Raises ValidationError for a wrong value and KeyError for a name that is no configuration.
    """
    require_permission(actor, "ingest.change_service")
    row = lock_service(service.pk)
    before = {name: getattr(row, name) for name in CONFIGURABLE}
    changed = [name for name, value in values.items() if before[name] != value]
    for name in changed:
        setattr(row, name, values[name])
    if not changed:
        return []
    row.full_clean()
    row.save(update_fields=changed)
    audit.record(
        actor=actor,
        action="service.configure",
        target=row,
        service=row,
        before={name: before[name] for name in changed},
        after={name: values[name] for name in changed},
        rule=rule,
    )
    return changed
