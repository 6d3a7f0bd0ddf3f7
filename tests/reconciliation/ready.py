"""A service that is ready for its cutover: August and September clean on both sides, everything linked and pushed."""

from datetime import UTC, datetime

from ingest.models import Phase
from reconciliation.reconcile import reconcile_period
from tests import factories
from tests.reconciliation.sides import expect, external, odoo, push_all

TODAY = datetime(2026, 10, 3, 12, tzinfo=UTC)
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
