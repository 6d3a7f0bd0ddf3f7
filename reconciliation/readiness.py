"""Is a service ready to be cut over: the facts are read here, the pure room judges them."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Count, Min, Q
from django.utils import timezone

from ingest.billers import billed_by
from ingest.calendar import newest_closed_labels, running_subscriptions
from ingest.models import Biller, Customer, Fee, Service
from reconciliation.comparison.readiness import PeriodFacts, Readiness, ReadinessFacts, assess
from reconciliation.held_fees import NOTHING, count_unpushed
from reconciliation.models import Alarm, Amount, Outcome, Reconciliation, Status


def read_readiness(*, service: Service, effective_date: date | None = None) -> Readiness:
    """The readiness of a service as it stands now; without a date, for the first day that could be asked for."""
    today = timezone.localdate(timezone=ZoneInfo(service.timezone))
    return assess(
        read_facts(service=service, effective_date=effective_date or _next_month(today)), today=today
    )


def read_facts(*, service: Service, effective_date: date) -> ReadinessFacts:
    """What the conditions are judged on: the closed periods, oldest first, and what is undone."""
    closed_until = _closed_until(service)
    periods = _periods(service, closed_until)
    of_calendars = _newest_of_calendars(service)
    judged = _judged(service, periods, of_calendars)
    return ReadinessFacts(
        phase=service.phase,
        effective_date=effective_date,
        required_clean_periods=service.required_clean_periods,
        periods=tuple(periods),
        also_judged=tuple(sorted(of_calendars)),
        unlinked_customers=_unlinked(service, judged),
        unpushed_fees=count_unpushed(service=service, labels=judged, closed_until=closed_until),
        open_alarms=Alarm.objects.filter(service=service, cleared_at=None).count(),
    )


def judged_labels(service: Service) -> list[str]:
    """The newest closed periods of every calendar, as many as have to be clean."""
    return _judged(service, _periods(service, _closed_until(service)), _newest_of_calendars(service))


def _judged(service: Service, periods: Sequence[PeriodFacts], of_calendars: set[str]) -> list[str]:
    newest = {period.label for period in periods[-service.required_clean_periods :]}
    return [period.label for period in periods if period.label in newest | of_calendars]


def _newest_of_calendars(service: Service) -> set[str]:
    now, count = timezone.now(), service.required_clean_periods
    return newest_closed_labels(service=service, now=now, count=count)


def _closed_until(service: Service) -> datetime:
    return timezone.now() - timedelta(hours=service.grace_hours)


def _periods(service: Service, closed_until: datetime) -> list[PeriodFacts]:
    rows = list(
        Reconciliation.objects.filter(service=service)
        .values("period_label")
        .annotate(
            start=Min("period_start"),
            rows=Count("pk"),
            open_deltas=Count("pk", filter=Q(status=Status.DELTA, outcome=Outcome.COMPARED)),
            missing=Count("pk", filter=Q(status=Status.DELTA) & ~Q(outcome=Outcome.COMPARED)),
            matched=Count("pk", filter=Q(status=Status.MATCH)),
            resolved=Count("pk", filter=Q(status=Status.RESOLVED)),
        )
        .order_by("start", "period_label")
    )
    judged = [
        PeriodFacts(
            label=row["period_label"],
            rows=row["rows"],
            open_deltas=row["open_deltas"],
            missing=row["missing"],
            matched=row["matched"],
            resolved=row["resolved"],
        )
        for row in rows
    ]
    return judged + _unjudged(service, rows[-1]["start"] if rows else None, closed_until)


def _unjudged(service: Service, newest: datetime | None, closed_until: datetime) -> list[PeriodFacts]:
    """Periods that closed after the newest one with rows and hold fees or amounts: not judged is not clean."""
    fees = billed_by(
        Biller.SERVICE,
        Fee.objects.filter(subscription__service=service)
        .exclude(NOTHING)
        .exclude(billed_amount=0, quantity=0),
    )
    amounts = Amount.objects.filter(service=service, is_current=True)
    starts: dict[str, datetime] = {}
    for found in (fees, amounts):
        later = found.filter(period_end__lte=closed_until)
        if newest is not None:
            later = later.filter(period_start__gt=newest)
        for row in later.values("period_label").annotate(start=Min("period_start")).order_by():
            starts[row["period_label"]] = min(row["start"], starts.get(row["period_label"], row["start"]))
    return [PeriodFacts(label, 0, 0, 0, 0, 0) for label in sorted(starts, key=lambda label: starts[label])]


def _unlinked(service: Service, labels: list[str]) -> int:
    """Customers that will be billed, or were in the judged periods, and that Odoo does not know."""
    running = running_subscriptions(service, timezone.now())
    return (
        Customer.objects.filter(service=service, odoo_partner_id=None)
        .filter(Q(subscriptions__in=running) | Q(reconciliations__period_label__in=labels))
        .distinct()
        .count()
    )


def _next_month(today: date) -> date:
    return (today.replace(day=1) + timedelta(days=32)).replace(day=1)
