"""A service that is ready for its cutover: August and September clean on both sides, everything linked and pushed."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from ingest.errors import DomainError
from ingest.models import AuditRecord, BillerTerm, Phase, Service
from ingest.rated_periods import meter_and_rate
from reconciliation import cutover
from reconciliation.models import CutoverRequest, Delivery
from reconciliation.readiness import judged_labels, read_readiness
from reconciliation.reconcile import reconcile_period
from tests import factories
from tests.ingest.selling import add_charge, make_subscription, post
from tests.reconciliation.sides import external, odoo, push_all

TODAY = datetime(2026, 10, 3, 12, tzinfo=UTC)
EFFECTIVE = date(2026, 11, 1)
NOVEMBER = datetime(2026, 11, 1, tzinfo=UTC)
DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)
STARTS = {month: datetime(2026, month, 1, tzinfo=UTC) for month in range(6, 13)}


def period(month, zone=UTC):
    """The columns of a month of 2026."""
    return {
        "period_label": f"2026-{month:02}",
        "period_start": STARTS[month].replace(tzinfo=zone),
        "period_end": STARTS[month + 1].replace(tzinfo=zone),
    }


def bill_both(customer, month, odoo_amount="100.00", external_amount="100.00"):
    """Both sides' documents for a month."""
    columns = period(month, ZoneInfo(customer.service.timezone))
    return odoo(customer, odoo_amount, **columns), external(customer, external_amount, **columns)


def judge_month(service, month):
    reconcile_period(service=service, period_label=f"2026-{month:02}", now=TODAY)


def subscribe(customer, **values):
    """A subscription whose plan costs nothing by itself and charges 0.05 for each unit of usage."""
    subscription = make_subscription(service=customer.service, customer=customer, **values)
    code = f"api_{subscription.pk}"
    add_charge(subscription, code=code)
    return subscription


def use(subscription, month, units="2000"):
    """One event on the tenth of a month of 2026: by default it makes a fee of 100.00."""
    charge = subscription.plan.charges.get()
    return post(subscription, STARTS[month] + timedelta(days=9), units, code=charge.metric.code)


def rate_month(service, month):
    meter_and_rate(service=service, period_label=f"2026-{month:02}", now=timezone.now())


def push_months(service, *months):
    for month in months:
        push_all(service, label=f"2026-{month:02}")


def make_ready_service(**values):
    """In its dual run, with one customer whose fees have events behind them; call it on TODAY."""
    service = factories.ServiceFactory(**{"phase": Phase.DUAL_RUN, **values})
    customer = factories.CustomerFactory(service=service)
    subscription = subscribe(customer)
    for month in (8, 9):
        use(subscription, month)
        rate_month(service, month)
        push_months(service, month)
        bill_both(customer, month)
        judge_month(service, month)
    return service


def rate_all(service):
    """Every judged period metered and rated, as each night does it."""
    for label in judged_labels(service):
        meter_and_rate(service=service, period_label=label, now=timezone.now())


def approve(*, request_id, actor, **values):
    """A manager looks at the readiness as it stands, and approves."""
    request = CutoverRequest.objects.select_related("service").get(pk=request_id)
    seen = read_readiness(service=request.service, effective_date=request.effective_date).digest
    return cutover.approve(request_id=request_id, actor=actor, **{"seen": seen, **values})


def phase_of(request):
    return Service.objects.get(pk=request.service_id).phase


def terms(subscription):
    """Who bills a subscription from when, in order."""
    return [(term.biller, term.starts_at) for term in subscription.biller_terms.order_by("starts_at")]


def refused_with(code, call, **arguments):
    """The call refuses, and leaves no trace of itself."""
    models = (CutoverRequest, Service, BillerTerm, Delivery)
    before = [list(model.objects.order_by("pk").values()) for model in models]
    records = AuditRecord.objects.exclude(action="reconciliation.reopen").count()
    with pytest.raises(DomainError) as refused:
        call(**arguments)
    assert refused.value.code == code
    assert [list(model.objects.order_by("pk").values()) for model in models] == before
    assert AuditRecord.objects.exclude(action="reconciliation.reopen").count() == records
    return refused.value.message
