"""A service that is ready for its cutover: August and September clean on both sides, everything linked and pushed."""

from datetime import UTC, date, datetime

import pytest

from ingest.errors import DomainError
from ingest.models import AuditRecord, BillerTerm, Phase, Service
from reconciliation.models import CutoverRequest, Delivery
from reconciliation.reconcile import reconcile_period
from tests import factories
from tests.reconciliation.sides import expect, external, odoo, push_all

TODAY = datetime(2026, 10, 3, 12, tzinfo=UTC)
EFFECTIVE = date(2026, 11, 1)
NOVEMBER = datetime(2026, 11, 1, tzinfo=UTC)
DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)
STARTS = {month: datetime(2026, month, 1, tzinfo=UTC) for month in range(6, 13)}


def period(month):
    """The columns of a month of 2026."""
    return {
        "period_label": f"2026-{month:02}",
        "period_start": STARTS[month],
        "period_end": STARTS[month + 1],
    }


def bill_both(customer, month, odoo_amount="100.00", external_amount="100.00"):
    """Both sides' documents for a month."""
    return odoo(customer, odoo_amount, **period(month)), external(customer, external_amount, **period(month))


def judge_month(service, month):
    reconcile_period(service=service, period_label=f"2026-{month:02}", now=TODAY)


def make_ready_service(**values):
    """In its dual run, with one customer; call it on TODAY."""
    service = factories.ServiceFactory(**{"phase": Phase.DUAL_RUN, **values})
    customer = factories.CustomerFactory(service=service)
    factories.SubscriptionFactory(customer=customer)
    for month in (8, 9):
        bill_both(customer, month)
    expect(customer)
    push_all(service)
    for month in (8, 9):
        judge_month(service, month)
    return service


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
