"""Once Odoo bills a subscription its usage goes onto its order there, each fee once, and nowhere before that."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from ingest.models import Biller, BillerTerm, Fee
from reconciliation import push
from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.odoo.connector import OdooConnector
from reconciliation.connectors.odoo.order_drafts import OrderDraft
from reconciliation.models import Amount, Push
from tests import factories
from tests.reconciliation.connectors.odoo.conftest import CountingTransport
from tests.reconciliation.odoo_world import lose_answer

DAY = timedelta(days=1)
FIELDS = ["order_id", "product_id", "product_uom_qty", "qty_delivered", "price_unit"]


class Live:
    """A customer whose subscription Odoo bills, with its confirmed order there."""

    def __init__(self, world, **order):
        self.world, self.office = world, world.office
        self.customer = world.make_customer()
        self.subscription = self.customer.subscriptions.get()
        self.plan = self.office.create("sale.subscription.plan", name="Monthly")
        self.recurring = self.office.product("Pro, monthly", 99, recurring_invoice=True)
        self.order = self.make_order(**order)
        self.subscription.odoo_order_id = self.order
        self.subscription.save()
        factories.BillerTermFactory(subscription=self.subscription, starts_at=factories.PERIOD_START)

    def make_order(self, *, is_confirmed=True, **values):
        values = {
            "partner_id": self.world.partner,
            "plan_id": self.plan,
            "start_date": "2026-10-01",
            "order_line": [[0, 0, {"product_id": self.recurring, "product_uom_qty": 1}]],
            **values,
        }
        order = self.office.create("sale.order", **values)
        if is_confirmed:
            self.office.call("sale.order", "action_confirm", [order])
        return order

    def renew(self):
        """The order is renewed, as Odoo Enterprise leaves it."""
        successor = self.make_order(subscription_id=self.order, origin_order_id=self.order)
        self.office.call("sale.order", "write", [self.order], {"subscription_state": "5_renewed"})
        return successor

    def lines(self):
        """The usage in Odoo, by order: quantity, delivered and price of each line."""
        product = self.world.charges["api"].odoo_product_id
        rows = self.office.call(
            "sale.order.line", "search_read", [["product_id", "=", product]], fields=FIELDS
        )
        return sorted(
            (row["order_id"][0], row["product_uom_qty"], row["qty_delivered"], row["price_unit"])
            for row in rows
        )

    def invoice(self):
        context = {"active_model": "sale.order", "active_ids": [self.order]}
        wizard = self.office.call(
            "sale.advance.payment.inv", "create", [{"advance_payment_method": "delivered"}], context=context
        )
        return self.office.call("sale.advance.payment.inv", "create_invoices", wizard, context=context)

    def latest(self):
        return self.world.latest(self.customer)


@pytest.fixture
def live(world):
    live = Live(world)
    world.rate(live.customer, api="30.86", sto="4.10", plan_days=30)
    return live


class TestSending:
    def test_usage_goes_onto_the_order_as_lines_and_the_plan_stays_odoos(self, world, live):
        assert world.push_now() == {"done": 1}
        row = live.latest()
        assert (row.kind, row.odoo_id, row.currency) == ("order_lines", live.order, "CAD")
        assert live.lines() == [(live.order, 1.0, 1.0, 4.10), (live.order, 1.0, 1.0, 30.86)]
        assert world.office.count("sale.order") == 1, "no quotation beside it"
        assert not Amount.objects.exists(), "its amounts come back with Odoo's invoices"
        (order,) = world.office.call("sale.order", "read", [live.order], fields=["state", "amount_untaxed"])
        assert order == {"id": live.order, "state": "sale", "amount_untaxed": 133.96}

    def test_pushing_twice_writes_nothing_more(self, world, live):
        world.push_now()
        calls = world.stand_in.state["calls"]
        assert world.push_now() == {}
        assert world.stand_in.state["calls"] == calls

    def test_a_changed_fee_changes_its_line_and_one_that_went_goes_on_at_nothing(self, world, live):
        world.push_now()
        world.rate(live.customer, api="31.07")
        world.drop(live.customer, "sto")
        assert world.push_now() == {"done": 1}
        assert live.lines() == [(live.order, 0.0, 0.0, 0.0), (live.order, 1.0, 1.0, 31.07)]
        world.rate(live.customer, sto="5.00")
        assert world.push_now() == {"done": 1}
        assert live.lines() == [(live.order, 1.0, 1.0, 5.0), (live.order, 1.0, 1.0, 31.07)]

    def test_after_a_renewal_new_lines_go_onto_the_new_order_and_old_ones_stay(self, world, live):
        world.push_now()
        successor = live.renew()
        Fee.objects.filter(charge=world.charges["sto"]).update(amount=5, exact_amount=5)
        other = factories.ChargeFactory(
            plan=world.plan,
            metric=factories.MetricFactory(service=world.service),
            odoo_product_id=world.charges["api"].odoo_product_id,
        )
        factories.FeeFactory(subscription=live.subscription, charge=other, amount=7, exact_amount=7)
        assert world.push_now() == {"done": 1}
        assert live.lines() == [
            (live.order, 1.0, 1.0, 5.0),
            (live.order, 1.0, 1.0, 30.86),
            (successor, 1.0, 1.0, 7.0),
        ]
        assert live.latest().odoo_id == successor

    def test_many_customers_go_in_a_handful_of_calls(self, world):
        for each in [Live(world) for _ in range(8)]:
            world.rate(each.customer, api="1.00", sto="2.00")
        world.plan_pushes()
        transport = CountingTransport(world.transport())
        assert world.send(connector=OdooConnector(transport, company_id=1)) == {"done": 8}
        assert len(transport.calls) <= 13
        assert transport.counts()["sale.order.line.load"] == 1


class TestExactlyOnce:
    @pytest.mark.parametrize("fault", ["drop_answer_after_commit", "bad_gateway", "reset"])
    @pytest.mark.parametrize(
        "method", ["sale.order.line.load", "sale.order.line.read", "sale.order.search_read"]
    )
    def test_a_fault_leaves_one_line_of_each_fee(self, world, live, fault, method):
        world.plan_pushes()
        world.stand_in.set_fault(fault, method=method)
        world.send()
        world.drain()
        assert live.lines() == [(live.order, 1.0, 1.0, 4.10), (live.order, 1.0, 1.0, 30.86)]
        assert live.latest().status == "done"

    def test_a_lost_answer_is_settled_by_reading_back_even_after_a_renewal(self, world, live):
        world.plan_pushes()
        transport = CountingTransport(world.transport())
        transport.after["sale.order.line.load"] = lose_answer
        assert world.send(connector=OdooConnector(transport, company_id=1)) == {"unknown": 1}
        live.renew()
        assert world.settle(timezone.now() + DAY) == 1
        assert live.latest().status == "done"
        assert live.lines() == [(live.order, 1.0, 1.0, 4.10), (live.order, 1.0, 1.0, 30.86)]


class TestNeverBefore:
    """A period that the service itself bills: nothing of it gets onto an order that Odoo invoices."""

    def test_such_a_period_has_a_quotation_instead(self, world, live):
        BillerTerm.objects.update(starts_at=factories.PERIOD_END)
        world.push_now()
        assert live.latest().kind == "quotation"
        assert live.lines() == [
            (live.latest().odoo_id, 1.0, 0.0, 4.10),
            (live.latest().odoo_id, 1.0, 0.0, 30.86),
        ]

    def test_a_push_whose_biller_changed_since_is_refused_before_it_is_sent(self, world, live):
        world.plan_pushes()
        BillerTerm.objects.update(biller=Biller.SERVICE)
        assert world.send() == {"failed": 1}
        assert live.latest().error_code == "billed_by_service"
        assert live.lines() == []

    def test_the_guard_in_the_connector_asks_again(self, world, live):
        world.plan_pushes()
        draft = OrderDraft.from_payload(live.latest().payload)
        connector = world.connector
        with connector.permitting(lambda keys: set(list(keys)[1:])), pytest.raises(ConnectorError) as refused:
            connector.write_order_lines([draft])
        assert refused.value.code == "refused_by_guard"
        with pytest.raises(ConnectorError) as refused:
            connector.write_order_lines([draft])
        assert refused.value.code == "refused_by_guard", "without somebody to ask nothing leaves"
        assert live.lines() == []


class TestBadInput:
    """Each says on the push what is wrong and what to do; the others go on."""

    def assert_refused(self, world, live, code, words):
        good = Live(world)
        world.rate(good.customer, api="1.00")
        assert world.push_now() == {"failed": 1, "done": 1}
        row = live.latest()
        assert (row.status, row.error_code) == ("failed", code)
        assert words in row.error
        assert good.latest().status == "done"

    def test_an_order_that_is_gone(self, world, live):
        live.subscription.odoo_order_id = 999_999
        live.subscription.save()
        self.assert_refused(world, live, "order_missing", "link the subscription")

    @pytest.mark.parametrize(
        ("values", "code", "words"),
        [
            ({"state": "cancel"}, "order_not_confirmed", "“cancel”"),
            ({"subscription_state": "6_churn"}, "order_closed", "is closed"),
            ({"subscription_state": "5_renewed"}, "order_renewed", "confirm that one"),
        ],
    )
    def test_an_order_that_bills_nothing_any_more(self, world, live, values, code, words):
        live.office.call("sale.order", "write", [live.order], values)
        self.assert_refused(world, live, code, words)

    def test_an_order_of_another_partner(self, world, live):
        live.office.call("sale.order", "write", [live.order], {"partner_id": live.office.customer("Merged")})
        self.assert_refused(world, live, "other_partner", "link the customer again")

    def test_an_order_in_another_currency(self, world, live):
        Fee.objects.update(currency="USD")
        self.assert_refused(world, live, "other_currency", "a pricelist in USD")

    def test_a_product_that_recurs(self, world, live):
        charge = world.charges["sto"]
        charge.odoo_product_id = live.recurring
        charge.save()
        self.assert_refused(world, live, "recurring_product", "Pro, monthly is a subscription product")
        assert len(live.lines()) == 1, "nothing of it is written"

    def test_a_locked_order_takes_new_lines_and_refuses_other_prices(self, world, live):
        live.office.call("sale.order", "write", [live.order], {"locked": True})
        assert world.push_now() == {"done": 1}
        world.rate(live.customer, api="31.07")
        self.assert_refused(world, live, "permanent", "locked")

    def test_what_odoo_has_invoiced_is_left_to_a_correction(self, world, live):
        world.push_now()
        live.invoice()
        world.rate(live.customer, api="31.07")
        self.assert_refused(world, live, "already_invoiced", "30.86 in Odoo, 31.07 intended")
        assert (live.order, 1.0, 1.0, 30.86) in live.lines()

    def test_what_takes_the_place_of_what_odoo_has_invoiced_is_not_billed_beside_it(self, world, live):
        world.push_now()
        live.invoice()
        # Another filter makes another fee of the same usage.
        nothing = {"amount": 0, "exact_amount": 0, "quantity": 0, "events_count": 0}
        Fee.objects.filter(charge=world.charges["api"]).update(**nothing)
        factories.FeeFactory(
            subscription=live.subscription,
            charge=world.charges["api"],
            bucket="eu",
            exact_amount=Decimal("30.86"),
            amount=Decimal("30.86"),
        )
        self.assert_refused(world, live, "already_invoiced", "30.86 in Odoo, 0 intended")
        assert live.lines().count((live.order, 1.0, 1.0, 30.86)) == 1

    def test_a_subscription_without_its_order(self, world, live):
        live.subscription.odoo_order_id = None
        live.subscription.save()
        plan = world.plan_pushes()
        assert [refusal.code for refusal in plan.refusals] == ["no_order"]
        assert not Push.objects.exists()

    @pytest.mark.parametrize("biller", Biller.values)
    def test_an_amount_beyond_odoos_precision_is_refused_whoever_bills_it(self, world, live, biller):
        BillerTerm.objects.update(biller=biller)
        world.rate(live.customer, api="12345678901234.56")
        good = Live(world)
        world.rate(good.customer, api="1.00")
        plan = world.plan_pushes()
        assert [refusal.code for refusal in plan.refusals] == ["beyond_precision"]
        assert "12345678901234.56 CAD for api on Pro" in plan.refusals[0].message
        assert plan.created == 1

    def test_odoo_being_down_for_a_day_loses_nothing(self, world, live):
        world.plan_pushes()
        world.stand_in.set_fault("reset", count=40)
        now = timezone.now()
        for _ in range(12):
            world.settle(now)
            world.send(now=now)
            now += timedelta(hours=2)
        world.stand_in.faults.clear()
        world.plan_pushes()
        world.drain()
        assert live.lines() == [(live.order, 1.0, 1.0, 4.10), (live.order, 1.0, 1.0, 30.86)]


def test_a_late_credit_lowers_the_order(world, live):
    Fee.objects.filter(charge=world.charges["sto"]).update(
        kind="late", amount=Decimal("-2.50"), exact_amount=Decimal("-2.50"), of_fee=Fee.objects.first()
    )
    assert world.push_now() == {"done": 1}
    assert live.lines() == [(live.order, 1.0, 1.0, -2.5), (live.order, 1.0, 1.0, 30.86)]
    assert push.open_pushes(world.service).count() == 0
