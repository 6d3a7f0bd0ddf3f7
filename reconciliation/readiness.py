"""Is a service ready to be cut over: the facts are read here, the pure room judges them."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Count, F, Min, OuterRef, Q, Subquery
from django.utils import timezone

from ingest.billers import billed_by
from ingest.models import Biller, Customer, Fee, Service
from reconciliation.comparison.readiness import PeriodFacts, Readiness, ReadinessFacts, assess
from reconciliation.models import Alarm, Outcome, Push, PushStatus, Reconciliation, Status


def read_readiness(*, service: Service, effective_date: date | None = None) -> Readiness:
    """The readiness of a service as it stands now; without a date, for the first day that could be asked for."""
    today = timezone.now().astimezone(ZoneInfo(service.timezone)).date()
    return assess(
        read_facts(service=service, effective_date=effective_date or _next_month(today)), today=today
    )


def read_facts(*, service: Service, effective_date: date) -> ReadinessFacts:
    """What the conditions are judged on: the closed periods with rows, oldest first, and what is undone."""
    periods = _periods(service)
    judged = [period.label for period in periods[-service.required_clean_periods :]]
    return ReadinessFacts(
        phase=service.phase,
        effective_date=effective_date,
        required_clean_periods=service.required_clean_periods,
        periods=tuple(periods),
        unlinked_customers=_unlinked(service, judged),
        unpushed_fees=_unpushed(service, judged),
        open_alarms=Alarm.objects.filter(service=service, cleared_at=None).count(),
    )


def _periods(service: Service) -> list[PeriodFacts]:
    rows = (
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
    return [
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


def _unlinked(service: Service, labels: list[str]) -> int:
    """Customers that will be billed, or were in the judged periods, and that Odoo does not know."""
    return (
        Customer.objects.filter(service=service, odoo_partner_id=None)
        .filter(
            Q(subscriptions__in=service.subscriptions.filter(terminated_at=None))
            | Q(reconciliations__period_label__in=labels)
        )
        .distinct()
        .count()
    )


def _unpushed(service: Service, labels: list[str]) -> int:
    """Fees of closed periods that Odoo does not have as they are: never pushed, or rated again since."""
    settled = Push.objects.filter(
        service=service,
        customer=OuterRef("subscription__customer"),
        currency=OuterRef("currency"),
        period_start=OuterRef("period_start"),
        period_end=OuterRef("period_end"),
        status=PushStatus.DONE,
    ).order_by("-version")
    closed_until = timezone.now() - timedelta(hours=service.grace_hours)
    fees = Fee.objects.filter(
        subscription__service=service, period_label__in=labels, period_end__lte=closed_until
    )
    return (
        billed_by(Biller.SERVICE, fees)
        .exclude(amount=0, quantity=0, events_count=0)
        .annotate(pushed_at=Subquery(settled.values("settled_at")[:1]))
        .filter(Q(pushed_at=None) | Q(rated_at__gt=F("pushed_at")))
        .count()
    )


def _next_month(today: date) -> date:
    return (today.replace(day=1) + timedelta(days=32)).replace(day=1)
