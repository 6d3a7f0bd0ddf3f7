"""Usage that is not on its order when Odoo invoices it would be billed a period late: an alarm, in time to act.

Odoo invoices a subscription's order on its `next_invoice_date`, which is read and never written. Usage of an ended
period has to be there by the first such date from its end on.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db.models import Q

from ingest.billers import billed_by
from ingest.calendar import customer_timezone
from ingest.models import Biller, Fee, FeeKind, Service
from reconciliation import alarms
from reconciliation.models import Alarm, AlarmKind, OdooOrder, Push, PushKind, PushStatus

KIND = AlarmKind.USAGE_NOT_IN_ODOO
# How long before the invoicing run the alarm is raised.
LEAD = timedelta(days=1)
# Older periods are told of by the reconciliation's rows.
LOOKED_BACK = timedelta(days=100)


def watch(*, service: Service, now: datetime) -> int:
    """Raises an alarm for each subscription's ended period whose usage should be in Odoo by now, and is not.

    Clears those that are gone. Returns how many are open.
    """
    late = _find_late(service, now)
    for reference, message in late.items():
        alarms.raise_alarm(kind=KIND, service=service, reference=reference, message=message)
    gone = Alarm.objects.filter(kind=KIND, service=service, cleared_at=None).exclude(reference__in=late)
    alarms.clear_alarms(kind=KIND, references=list(gone.values_list("reference", flat=True)))
    return len(late)


def _find_late(service: Service, now: datetime) -> dict[str, str]:
    fees = list(_read_fees(service, now))
    held = _read_held(service, fees)
    dates = _read_dates(fees)
    late: dict[str, str] = {}
    for fee in fees:
        if held.get(fee.public_id.hex) == fee.billed_amount:
            continue
        due = _find_due(fee, dates.get(fee.subscription.odoo_order_id or 0))
        if now >= due - LEAD:
            reference = f"{fee.subscription.public_id}/{fee.period_label}"
            late[reference] = (
                f"Usage of {fee.subscription.customer} for {fee.period_label} is not on its order in Odoo, which"
                f" invoices it on {due:%Y-%m-%d}: push it before, or it is billed a period late."
            )
    return late


def _read_fees(service: Service, now: datetime) -> Iterable[Fee]:
    ended = Q(period_end__lte=now, period_end__gt=now - LOOKED_BACK)
    fees = Fee.objects.filter(ended, subscription__service=service).exclude(kind=FeeKind.PLAN)
    return billed_by(Biller.ODOO, fees.exclude(billed_amount=0)).select_related(
        "subscription__customer__service"
    )


def _read_held(service: Service, fees: Iterable[Fee]) -> Mapping[str, Decimal]:
    """What the newest settled push of each order's period holds, by fee."""
    labels = {fee.period_label for fee in fees}
    done = Push.objects.filter(
        kind=PushKind.ORDER_LINES, service=service, period_label__in=labels, status=PushStatus.DONE
    )
    payloads = done.order_by("key", "-version").distinct("key").values_list("payload", flat=True)
    return {line["key"]: Decimal(line["amount"]) for payload in payloads for line in payload["usage_lines"]}


def _read_dates(fees: Iterable[Fee]) -> dict[int, date | None]:
    orders = [fee.subscription.odoo_order_id for fee in fees if fee.subscription.odoo_order_id]
    return dict(OdooOrder.objects.filter(odoo_id__in=orders).values_list("odoo_id", "next_invoice_date"))


def _find_due(fee: Fee, next_date: date | None) -> datetime:
    """The invoicing run that bills a period: Odoo's next one, unless that is the next period's already."""
    zone = customer_timezone(fee.subscription.customer)
    end = fee.period_end.astimezone(zone)
    length = fee.period_end - fee.period_start
    if next_date is None or not end.date() <= next_date < (end + length).date():
        return end
    return datetime(next_date.year, next_date.month, next_date.day, tzinfo=zone)
