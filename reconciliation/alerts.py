"""Services are told when a subscription's usage crosses what they watch (Lago: alert.triggered)."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from ingest.alert_checks import Measured, check_alert, find_waiting, measure
from ingest.models import TriggeredAlert, UsageAlert
from reconciliation.webhooks import announce

Show = Callable[[TriggeredAlert], Mapping[str, Any]]


def check_alerts(*, now: datetime, show: Show) -> int:
    """Looks at the usage that alerts wait for, and tells which thresholds it crossed; returns how many messages.

    What was crossed and its message are kept together: neither is without the other, however this ends.
    """
    messages = 0
    for (service_id, external_id), alerts in find_waiting(now=now).items():
        measured = measure(service_id=service_id, external_subscription_id=external_id, now=now)
        messages += sum(_check(alert, measured, now, show) for alert in alerts)
    return messages


@transaction.atomic
def _check(alert: UsageAlert, measured: Measured | None, now: datetime, show: Show) -> int:
    triggered = check_alert(alert=alert, measured=measured, now=now)
    if triggered is None:
        return 0
    return len(
        announce(
            service=triggered.alert.service,
            webhook_type="alert.triggered",
            object_type="triggered_alert",
            payload=show(triggered),
        )
    )
