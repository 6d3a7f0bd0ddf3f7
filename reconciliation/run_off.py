"""What a service bills after its switch: for a period that Odoo bills it would be billed twice, and is an alarm."""

from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from ingest.models import Biller, BillerTerm, Service, Subscription
from reconciliation import alarms
from reconciliation.models import Alarm, AlarmKind, Amount, Side

KIND = AlarmKind.BILLED_AFTER_SWITCH


def watch(*, service: Service, period_label: str, bounds: tuple[datetime, datetime]) -> None:
    """Raises an alarm for each document of a period that Odoo bills, and clears those that have gone.

    Documents for periods that began before the switch are expected run-off. Call it in the transaction that
    judges the period.
    """
    prefix = f"{service.code}/{period_label}/"
    found = {
        f"{prefix}{amount.customer_id}/{amount.currency}": amount
        for amount in _read(service, bounds, period_label)
    }
    for reference, amount in found.items():
        message = (
            f"{service} billed {amount.customer} for {period_label}, a period that Odoo bills since the switch."
            " Stop it at the service and credit it."
        )
        alarms.raise_alarm(kind=KIND, service=service, reference=reference, message=message)
    for alarm in Alarm.objects.filter(kind=KIND, reference__startswith=prefix, cleared_at=None):
        if alarm.reference not in found:
            alarms.clear_alarm(kind=KIND, reference=alarm.reference)


def _read(service: Service, bounds: tuple[datetime, datetime], period_label: str) -> QuerySet[Amount]:
    """Amounts above nothing of customers whose every running subscription Odoo bills from then on."""
    term = BillerTerm.objects.filter(
        subscription=OuterRef("pk"), starts_at__lte=OuterRef(OuterRef("period_start"))
    ).order_by("-starts_at")
    running = (
        Subscription.objects.filter(
            customer=OuterRef("customer"), started_at__lt=OuterRef("period_end"), canceled_at=None
        )
        .filter(Q(terminated_at=None) | Q(terminated_at__gt=OuterRef("period_start")))
        .annotate(biller=Coalesce(Subquery(term.values("biller")[:1]), Value(Biller.SERVICE.value)))
    )
    amounts = Amount.objects.filter(
        service=service,
        side=Side.EXTERNAL,
        is_current=True,
        period_label=period_label,
        period_start__range=bounds,
    ).filter(Q(untaxed__gt=0) | Q(total__gt=0))
    return amounts.filter(
        Exists(running.filter(biller=Biller.ODOO)), ~Exists(running.filter(biller=Biller.SERVICE))
    ).select_related("customer")
