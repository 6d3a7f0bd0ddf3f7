"""What Odoo invoices before it is Odoo's to bill is an alarm that stops a cutover; everything else is not."""

from datetime import UTC, date, datetime

import pytest

from ingest.models import Biller, Phase
from reconciliation import early_invoices
from reconciliation.early_invoices import BilledLine, Claims
from reconciliation.models import Alarm, AlarmKind, OdooInvoice, RunKind
from reconciliation.readiness import read_facts
from tests import factories

pytestmark = pytest.mark.django_db

ORDER, PARTNER, PRODUCT = 501, 1001, 31
DAY = date(2026, 10, 15)
FEE = "a" * 32
SWITCH = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def subscription():
    """A subscription with an order in Odoo, on a plan with a product of its own."""
    service = factories.ServiceFactory(name="NexaCloud", code="nexacloud")
    customer = factories.CustomerFactory(service=service, odoo_partner_id=PARTNER, name="Acme")
    plan = factories.PlanFactory(service=service, odoo_product_id=PRODUCT)
    return factories.SubscriptionFactory(customer=customer, plan=plan, odoo_order_id=ORDER)


def make_invoice(order_id=None, product_id=None, external_id="", **values):
    """An invoice in the mirror with one line, of an order's line where there is an order."""
    sold = [factories.OdooOrderLineFactory(order_id=order_id).odoo_id] if order_id else []
    invoice = factories.OdooInvoiceFactory(**{"partner_id": PARTNER, "invoice_date": DAY, **values})
    factories.OdooInvoiceLineFactory(
        move_id=invoice.odoo_id, product_id=product_id, sale_line_ids=sold, external_id=external_id
    )
    return invoice


def watch(subscription):
    return early_invoices.watch(service=subscription.customer.service)


def open_alarms():
    return Alarm.objects.filter(kind=AlarmKind.BILLED_BY_ODOO_TOO, cleared_at=None)


@pytest.mark.parametrize("line", [{"order_id": ORDER}, {"product_id": PRODUCT}], ids=["order", "product"])
def test_a_posted_invoice_of_what_the_service_bills_is_one_alarm_that_stops_the_cutover(subscription, line):
    invoice = make_invoice(**line)
    assert (watch(subscription), watch(subscription)) == (1, 1)
    (alarm,) = open_alarms()
    assert alarm.reference == f"nexacloud/invoice/{invoice.odoo_id}"
    assert alarm.message == (
        f"{invoice.name} of 2026-10-15 in Odoo bills Acme what NexaCloud still bills itself."
        " Credit it in Odoo, and find out what posted it."
    )
    assert read_facts(service=alarm.service, effective_date=date(2026, 12, 1)).open_alarms == 1


def test_it_is_cleared_when_the_invoice_is_no_longer_posted(subscription):
    make_invoice(ORDER)
    watch(subscription)
    OdooInvoice.objects.update(state="cancel")
    assert watch(subscription) == 0
    assert not open_alarms().exists()
    assert Alarm.objects.count() == 1


@pytest.mark.parametrize(
    "values",
    [
        {"state": "draft"},
        {"state": "cancel"},
        {"move_type": "out_refund"},
        {"order_id": ORDER + 1, "product_id": 77},
        {"order_id": None, "product_id": 77},
    ],
    ids=["a draft", "cancelled", "a credit note", "another order", "no service's product"],
)
def test_what_bills_nobody_or_belongs_to_no_service_is_ignored(subscription, values):
    make_invoice(**{"order_id": ORDER, **values})
    assert watch(subscription) == 0


@pytest.mark.parametrize(("day", "count"), [(date(2026, 10, 31), 1), (date(2026, 11, 1), 0)])
@pytest.mark.parametrize("line", [{"order_id": ORDER}, {"product_id": PRODUCT}], ids=["order", "product"])
def test_from_the_switch_on_it_is_odoos_to_bill(subscription, day, count, line):
    factories.BillerTermFactory(subscription=subscription, biller=Biller.ODOO, starts_at=SWITCH)
    make_invoice(**line, invoice_date=day)
    assert watch(subscription) == count


def test_another_services_invoice_is_not_this_ones(subscription):
    make_invoice(ORDER)
    other = factories.SubscriptionFactory(odoo_order_id=ORDER + 1)
    assert watch(other) == 0
    watch(subscription)
    watch(other)
    assert open_alarms().count() == 1


class TestProducts:
    def test_a_product_of_two_services_belongs_to_the_one_whose_customer_it_was(self, subscription):
        other = factories.PlanFactory(odoo_product_id=PRODUCT).service
        make_invoice(product_id=PRODUCT)
        assert watch(subscription) == 1
        assert early_invoices.watch(service=other) == 0

    @pytest.mark.parametrize(("phase", "count"), [(Phase.DUAL_RUN, 1), (Phase.LIVE, 0)])
    def test_a_product_of_one_service_is_its_own_whoever_bought_it(self, subscription, phase, count):
        service = subscription.customer.service
        service.phase = phase
        service.save()
        make_invoice(product_id=PRODUCT, partner_id=PARTNER + 1)
        assert watch(subscription) == count


class TestExternalIds:
    """The line that we wrote names its fee, and so its period: it decides alone."""

    @pytest.mark.parametrize(("biller", "is_early"), [("service", True), ("odoo", False)])
    def test_the_fees_period_decides_whatever_the_order_says(self, subscription, biller, is_early):
        claims = make_claims(subscription, orders={ORDER: subscription.pk}, fee_billers={FEE: biller})
        for name in (f"shadow_k__{FEE}", f"fee_{FEE}"):
            assert claims.is_early(make_line(external_ids=(f"__billing_console__.{name}",))) == is_early

    def test_a_line_under_another_name_is_judged_by_its_order(self, subscription):
        claims = make_claims(subscription, orders={ORDER: subscription.pk}, fee_billers={FEE: "odoo"})
        other = f"__billing_console__.shadow_k__{'b' * 32}"
        assert claims.is_early(make_line(external_ids=(f"__import__.fee_{FEE}", other)))

    def test_usage_that_odoo_billed_late_is_its_own_after_a_rollback(self, subscription):
        fee = factories.FeeFactory(subscription=subscription)
        for biller, starts_at in ((Biller.ODOO, fee.period_start), (Biller.SERVICE, fee.period_end)):
            factories.BillerTermFactory(subscription=subscription, biller=biller, starts_at=starts_at)
        make_invoice(
            ORDER,
            external_id=f"__billing_console__.fee_{fee.public_id.hex}",
            invoice_date=fee.period_end.date(),
        )
        assert watch(subscription) == 0


def make_claims(subscription, **values):
    usual = {
        "service": subscription.customer.service,
        "orders": {},
        "own_products": frozenset(),
        "shared_products": frozenset(),
        "partners": {},
        "fee_billers": {},
        "book": early_invoices.BillerBook([subscription.pk]),
    }
    return Claims(**{**usual, **values})


def make_line(**values):
    usual = {"invoice_id": 1, "invoice": "INV/1", "billed_on": DAY, "partner_id": PARTNER, "product_id": None}
    return BilledLine(**{**usual, "order_ids": (ORDER,), **values})


def test_a_sync_watches_for_it(world):
    customer = world.make_billed_customer()
    order = world.office.create(
        "sale.order",
        partner_id=world.partner,
        client_order_ref="sub_1",
        order_line=[[0, 0, {"product_id": world.plan.odoo_product_id, "product_uom_qty": 1}]],
    )
    customer.subscriptions.update(odoo_order_id=order)
    world.office.call("sale.order", "action_confirm", [order])
    context = {"active_model": "sale.order", "active_ids": [order]}
    wizard = world.office.call(
        "sale.advance.payment.inv", "create", {"advance_payment_method": "delivered"}, context=context
    )
    world.office.call("sale.advance.payment.inv", "create_invoices", [wizard], context=context)
    (invoice,) = world.office.find("account.move")
    world.office.call("account.move", "action_post", [invoice])

    run = factories.RunFactory(kind=RunKind.SYNC, service=world.service)
    summary = do_sync(run)

    assert summary["billed_too_early"] == 1
    assert open_alarms().get().service == world.service


def do_sync(run):
    from reconciliation import runs, work

    claimed = runs.claim_run(run.pk)
    return runs.perform(claimed, work.do_work).summary
