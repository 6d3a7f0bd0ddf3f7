"""Usage that is not on its order before Odoo invoices that is an alarm, in time to push it."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
import time_machine

from ingest.models import Biller
from reconciliation import invoicing_watch
from reconciliation.models import Alarm, AlarmKind, OdooOrder, PushKind
from reconciliation.tasks import watch_invoicing
from tests import factories

pytestmark = pytest.mark.django_db

END = factories.PERIOD_END
HOUR = timedelta(hours=1)
# Odoo invoices four days after the period ended.
RUN = date(END.year, END.month, END.day) + timedelta(days=4)


@pytest.fixture
def fee():
    """A usage fee of a period that Odoo bills, on an order that it invoices next on RUN."""
    subscription = factories.SubscriptionFactory(odoo_order_id=77)
    factories.OdooOrderFactory(odoo_id=77, state="sale", next_invoice_date=RUN)
    factories.BillerTermFactory(
        subscription=subscription, biller=Biller.ODOO, starts_at=factories.PERIOD_START
    )
    return factories.FeeFactory(subscription=subscription, amount=Decimal("30.86"))


def push(fee, amount, **values):
    held = {"kind": PushKind.ORDER_LINES, "status": "done", "odoo_id": 77, "settled_at": END}
    return factories.PushFactory(
        customer=fee.subscription.customer,
        payload={"usage_lines": [{"key": fee.public_id.hex, "amount": amount}]},
        **(held | values),
    )


def watch(fee, now):
    return invoicing_watch.watch(service=fee.subscription.service, now=now)


def test_it_is_raised_a_day_before_the_run_once_and_says_what_to_do(fee):
    assert watch(fee, END + timedelta(days=2)) == 0
    for _ in range(2):
        assert watch(fee, END + timedelta(days=3, hours=5)) == 1
    alarm = Alarm.objects.get()
    assert (alarm.kind, alarm.service) == (AlarmKind.USAGE_NOT_IN_ODOO, fee.subscription.service)
    assert f"invoices it on {RUN}" in alarm.message
    assert str(fee.subscription.customer) in alarm.message


def test_it_is_cleared_once_the_usage_is_there(fee):
    now = END + timedelta(days=3, hours=5)
    watch(fee, now)
    push(fee, "30.86")
    assert watch(fee, now) == 0
    assert Alarm.objects.get().cleared_at is not None


@pytest.mark.parametrize(
    "held",
    [
        {"amount": "30.85"},
        {"amount": "30.86", "status": "failed"},
        {"amount": "30.86", "status": "pending"},
        {"amount": "30.86", "kind": PushKind.QUOTATION},
    ],
)
def test_what_is_not_there_as_it_is_counts_as_missing(fee, held):
    push(fee, **held)
    assert watch(fee, END + timedelta(days=4)) == 1


@pytest.mark.parametrize("next_date", [None, RUN + timedelta(days=60), RUN - timedelta(days=60)])
def test_a_run_that_is_unknown_or_past_leaves_no_time(fee, next_date):
    OdooOrder.objects.update(next_invoice_date=next_date)
    assert watch(fee, END + HOUR) == 1


@pytest.mark.parametrize("values", [{"kind": "plan", "charge": None}, {"amount": 0}])
def test_the_plan_and_what_comes_to_nothing_are_not_awaited(fee, values):
    type(fee).objects.update(**values)
    assert watch(fee, END + timedelta(days=9)) == 0


def test_a_period_that_the_service_bills_is_not_awaited(fee):
    fee.subscription.biller_terms.all().delete()
    assert watch(fee, END + timedelta(days=9)) == 0


def test_the_sweep_watches_live_services(fee, at_the_run):
    type(fee.subscription.service).objects.update(phase="live")
    watch_invoicing()
    assert Alarm.objects.count() == 1


@pytest.fixture
def at_the_run():
    with time_machine.travel(END + timedelta(days=4), tick=False):
        yield
