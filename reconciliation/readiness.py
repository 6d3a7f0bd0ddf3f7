"""Is a service ready to be cut over: the facts are read here, the pure room judges them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Count, Min, Q, Sum
from django.utils import timezone

from ingest.billers import billed_by
from ingest.calendar import newest_closed_periods, running_subscriptions
from ingest.metering.periods import Period
from ingest.models import Biller, Charge, Customer, Fee, Plan, Service
from ingest.prices import current
from ingest.rated_periods import find_unrated
from reconciliation.comparison.readiness import PeriodFacts, Readiness, ReadinessFacts, assess
from reconciliation.held_fees import NOTHING, count_unpushed
from reconciliation.models import Alarm, Amount, Outcome, Reconciliation, Status
from reconciliation.rules import read_loosenings, read_rules


def read_readiness(*, service: Service, effective_date: date | None = None) -> Readiness:
    """The readiness of a service as it stands now; without a date, for the first day that could be asked for."""
    today = timezone.localdate(timezone=ZoneInfo(service.timezone))
    return assess(
        read_facts(service=service, effective_date=effective_date or _next_month(today)), today=today
    )


def read_facts(*, service: Service, effective_date: date) -> ReadinessFacts:
    """What the conditions are judged on: the closed periods, oldest first, and what is undone."""
    closed_until, newest = _closed_until(service), _newest_of_calendars(service)
    periods = _periods(service, newest, closed_until)
    judged = _judged(service, periods, newest)
    return ReadinessFacts(
        phase=service.phase,
        effective_date=effective_date,
        required_clean_periods=service.required_clean_periods,
        periods=tuple(periods),
        also_judged=tuple(sorted({period.label for period in newest})),
        unlinked_customers=_unlinked(service, judged),
        unpushed_fees=count_unpushed(service=service, labels=judged, closed_until=closed_until),
        unmapped=tuple(_unmapped(service)),
        open_alarms=Alarm.objects.filter(service=service, cleared_at=None).count(),
        rules=read_rules(service),
        loosened=tuple(map(str, read_loosenings(service))),
    )


def judged_labels(service: Service) -> list[str]:
    """The newest closed periods of every calendar, as many as have to be clean, whatever was made of them yet."""
    newest = _newest_of_calendars(service)
    return _judged(service, _periods(service, newest, _closed_until(service)), newest)


def _judged(service: Service, periods: Sequence[PeriodFacts], newest: Collection[Period]) -> list[str]:
    known = {period.label for period in periods[-service.required_clean_periods :]}
    return sorted(known | {period.label for period in newest})


def _newest_of_calendars(service: Service) -> set[Period]:
    now, count = timezone.now(), service.required_clean_periods
    return newest_closed_periods(service=service, now=now, count=count)


def _closed_until(service: Service) -> datetime:
    return timezone.now() - timedelta(hours=service.grace_hours)


def _periods(service: Service, newest: Collection[Period], closed_until: datetime) -> list[PeriodFacts]:
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
            versions=Sum("version"),
        )
        .order_by()
    )
    starts = {row["period_label"]: row["start"] for row in rows}
    facts = {
        row["period_label"]: PeriodFacts(
            label=row["period_label"],
            rows=row["rows"],
            open_deltas=row["open_deltas"],
            missing=row["missing"],
            matched=row["matched"],
            resolved=row["resolved"],
            versions=row["versions"],
        )
        for row in rows
    }
    unjudged = _unjudged(service, starts, newest, closed_until)
    facts |= {label: PeriodFacts(label, 0, 0, 0, 0, 0) for label in unjudged}
    starts |= unjudged
    return [facts[label] for label in sorted(facts, key=lambda label: (starts[label], label))]


def _unjudged(
    service: Service, judged: Mapping[str, datetime], newest: Collection[Period], closed_until: datetime
) -> dict[str, datetime]:
    """Closed periods without a row that hold fees or amounts, or that nobody metered and rated: with their starts.

    Not judged is not clean. Periods before all those that have to be clean are left out.
    """
    missing = [period for period in newest if period.label not in judged]
    found = [(each.label, each.start) for each in find_unrated(service=service, periods=missing)]
    since = sorted(judged.values())[-service.required_clean_periods :]
    recent = (
        Q(period_label__in={each.label for each in missing}) | Q(period_start__gt=since[0]) if since else Q()
    )
    fees = billed_by(
        Biller.SERVICE,
        Fee.objects.filter(subscription__service=service)
        .exclude(NOTHING)
        .exclude(billed_amount=0, quantity=0),
    )
    amounts = Amount.objects.filter(service=service, is_current=True)
    for held in (fees, amounts):
        rows = held.filter(recent, period_end__lte=closed_until).exclude(period_label__in=list(judged))
        found += rows.values_list("period_label").annotate(start=Min("period_start")).order_by()
    starts: dict[str, datetime] = {}
    for label, start in found:
        starts[label] = min(start, starts.get(label, start))
    return starts


def _unlinked(service: Service, labels: list[str]) -> int:
    """Customers that will be billed, or were in the judged periods, and that Odoo does not know."""
    running = running_subscriptions(service, timezone.now())
    return (
        Customer.objects.filter(service=service, odoo_partner_id=None)
        .filter(Q(subscriptions__in=running) | Q(reconciliations__period_label__in=labels))
        .distinct()
        .count()
    )


def _unmapped(service: Service) -> list[str]:
    """What running subscriptions are sold and Odoo has no product for: charges, and plans with an amount.

    A plan's base amount and its minimum commitment are billed as the plan's product.
    """
    now = timezone.now()
    sold = Plan.objects.filter(subscriptions__in=running_subscriptions(service, now)).distinct()
    charges = Charge.objects.filter(plan__in=sold, deleted_at=None, odoo_product_id=None)
    names = [str(charge) for charge in charges.select_related("metric", "plan").order_by("plan__name", "pk")]
    for plan in sold.filter(odoo_product_id=None).prefetch_related("versions").order_by("name", "pk"):
        version = current(list(plan.versions.all()), now)
        if version is not None and (version.amount or version.minimum_commitment):
            names.append(str(plan))
    return names


def _next_month(today: date) -> date:
    return (today.replace(day=1) + timedelta(days=32)).replace(day=1)
