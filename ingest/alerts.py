"""A subscription's alerts as its service keeps them: made, changed and deleted, audited (Lago: alerts)."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from ingest import audit
from ingest.errors import DomainError
from ingest.models import OF_A_METRIC, Metric, Subscription, UsageAlert

# What an insert or an update that breaks a constraint is refused with.
TAKEN: Mapping[str, str] = {
    "alert_code_once_per_subscription": "code_is_taken",
    "alert_type_once_per_subscription": "alert_exists",
    "alert_metric_once_per_subscription": "alert_exists",
}


def alerts_of(subscription: Subscription) -> QuerySet[UsageAlert]:
    """The alerts of all that runs under a subscription's external id."""
    return UsageAlert.objects.filter(
        service=subscription.service_id,
        external_subscription_id=subscription.external_id,
        deleted_at=None,
    ).select_related("metric", "service")


@transaction.atomic
def create_alerts(
    *, subscription: Subscription, alerts: Sequence[Mapping[str, Any]], rule: str
) -> list[UsageAlert]:
    """Makes alerts, all or none, audited; each of `alerts` has alert_type, code, name, thresholds and metric_code.

    Refuses `unknown_metric`, `metric_is_mandatory` and `metric_must_be_blank`, `code_is_taken`, and a second one of
    that type for the subscription or for a metric of it (`alert_exists`). The number of the one that is wrong is
    the error's `place`.
    """
    made = []
    for place, values in enumerate(alerts):
        try:
            made.append(_create(subscription, values, rule))
        except DomainError as error:
            raise AlertError(error, place) from error
    return made


class AlertError(DomainError):
    """One of several alerts cannot be made; `place` counts from zero."""

    def __init__(self, error: DomainError, place: int) -> None:
        super().__init__(error.code, error.message)
        self.place = place


@transaction.atomic
def change_alert(*, alert: UsageAlert, values: Mapping[str, Any], rule: str) -> UsageAlert:
    """Changes code, name, thresholds and metric_code as far as they are given, audited; as `create_alerts`.

    What its thresholds were crossed by already is not told again. Refuses `unknown_alert`.
    """
    row = _lock(alert)
    before = _describe(row)
    for name in ("code", "name", "thresholds"):
        if name in values:
            setattr(row, name, values[name])
    if values.get("metric_code"):
        row.metric = _find_metric(row.service_id, values["metric_code"])
    _refuse_metric(row)
    row.is_due = True
    _store(row)
    _record(row, "alert.change", rule, before=before, after=_describe(row))
    return row


@transaction.atomic
def delete_alert(*, alert: UsageAlert, rule: str) -> UsageAlert:
    """Deletes an alert, audited: nothing more is told of it. Refuses `unknown_alert`."""
    row = _lock(alert)
    row.deleted_at = timezone.now()
    row.save(update_fields=["deleted_at"])
    _record(row, "alert.delete", rule, before=_describe(row))
    return row


@transaction.atomic
def delete_alerts(*, subscription: Subscription, rule: str) -> None:
    """Deletes all alerts of a subscription, each audited."""
    for alert in alerts_of(subscription).order_by("pk"):
        delete_alert(alert=alert, rule=rule)


def _create(subscription: Subscription, values: Mapping[str, Any], rule: str) -> UsageAlert:
    row = UsageAlert(
        service=subscription.customer.service,
        external_subscription_id=subscription.external_id,
        alert_type=values["alert_type"],
        code=values["code"],
        name=values.get("name", ""),
        thresholds=values["thresholds"],
    )
    if values.get("metric_code"):
        row.metric = _find_metric(subscription.service_id, values["metric_code"])
    _refuse_metric(row)
    _store(row)
    _record(row, "alert.create", rule, after=_describe(row))
    return row


def _lock(alert: UsageAlert) -> UsageAlert:
    rows = UsageAlert.objects.select_for_update(of=("self",)).select_related("metric", "service")
    row = rows.filter(pk=alert.pk, deleted_at=None).first()
    if row is None:
        raise DomainError("unknown_alert", "There is no such alert.")
    return row


def _find_metric(service_id: int, code: str) -> Metric:
    metric = Metric.objects.filter(service=service_id, code=code, deleted_at=None).first()
    if metric is None:
        raise DomainError("unknown_metric", "There is no such metric.")
    return metric


def _refuse_metric(alert: UsageAlert) -> None:
    if alert.alert_type in OF_A_METRIC and alert.metric is None:
        raise DomainError("metric_is_mandatory", "An alert of this type watches one metric.")
    if alert.alert_type not in OF_A_METRIC and alert.metric is not None:
        raise DomainError("metric_must_be_blank", "An alert of this type watches no metric of its own.")


def _store(alert: UsageAlert) -> None:
    try:
        with transaction.atomic():
            alert.save()
    except IntegrityError as error:
        code = next((code for name, code in TAKEN.items() if name in str(error)), "")
        if not code:
            raise
        raise DomainError(code, "The subscription has such an alert already.") from error


def _describe(alert: UsageAlert) -> dict[str, Any]:
    return {
        "subscription": alert.external_subscription_id,
        "code": alert.code,
        "name": alert.name,
        "alert_type": alert.alert_type,
        "metric": alert.metric.code if alert.metric else None,
        "thresholds": alert.thresholds,
    }


def _record(
    alert: UsageAlert,
    action: str,
    rule: str,
    *,
    before: Mapping[str, Any] = MappingProxyType({}),
    after: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    audit.record(
        actor=None, action=action, target=alert, service=alert.service, before=before, after=after, rule=rule
    )
