"""Alarms: raised once per record, cleared when what raised them is gone."""

from collections.abc import Collection

from django.db import transaction
from django.utils import timezone

from ingest import audit
from ingest.models import Service
from reconciliation.models import Alarm, AlarmKind


@transaction.atomic(savepoint=False)
def raise_alarm(*, kind: AlarmKind, service: Service, reference: str, message: str) -> Alarm:
    """The open alarm of this kind on this record, raised and audited when there was none."""
    alarm, is_new = Alarm.objects.get_or_create(
        kind=kind, reference=reference, cleared_at=None, defaults={"service": service, "message": message}
    )
    if is_new:
        audit.record(
            actor=None, action="alarm.raise", target=alarm, service=service, reason=message, rule=str(kind)
        )
    return alarm


def clear_alarms(*, kind: AlarmKind, references: Collection[str]) -> None:
    """Closes the open alarms on these records, of which there are few or none."""
    found = Alarm.objects.filter(kind=kind, reference__in=references, cleared_at=None)
    for reference in found.values_list("reference", flat=True):
        clear_alarm(kind=kind, reference=reference)


@transaction.atomic(savepoint=False)
def clear_alarm(*, kind: AlarmKind, reference: str) -> None:
    """Closes the open alarm on this record, if there is one, because the fact behind it is gone."""
    alarm = Alarm.objects.select_for_update().filter(kind=kind, reference=reference, cleared_at=None).first()
    if alarm is None:
        return
    alarm.cleared_at = timezone.now()
    alarm.save(update_fields=["cleared_at"])
    audit.record(actor=None, action="alarm.clear", target=alarm, service=alarm.service, rule=str(kind))
