"""The outbox on a running stand-in: each intent is carried out once, whatever happens to the answers."""

import random
from collections import Counter
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from threading import Barrier, Thread
from time import sleep

import pytest
from django.db import connection
from django.utils import timezone

from ingest.errors import DomainError
from ingest.models import AuditRecord
from reconciliation import push
from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.odoo.connector import OdooConnector
from reconciliation.connectors.odoo.drafts import QuotationDraft
from reconciliation.connectors.odoo.readback import verify
from reconciliation.connectors.odoo.transport import OdooRpcTransport
from reconciliation.intents import plan_pushes
from reconciliation.models import (
    Alarm,
    Amount,
    AmountLine,
    OdooPricelist,
    Push,
    PushStatus,
    Side,
    SourceDocument,
)
from reconciliation.push import LONGEST_SERVER_TIME, MAX_ATTEMPTS
from reconciliation.readiness import read_readiness
from tests import factories
from tests.reconciliation.conftest import STAND_IN
from tests.reconciliation.connectors.odoo.conftest import CountingTransport

LABEL = factories.PERIOD_LABEL
DAY = timedelta(days=1)
# The call that writes the usage lines of a quotation without plan lines: nothing is written after it.
LAST_WRITE = 3
FAULTS = ("drop_answer_after_commit", "bad_gateway", "reset", "serialization_failure")
METHODS = (
    "crm.tag.load",
    "sale.order.load",
    "sale.order.line.load",
    "sale.order.read",
    "sale.order.search_read",
)


def statuses(customer):
    """The status of each version, oldest first."""
    return list(Push.objects.filter(customer=customer).order_by("version").values_list("status", flat=True))


@pytest.fixture
def customer(world):
    """A customer with 30.86 of API calls, 4.10 of storage and a full plan fee."""
    customer = world.make_customer()
    world.rate(customer, api="30.86", sto="4.10", plan_days=30)
    return customer


class TestPlanning:
    def test_an_intent_is_stored_with_who_asked_and_an_audit_record(self, world, customer, finance):
        run = factories.RunFactory(service=world.service)
        plan = world.plan_pushes(actor=finance, run=run)
        assert (plan.created, plan.unchanged, plan.refusals) == (1, 0, [])
        row = Push.objects.get()
        assert (row.status, row.version, row.attempts) == ("pending", 1, 0)
        assert (row.requested_by, row.run, row.period_label) == (finance, run, LABEL)
        assert row.digest == QuotationDraft.from_payload(row.payload).digest()
        record = AuditRecord.objects.get()
        assert (record.action, record.actor, record.after) == (
            "push.request",
            finance,
            {"version": 1, "lines": 3},
        )
        assert (record.object_id, record.evidence_digest) == (str(row.public_id), row.digest)

    def test_planning_again_stores_nothing(self, world, customer):
        world.plan_pushes()
        plan = world.plan_pushes()
        assert (plan.created, plan.unchanged) == (0, 1)
        assert (Push.objects.count(), AuditRecord.objects.count()) == (1, 1)

    def test_a_dry_run_counts_and_stores_nothing(self, world, customer):
        plan = world.plan_pushes(is_dry=True)
        assert plan.created == 1
        assert not Push.objects.exists()
        assert not AuditRecord.objects.exists()

    def test_a_newer_intent_takes_the_place_of_one_that_waits(self, world, customer):
        world.plan_pushes()
        world.rate(customer, api="31.07")
        world.plan_pushes()
        assert statuses(customer) == ["superseded", "pending"]
        assert world.latest(customer).version == 2

    def test_only_the_chosen_customers_are_planned(self, world, customer):
        other = world.make_customer()
        world.rate(other, api="1.00")
        assert world.plan_pushes(customers=[other.pk]).created == 1
        assert Push.objects.get().customer == other

    def test_a_failed_intent_is_queued_again_when_it_is_still_meant(self, world, customer):
        world.plan_pushes()
        Push.objects.update(status="failed", attempts=12, settled_at=timezone.now())
        assert world.plan_pushes().created == 1
        row = Push.objects.get()
        assert (row.status, row.attempts, row.version, row.settled_at) == ("pending", 0, 1, None)

    def test_a_bill_that_holds_nothing_any_more_is_emptied(self, world, customer):
        world.push_now()
        assert world.held(world.latest(customer)) == {"api": "30.86", "sto": "4.10", "plan": "99.00"}
        for fee in customer.subscriptions.get().fees.all():
            type(fee).objects.filter(pk=fee.pk).update(amount=0, exact_amount=0, quantity=0, events_count=0)
        assert world.push_now() == {"done": 1}
        assert world.held(world.latest(customer)) == {}
        assert world.quotations() == (1, 0)
        assert Amount.objects.get(is_current=True).total == 0
        assert world.plan_pushes().unchanged == 1

    @pytest.mark.parametrize("status", ["pending", "failed"])
    def test_a_bill_that_odoo_never_held_is_withdrawn_when_it_holds_nothing_any_more(
        self, world, customer, status
    ):
        world.plan_pushes()
        Push.objects.update(status=status)
        factories.BillerTermFactory(
            subscription=customer.subscriptions.get(), starts_at=factories.PERIOD_START
        )
        plan = world.plan_pushes(is_dry=True)
        assert (plan.created, statuses(customer)) == (0, [status])
        assert world.plan_pushes().created == 0
        assert statuses(customer) == ["superseded"]
        assert world.send() == {}

    def test_a_refused_bill_is_not_emptied(self, world, customer):
        world.push_now()
        customer.odoo_partner_id = None
        customer.save()
        plan = world.plan_pushes()
        assert (plan.created, [refused.code for refused in plan.refusals]) == (0, ["unlinked"])

    def test_planning_takes_as_many_statements_for_many_as_for_few(
        self, world, django_assert_max_num_queries
    ):
        for each in world.make_customers(40):
            world.rate(each, api="1.00", sto="2.00")
        with django_assert_max_num_queries(14):
            assert world.plan_pushes().created == 40


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
        assert statuses(customer) == ["done", "done"]
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
        transport = CountingTransport(self.transport(world))
        transport.after[LAST_WRITE] = lose_answer
        assert world.send(connector=OdooConnector(transport, company_id=1)) == {"unknown": 1}
        assert transport.calls[LAST_WRITE] == "sale.order.load"
        assert world.settle(timezone.now()) == 0, "its attempt may still commit"
        assert world.settle(timezone.now() + LONGEST_SERVER_TIME) == 1
        row = world.latest(customer)
        assert (row.status, row.attempts) == ("done", 1)
        assert world.quotations() == (1, 1)

    def transport(self, world, timeout=30):
        return OdooRpcTransport(world.stand_in.url, STAND_IN.database, STAND_IN.login, STAND_IN.key, timeout)

    def test_a_timeout_is_an_unknown_outcome(self, world, customer):
        world.plan_pushes()
        world.stand_in.set_fault("timeout", method="sale.order.load", seconds=1.5)
        hasty = OdooConnector(self.transport(world, timeout=0.4), company_id=1)
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
        for _ in range(MAX_ATTEMPTS):
            world.stand_in.set_fault("serialization_failure", method="crm.tag.load")
            world.send(now=now)
            row = world.latest(customer)
            waits.append(row.next_attempt_at - now)
            now = row.next_attempt_at
        assert (row.status, row.attempts) == ("failed", MAX_ATTEMPTS)
        assert all(later > earlier for earlier, later in pairwise(waits[:8]))
        assert max(waits) <= timedelta(hours=1.25)
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


def lose_answer():
    raise ConnectorError("outcome_unknown", "lost", "odoo", permanent=False, is_outcome_unknown=True)


class TestDeadWorkers:
    def claim(self, world):
        (row,) = push.claim_due(service=world.service, now=timezone.now())
        return row

    def test_a_claim_schedules_the_next_attempt_before_this_one(self, world, customer):
        world.plan_pushes()
        before = timezone.now()
        row = self.claim(world)
        assert (row.status, row.attempts) == ("sending", 1)
        assert row.next_attempt_at > before
        assert row.leased_until > before
        assert push.claim_due(service=world.service, now=timezone.now() + DAY) == []

    @pytest.mark.parametrize("has_sent", [False, True])
    def test_what_a_worker_that_died_left_is_in_doubt_and_ends_with_one_quotation(
        self, world, customer, has_sent
    ):
        world.plan_pushes()
        row = self.claim(world)
        if has_sent:
            world.connector.write_quotations([QuotationDraft.from_payload(row.payload)])
        later = row.leased_until + timedelta(seconds=1)
        assert push.claim_due(service=world.service, now=later) == []
        row.refresh_from_db()
        assert (row.status, row.error_code) == ("unknown", "worker_died")
        assert push.services_waiting(later) == [world.service]
        world.settle(later)
        assert world.send(now=later + DAY) == ({} if has_sent else {"done": 1})
        assert world.latest(customer).status == "done"
        assert world.quotations() == (1, 3)

    def test_the_lease_outlasts_every_call_of_an_attempt(self, world, customer, settings):
        settings.ODOO_TIMEOUT = 60
        world.plan_pushes()
        assert self.claim(world).leased_until - timezone.now() > timedelta(seconds=12 * 60)

    def test_the_late_report_of_a_worker_that_was_given_up_changes_nothing(self, world, customer):
        world.plan_pushes()
        late = self.claim(world)
        later = late.leased_until + timedelta(seconds=1)
        world.settle(later)
        assert world.send(now=later + DAY) == {"done": 1}
        before = Push.objects.values().get()
        documents = SourceDocument.objects.count()
        push.settle(pushes=[late], connector=world.connector)
        assert Push.objects.values().get() == before
        assert late.status == "done", "it learns what became of it"
        assert SourceDocument.objects.count() == documents

    def test_a_late_error_does_not_fail_what_another_worker_carried_out(self, world, customer):
        world.plan_pushes()
        late = self.claim(world)
        later = late.leased_until + timedelta(seconds=1)
        world.settle(later)
        world.send(now=later + DAY)
        world.stand_in.revoke_key()
        push.send(pushes=[late], connector=world.connector)
        assert world.latest(customer).status == "done"


class TestVersions:
    def test_a_newer_version_waits_while_an_older_one_is_in_doubt(self, world, customer):
        world.plan_pushes()
        world.stand_in.set_fault("drop_answer_after_commit", method="sale.order.line.load")
        world.send()
        world.rate(customer, api="31.07")
        world.plan_pushes()
        assert statuses(customer) == ["unknown", "pending"]
        assert world.send(now=timezone.now() + DAY) == {}
        assert world.settle(timezone.now() + DAY) == 1
        assert world.send(now=timezone.now() + DAY) == {"done": 1}
        assert world.held(world.latest(customer))["api"] == "31.07"
        assert statuses(customer) == ["done", "done"]

    def test_an_older_version_that_never_arrived_is_superseded_not_sent(self, world, customer):
        world.plan_pushes()
        world.stand_in.set_fault("reset", method="sale.order.load")
        world.send()
        world.rate(customer, api="31.07")
        world.plan_pushes()
        later = timezone.now() + DAY
        world.settle(later)
        assert statuses(customer) == ["superseded", "pending"]
        world.send(now=later)
        assert statuses(customer) == ["superseded", "done"]
        assert world.held(world.latest(customer))["api"] == "31.07"

    def test_an_attempt_that_commits_late_never_overwrites_a_newer_one(self, world, customer):
        """The first answer is lost and Odoo commits only after the second version was planned."""
        world.push_now()
        world.rate(customer, api="31.07")
        world.plan_pushes()
        hasty = OdooConnector(TestFaults().transport(world, timeout=0.3), company_id=1)
        world.stand_in.set_fault("delay_commit", method="sale.order.load", seconds=0.8)
        assert world.send(connector=hasty) == {"unknown": 1}
        world.rate(customer, api="32.00")
        world.plan_pushes()
        assert world.send() == {}, "nothing newer leaves while the older one may still commit"
        sleep(0.8)  # until it has committed
        later = timezone.now() + DAY
        world.settle(later)
        world.send(now=later)
        assert world.held(world.latest(customer))["api"] == "32.00"
        assert statuses(customer) == ["done", "superseded", "done"]

    def test_a_version_that_fails_after_a_newer_one_was_planned_is_history(self, world, customer, operator):
        world.plan_pushes()
        (older,) = push.claim_due(service=world.service, now=timezone.now())
        world.rate(customer, api="31.07")
        world.plan_pushes()
        world.stand_in.revoke_key()
        push.send(pushes=[older], connector=world.connector)
        assert statuses(customer) == ["superseded", "pending"]

    def test_a_failed_version_is_not_retried_over_a_newer_one(self, world, customer, operator):
        world.push_now()
        Push.objects.update(status="failed")
        older = Push.objects.get()
        world.rate(customer, api="31.07")
        world.push_now()
        Push.objects.filter(pk=older.pk).update(status="failed")
        with pytest.raises(DomainError) as refused:
            push.retry(push_id=older.pk, actor=operator)
        assert refused.value.code == "superseded"
        assert world.held(world.latest(customer))["api"] == "31.07"


class TestRetry:
    def make_failed(self, world, customer):
        world.plan_pushes()
        Push.objects.update(status="failed", attempts=12, error="Odoo refused it.", settled_at=timezone.now())
        return Push.objects.get()

    @pytest.mark.parametrize("person", ["operator"], indirect=True)
    def test_an_operator_queues_a_failed_push_again_on_the_record(self, world, customer, person):
        row = self.make_failed(world, customer)
        assert push.retry(push_id=row.pk, actor=person).status == "pending"
        record = AuditRecord.objects.first()
        assert (record.action, record.actor, record.object_id) == ("push.retry", person, str(row.public_id))
        assert record.before == {"status": "failed", "error": "Odoo refused it."}
        assert record.after == {"status": "pending"}
        assert world.send() == {"done": 1}

    @pytest.mark.parametrize("person", ["finance", "manager", "auditor", "outsider"], indirect=True)
    def test_nobody_else_may(self, world, customer, person):
        row = self.make_failed(world, customer)
        with pytest.raises(DomainError) as refused:
            push.retry(push_id=row.pk, actor=person)
        assert refused.value.code == "permission_denied"
        assert Push.objects.get().status == "failed"

    @pytest.mark.parametrize("status", ["pending", "superseded"])
    def test_only_a_failed_push_is_retried(self, world, customer, operator, status):
        row = self.make_failed(world, customer)
        Push.objects.update(status=status)
        with pytest.raises(DomainError) as refused:
            push.retry(push_id=row.pk, actor=operator)
        assert refused.value.code == "not_failed"


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


@pytest.mark.django_db(transaction=True)
class TestTwoWorkersAtOnce:
    def run_twice(self, work):
        barrier, failures = Barrier(2), []

        def run():
            try:
                barrier.wait()
                work()
            except Exception as error:
                failures.append(error)
            finally:
                connection.close()

        threads = [Thread(target=run) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert failures == []

    def test_each_push_is_sent_once(self, world):
        for each in world.make_customers(30):
            world.rate(each, api="1.00")
        world.plan_pushes()

        def work():
            while claimed := push.claim_due(service=world.service, now=timezone.now(), limit=7):
                push.send(pushes=claimed, connector=world.connector)

        self.run_twice(work)
        assert set(Push.objects.values_list("status", "attempts")) == {("done", 1)}
        assert world.quotations() == (30, 30)
        assert SourceDocument.objects.count() == 30

    def test_planning_at_the_same_time_stores_each_intent_once(self, world):
        for each in world.make_customers(10):
            world.rate(each, api="1.00")
        self.run_twice(world.plan_pushes)
        assert Push.objects.count() == 10

    def test_settling_at_the_same_time_settles_once(self, world):
        for each in world.make_customers(5):
            world.rate(each, api="1.00")
        world.plan_pushes()
        world.stand_in.set_fault("drop_answer_after_commit", method="sale.order.load", count=1)
        world.send()
        later = timezone.now() + DAY
        self.run_twice(lambda: world.settle(later))
        world.send(now=later + DAY)
        assert set(Push.objects.values_list("status", flat=True)) == {PushStatus.DONE}
        assert SourceDocument.objects.filter(is_current=True).count() == 5


def test_two_hundred_pushes_under_random_faults_end_equal_to_what_odoo_holds(world):
    chance = random.Random(19)
    customers = world.make_customers(200)
    for number, each in enumerate(customers):
        world.rate(each, api=f"{number}.17", sto="4.10")
    now = timezone.now()
    for _ in range(6):
        for each in chance.sample(customers, 10):
            world.rate(each, api="500.00")
        world.plan_pushes()
        world.stand_in.set_fault(chance.choice(FAULTS), method=chance.choice(METHODS))
        world.settle(now)
        world.send(now=now)
        now += timedelta(hours=2)
    world.stand_in.faults.clear()
    world.drain()
    latest = {row.key: row for row in Push.objects.order_by("version")}
    assert Counter(row.status for row in latest.values()) == {"done": 200}
    assert world.quotations() == (200, 400)
    held = world.connector.read_quotations(latest, {row.key: row.odoo_id for row in latest.values()})
    mirrored = {amount.document.reference: amount for amount in Amount.objects.filter(is_current=True)}
    for key, quotation in held.items():
        draft = QuotationDraft.from_payload(latest[key].payload)
        assert verify(draft, quotation) == []
        amount = mirrored.pop(key)
        assert (amount.untaxed, amount.tax, amount.total) == (
            quotation.untaxed,
            quotation.tax,
            quotation.total,
        )
    assert mirrored == {}


def test_a_hundred_customers_take_a_dozen_calls(world):
    for each in world.make_customers(100):
        world.rate(each, api="1.00", sto="2.00", plan_days=30)
    world.plan_pushes()
    transport = CountingTransport(TestFaults().transport(world))
    assert world.send(connector=OdooConnector(transport, company_id=1)) == {"done": 100}
    assert len(transport.calls) <= 13


def test_services_with_work_are_found_and_others_are_not(world):
    now = timezone.now()
    waiting = {
        "pending": {"next_attempt_at": now},
        "unknown": {"leased_until": now},
        "sending": {"leased_until": now - timedelta(seconds=1)},
    }
    idle = {
        "pending": {"next_attempt_at": now + DAY},
        "unknown": {"leased_until": now + DAY},
        "sending": {"leased_until": now + DAY},
        "failed": {},
    }
    found = [factories.PushFactory(status=status, **values).service for status, values in waiting.items()]
    for status, values in idle.items():
        factories.PushFactory(status=status, **values)
    assert set(push.services_waiting(now)) == set(found)


def test_what_is_in_the_way_is_told_once(db):
    row = factories.PushFactory(error="Odoo cannot be reached.", error_code="transient")
    factories.PushFactory(service=row.service, customer=row.customer, error="Odoo cannot be reached.")
    factories.PushFactory(service=row.service, customer=row.customer, status="superseded", error="Old.")
    assert push.read_errors(row.service) == ["Odoo cannot be reached."]


def test_the_world_has_one_pricelist_for_each_currency(world):
    assert sorted(OdooPricelist.objects.values_list("currency", flat=True)) == ["CAD", "USD"]
    assert plan_pushes(service=world.service, period_label=LABEL, actor=None).created == 0
