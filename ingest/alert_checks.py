"""Looks at what subscriptions use, and says which alerts' thresholds that crossed, each once in a period."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Max, Q

from ingest.charge_usage import PeriodUsage, read_current_usage
from ingest.errors import DomainError
from ingest.lifetime_usage import read_lifetime_usage
from ingest.metering.arithmetic import ZERO, exact_sum
from ingest.metering.thresholds import find_crossed
from ingest.models import AlertType, Subscription, TriggeredAlert, UsageAlert, UsageEvent
from ingest.rating.money import to_cents
from ingest.terminations import in_status

logger = structlog.get_logger(__name__)

# Events that arrived within this time are looked for: a sweep may be late.
RECENT = timedelta(minutes=5)
# How long an event may take to commit once it was received.
LATEST_COMMIT = timedelta(minutes=1)
# And all of it this often: a period begins, or a price changes, without any event.
LONGEST_UNSEEN = timedelta(hours=1)


@dataclass(frozen=True)
class Measured:
    """A subscription that alerts are about, and what it uses as of an instant; measured as far as it is asked for."""

    subscription: Subscription
    usage: PeriodUsage
    now: datetime

    @cached_property
    def lifetime(self) -> Decimal:
        """All usage since the start, in minor units."""
        read = read_lifetime_usage(subscription=self.subscription, now=self.now)
        amount = to_cents(exact_sum((read.invoiced, read.current)), self.usage.currency)
        return Decimal(read.historical_cents + amount)

    def value_of(self, alert: UsageAlert) -> Decimal | None:
        """What an alert watches; None for a metric that the plan does not charge for."""
        return VALUES[AlertType(alert.alert_type)](self, alert)


def find_waiting(*, now: datetime) -> dict[tuple[int, str], list[UsageAlert]]:
    """The alerts to look at, by service and external subscription id.

    Those that are new or changed, those not looked at for an hour, and those whose subscription was sent events.
    """
    kept = UsageAlert.objects.filter(deleted_at=None)
    is_due = Q(is_due=True) | Q(last_processed_at__lt=now - LONGEST_UNSEEN) | Q(last_processed_at=None)
    found = {alert.pk: alert for alert in kept.filter(is_due)}
    for service_id in kept.values_list("service", flat=True).distinct().order_by():
        own = kept.filter(service=service_id)
        sent = UsageEvent.objects.filter(
            service=service_id,
            received_at__gt=now - RECENT,
            external_subscription_id__in=own.values("external_subscription_id"),
        )
        latest = dict(sent.values_list("external_subscription_id").annotate(Max("received_at")).order_by())
        found |= {
            alert.pk: alert
            for alert in own.filter(external_subscription_id__in=latest)
            if alert.last_processed_at is None
            or latest[alert.external_subscription_id] > alert.last_processed_at - LATEST_COMMIT
        }
    waiting: dict[tuple[int, str], list[UsageAlert]] = defaultdict(list)
    for alert in found.values():
        waiting[alert.service_id, alert.external_subscription_id].append(alert)
    return waiting


def measure(*, service_id: int, external_subscription_id: str, now: datetime) -> Measured | None:
    """What the active subscription of that id uses; None where none is active, or it cannot be priced."""
    rows = Subscription.objects.select_related("plan", "customer__service")
    subscription = rows.filter(
        in_status("active", now), service=service_id, external_id=external_subscription_id
    ).first()
    if subscription is None:
        return None
    try:
        usage = read_current_usage(subscription=subscription, now=now)
    except DomainError as error:
        logger.warning("alert_not_measured", subscription=str(subscription.public_id), code=error.code)
        return None
    return Measured(subscription, usage, now) if usage else None


@transaction.atomic
def check_alert(*, alert: UsageAlert, measured: Measured | None, now: datetime) -> TriggeredAlert | None:
    """Keeps what the usage is now, and which thresholds it crossed since it was last looked at, if any.

    In a new period usage begins at zero, and each threshold can be crossed again; what was used in all its life does
    not. Several thresholds that were crossed at once are one message.
    """
    row = UsageAlert.objects.select_for_update(of=("self",)).get(pk=alert.pk)
    value = measured.value_of(row) if measured else None
    triggered = None
    if measured is not None and value is not None:
        is_lifelong = row.alert_type == AlertType.LIFETIME_AMOUNT
        is_new_period = row.period_start is not None and row.period_start < measured.usage.start
        previous = ZERO if is_new_period and not is_lifelong else row.previous_value
        crossed = _list_crossed(row.thresholds, previous, value)
        if crossed:
            triggered = TriggeredAlert.objects.create(
                alert=row,
                subscription=measured.subscription,
                current_value=value,
                previous_value=previous,
                crossed_thresholds=crossed,
                triggered_at=now,
            )
        row.previous_value, row.period_start = value, measured.usage.start
    row.last_processed_at, row.is_due = now, False
    row.save(update_fields=["previous_value", "period_start", "last_processed_at", "is_due"])
    return triggered


def _list_crossed(
    thresholds: Sequence[dict[str, Any]], previous: Decimal, current: Decimal
) -> list[dict[str, Any]]:
    once = [each for each in thresholds if not each["recurring"]]
    recurring = next((each for each in thresholds if each["recurring"]), None)
    values, steps = find_crossed(
        previous=previous,
        current=current,
        once=[Decimal(each["value"]) for each in once],
        step=Decimal(recurring["value"]) if recurring else None,
    )
    crossed = [each for each in once if Decimal(each["value"]) in values]
    crossed.sort(key=lambda each: Decimal(each["value"]))
    return crossed + [
        {"code": recurring["code"] if recurring else None, "value": str(value), "recurring": True}
        for value in steps
    ]


def _amount(measured: Measured, alert: UsageAlert) -> Decimal:
    return _cents(measured, measured.usage.charges)


def _metric_amount(measured: Measured, alert: UsageAlert) -> Decimal | None:
    charges = _of_metric(measured, alert)
    return _cents(measured, charges) if charges else None


def _metric_units(measured: Measured, alert: UsageAlert) -> Decimal | None:
    charges = _of_metric(measured, alert)
    return exact_sum(each.whole.units for each in charges) if charges else None


def _of_metric(measured: Measured, alert: UsageAlert) -> list[Any]:
    return [each for each in measured.usage.charges if each.charge.metric_id == alert.metric_id]


def _cents(measured: Measured, charges: Iterable[Any]) -> Decimal:
    amount = exact_sum(each.whole.amount for each in charges)
    return Decimal(to_cents(amount, measured.usage.currency))


VALUES: dict[AlertType, Callable[[Measured, UsageAlert], Decimal | None]] = {
    AlertType.CURRENT_AMOUNT: _amount,
    AlertType.METRIC_AMOUNT: _metric_amount,
    AlertType.METRIC_UNITS: _metric_units,
    AlertType.LIFETIME_AMOUNT: lambda measured, _: measured.lifetime,
}
