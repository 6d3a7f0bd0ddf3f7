"""The outbox on a running stand-in: each intent is carried out, read back and told of, whatever happens to a call."""

from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from django.utils import timezone

from ingest.models import AuditRecord
from reconciliation import push
from reconciliation.connectors.odoo.connector import OdooConnector
from reconciliation.models import Alarm, Amount, AmountLine, Push, Side, SourceDocument
from reconciliation.push import MAX_ATTEMPTS_IN_OUTAGE
from reconciliation.push_moves import LONGEST_SERVER_TIME
from reconciliation.readiness import read_readiness
from tests import factories
from tests.reconciliation.connectors.odoo.conftest import CountingTransport
from tests.reconciliation.odoo_world import lose_answer

LABEL = factories.PERIOD_LABEL
DAY = timedelta(days=1)
# The call that writes the usage lines of a quotation without plan lines: nothing is written after it.
LAST_WRITE = 3


@pytest.fixture
def customer(world):
    """A customer with 30.86 of API calls, 4.10 of storage and a full plan fee."""
    return world.make_billed_customer()


class TestSending:
    def test_a_push_ends_with_a_read_back_and_odoos_amounts(self, world, customer):
        assert world.push_now() == {"done": 1}
        row = Push.objects.get()
        assert row.settled_at is not None
        assert (row.attempts, row.leased_until, row.error) == (1, None, "")
        assert world.order(row)["state"] == "draft"
        amount = Amount.objects.get()
        assert (amount.side, amount.currency, amount.period_label) == (Side.ODOO, "CAD", LABEL)
        assert [str(figure) for figure in (amount.untaxed, amount.tax, amount.total)] == [
            "133.96",
            "17.41",
            "151.37",
        ]
        assert (amount.document.reference, amount.state) == (row.key, "draft")

    def test_its_lines_say_what_they_bill_and_who_priced_them(self, world, customer):
        world.push_now()
        lines = {
            line.code: (line.kind, str(line.untaxed), line.quantity, line.is_priced_by_odoo)
            for line in AmountLine.objects.all()
        }
        quantity = Decimal("1200.5")
        assert lines == {
            "api": ("usage", "30.86", quantity, False),
            "sto": ("usage", "4.10", quantity, False),
            world.plan.code: ("plan", "99.00", Decimal("1.0"), True),
        }

    def test_pushing_twice_writes_nothing_more(self, world, customer):
        world.push_now()
        before = (world.quotations(), list(SourceDocument.objects.values()), list(Push.objects.values()))
        calls = world.stand_in.state["calls"]
        assert world.push_now() == {}
        assert world.stand_in.state["calls"] == calls, "nothing is asked of Odoo either"
        after = (world.quotations(), list(SourceDocument.objects.values()), list(Push.objects.values()))
        assert after == before

    def test_a_changed_fee_updates_the_same_quotation(self, world, customer):
        world.push_now()
        first = world.latest(customer)
        world.rate(customer, api="31.07")
        world.push_now()
        second = world.latest(customer)
        assert (second.odoo_id, second.key) == (first.odoo_id, first.key)
        assert world.statuses(customer) == ["done", "done"]
        assert world.quotations() == (1, 3)
        assert str(Amount.objects.get(is_current=True).total) == "151.61"
        assert SourceDocument.objects.count() == 2

    def test_a_fee_that_went_takes_its_line_along(self, world, customer):
        world.push_now()
        world.drop(customer, "sto")
        world.push_now()
        assert world.held(world.latest(customer)) == {"api": "30.86", "plan": "99.00"}

    def test_a_wrong_price_in_odoo_comes_back_as_it_is(self, world, customer):
        world.office.call("product.product", "write", [world.plan.odoo_product_id], {"list_price": 120})
        world.push_now()
        assert world.held(world.latest(customer))["plan"] == "120.00"
        assert world.latest(customer).status == "done"

    def test_nothing_that_odoo_bills_leaves_even_when_it_was_planned_before(self, world, customer):
        other = world.make_customer()
        world.rate(other, api="1.00")
        world.plan_pushes()
        factories.BillerTermFactory(
            subscription=customer.subscriptions.get(), starts_at=factories.PERIOD_START
        )
        assert world.send() == {"failed": 1, "done": 1}
        row = world.latest(customer)
        assert (row.status, row.error_code) == ("failed", "billed_by_odoo")
        assert world.quotations() == (1, 1)
        assert not Amount.objects.filter(customer=customer).exists()

    def test_one_bad_draft_fails_alone(self, world, customer):
        bad = world.make_customer()
        bad.odoo_partner_id = 99_999_999
        bad.save()
        world.rate(bad, api="1.00")
        assert world.push_now() == {"failed": 1, "done": 1}
        assert world.latest(bad).error_code == "permanent"
        assert world.latest(customer).status == "done"

    def test_another_services_pushes_wait_for_their_own_turn(self, world, customer):
        world.plan_pushes()
        other = factories.PushFactory(next_attempt_at=timezone.now())
        assert world.send() == {"done": 1}
        other.refresh_from_db()
        assert other.status == "pending"


class TestFaults:
    """What Odoo or the way to it does to a call, and where the push is then."""

    @pytest.mark.parametrize("method", ["sale.order.load", "sale.order.line.load"])
    @pytest.mark.parametrize(
        ("fault", "told"),
        [
            ("drop_answer_after_commit", ("unknown", "outcome_unknown")),
            ("bad_gateway", ("unknown", "outcome_unknown")),
            ("reset", ("unknown", "outcome_unknown")),
            ("serialization_failure", ("pending", "transient")),
        ],
    )
    def test_a_fault_is_healed_and_leaves_one_quotation(self, world, customer, fault, told, method):
        world.plan_pushes()
        world.stand_in.set_fault(fault, method=method)
        assert world.send() == {told[0]: 1}
        row = world.latest(customer)
        assert (row.status, row.error_code) == told
        later = timezone.now() + DAY
        world.settle(later)
        world.send(now=later)
        assert world.latest(customer).status == "done"
        assert world.quotations() == (1, 3)
        assert world.held(row) == {"api": "30.86", "sto": "4.10", "plan": "99.00"}

    def test_a_lost_answer_after_the_commit_is_settled_by_reading_back_alone(self, world):
        customer = world.make_customer()
        world.rate(customer, api="30.86")
        world.plan_pushes()
        transport = CountingTransport(world.transport())
        transport.after[LAST_WRITE] = lose_answer
        assert world.send(connector=OdooConnector(transport, company_id=1)) == {"unknown": 1}
        assert transport.calls[LAST_WRITE] == "sale.order.load"
        assert world.settle(timezone.now()) == 0, "its attempt may still commit"
        assert world.settle(timezone.now() + LONGEST_SERVER_TIME) == 1
        row = world.latest(customer)
        assert (row.status, row.attempts) == ("done", 1)
        assert world.quotations() == (1, 1)

    def test_a_timeout_is_an_unknown_outcome(self, world, customer):
        world.plan_pushes()
        world.stand_in.set_fault("timeout", method="sale.order.load", seconds=1.5)
        hasty = OdooConnector(world.transport(timeout=0.4), company_id=1)
        assert world.send(connector=hasty) == {"unknown": 1}
        world.settle(timezone.now() + DAY)
        world.send(now=timezone.now() + DAY)
        assert world.latest(customer).status == "done"
        assert world.quotations() == (1, 3)

    def test_odoo_being_down_leaves_everything_waiting(self, world, customer):
        world.plan_pushes()
        world.stand_in.stop()
        assert world.send() == {"pending": 1}
        row = world.latest(customer)
        assert (row.error_code, row.error) == ("transient", "Odoo cannot be reached.")
        assert row.next_attempt_at > timezone.now()

    def test_a_refused_key_fails_the_pushes_and_the_next_plan_queues_them_again(self, world, customer):
        world.plan_pushes()
        world.stand_in.revoke_key()
        assert world.send() == {"failed": 1}
        assert world.latest(customer).error_code == "authentication"
        world.stand_in.revoke_key(is_revoked=False)
        assert world.push_now() == {"done": 1}

    def test_a_company_that_the_user_may_not_see_fails_them_and_writes_nothing(self, world, customer):
        world.plan_pushes()
        elsewhere = OdooConnector(world.transport(), company_id=99)
        assert world.send(connector=elsewhere) == {"failed": 1}
        assert world.latest(customer).error_code == "permission"
        assert world.quotations() == (0, 0)
        assert world.push_now() == {"done": 1}

    def test_the_valid_half_of_a_batch_is_written_and_the_other_says_what_is_wrong(self, world):
        customers = world.make_customers(8)
        for each in customers:
            world.rate(each, api="1.00")
        for each in customers[::2]:
            each.odoo_partner_id = 99_999_999
            each.save()
        assert world.push_now() == {"failed": 4, "done": 4}
        assert {world.latest(each).status for each in customers[1::2]} == {"done"}
        assert "99999999" in world.latest(customers[0]).error
        for each in customers[::2]:
            each.odoo_partner_id = world.partner
            each.save()
        assert world.push_now() == {"done": 4}
        assert world.quotations() == (8, 8)

    def test_a_read_back_that_fails_leaves_the_outcome_unknown(self, world, customer):
        world.plan_pushes()
        world.stand_in.set_fault("bad_gateway", method="sale.order.search_read", count=1)
        assert world.send() == {"unknown": 1}
        assert not Amount.objects.exists()
        world.stand_in.set_fault("bad_gateway", method="sale.order.search_read", count=1)
        later = timezone.now() + DAY
        assert world.settle(later) == 1
        row = world.latest(customer)
        assert row.status == "unknown", "a failed read-back settles nothing"
        assert row.leased_until > timezone.now()
        assert world.settle(later) == 1
        assert world.latest(customer).status == "done"

    def test_waits_grow_and_end(self, world, customer):
        world.plan_pushes()
        now, waits = timezone.now(), []
        for _ in range(MAX_ATTEMPTS_IN_OUTAGE):
            world.stand_in.set_fault("serialization_failure", method="crm.tag.load")
            world.send(now=now)
            row = world.latest(customer)
            waits.append(row.next_attempt_at - now)
            now = row.next_attempt_at
        assert (row.status, row.attempts) == ("failed", MAX_ATTEMPTS_IN_OUTAGE)
        assert all(later > earlier for earlier, later in pairwise(waits[:8]))
        assert max(waits) <= timedelta(hours=1.25)
        assert sum(waits, timedelta()) > DAY, "a day without Odoo fails nothing"
        assert world.send(now=now + DAY) == {}

    def test_half_of_a_batch_in_doubt_settles_each_by_what_odoo_holds(self, world):
        customers = world.make_customers(6)
        for each in customers[:3]:
            world.rate(each, api="1.00")
        world.push_now()
        for each in customers:
            world.rate(each, api="2.00")
        world.plan_pushes()
        world.stand_in.set_fault("reset", method="sale.order.line.search_read")
        world.stand_in.set_fault("reset", method="sale.order.load")
        world.send()
        world.drain()
        assert {each: world.held(world.latest(each)) for each in customers} == {
            each: {"api": "2.00"} for each in customers
        }
        assert Push.objects.exclude(status="done").count() == 0


class TestPeopleInOdoo:
    def confirm(self, world, customer):
        world.office.call("sale.order", "action_confirm", [world.latest(customer).odoo_id])

    def test_a_quotation_that_somebody_confirmed_raises_an_alarm_and_blocks_the_cutover(
        self, world, customer
    ):
        world.push_now()
        self.confirm(world, customer)
        world.rate(customer, api="31.07")
        assert world.push_now() == {"failed": 1}
        assert world.latest(customer).error_code == "not_draft"
        assert world.held(world.latest(customer))["api"] == "30.86", "it was not written"
        alarm = Alarm.objects.get()
        assert (alarm.service, alarm.cleared_at) == (world.service, None)
        assert str(customer) in alarm.message
        unmet = {c.code for c in read_readiness(service=world.service).conditions if not c.is_met}
        assert "no_alarms" in unmet
        record = AuditRecord.objects.get(action="alarm.raise")
        assert (record.actor, record.object_id) == (None, str(alarm.public_id))

    def test_the_alarm_is_raised_once_and_cleared_when_the_quotation_is_a_draft_again(self, world, customer):
        world.push_now()
        self.confirm(world, customer)
        for amount in ("31.07", "32.00"):
            world.rate(customer, api=amount)
            world.push_now()
        assert Alarm.objects.count() == 1
        world.office.call("sale.order", "write", [self.order_id(customer)], {"state": "draft"})
        world.push_now()
        assert Alarm.objects.get().cleared_at is not None
        assert AuditRecord.objects.filter(action="alarm.clear").count() == 1
        assert world.held(world.latest(customer))["api"] == "32.00"

    def order_id(self, customer):
        return Push.objects.filter(customer=customer, odoo_id__isnull=False).first().odoo_id

    def test_a_line_that_a_person_added_is_told_and_not_taken_for_ours(self, world, customer):
        world.push_now()
        world.office.create(
            "sale.order.line",
            order_id=world.latest(customer).odoo_id,
            product_id=world.plan.odoo_product_id,
            name="Extra",
        )
        world.rate(customer, api="31.07")
        assert world.push_now() == {"pending": 1}
        assert world.latest(customer).error == "line “Extra”: not intended"
        lines = AmountLine.objects.filter(amount__is_current=True, code="")
        assert [(line.description, line.kind) for line in lines] == [("Extra", "adjustment")]


def test_what_is_in_the_way_is_told_once(db):
    row = factories.PushFactory(error="Odoo cannot be reached.", error_code="transient")
    factories.PushFactory(service=row.service, customer=row.customer, error="Odoo cannot be reached.")
    factories.PushFactory(service=row.service, customer=row.customer, status="superseded", error="Old.")
    assert push.read_errors(row.service) == ["Odoo cannot be reached."]
