"""However calls fail and workers die, Odoo ends with one record of each push, equal to the newest that was meant."""

import gc
import os
import random
import signal
from collections import Counter
from datetime import timedelta
from time import sleep

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from ingest.models import Fee
from reconciliation import odoo_amounts, push, push_decisions
from reconciliation.connectors.odoo.connector import OdooConnector
from reconciliation.connectors.odoo.drafts import QuotationDraft
from reconciliation.connectors.odoo.readback import verify
from reconciliation.models import Amount, Push, PushStatus
from reconciliation.models.push import IN_FLIGHT, WAITING
from tests import factories
from tests.reconciliation.connectors.odoo.conftest import CountingTransport
from tests.reconciliation.odoo_world import OdooWorld

DAY = timedelta(days=1)
FAULTS = ("drop_answer_after_commit", "bad_gateway", "reset", "serialization_failure")
# Each call of an attempt and of its read-back.
METHODS = (
    "crm.tag.load",
    "sale.order.load",
    "sale.order.line.load",
    "sale.order.read",
    "sale.order.search_read",
    "sale.order.line.search_read",
    "sale.order.line.get_external_id",
    "sale.order.line.unlink",
    "sale.order.get_external_id",
)
KILLS = 50


def newest():
    """The newest version of each push, by key."""
    return {row.key: row for row in Push.objects.order_by("version")}


def assert_once(world, count, lines=None):
    """Odoo holds one quotation of each push, as it was meant last, and the mirror says the same."""
    rows = newest()
    assert Counter(row.status for row in rows.values()) == {"done": count}
    assert world.quotations() == (count, count if lines is None else lines)
    held = world.connector.read_quotations(rows, {row.key: row.odoo_id for row in rows.values()})
    amounts = Amount.objects.filter(is_current=True).select_related("document")
    mirrored = {amount.document.reference: amount for amount in amounts}
    assert held.keys() == rows.keys() == mirrored.keys()
    for key, quotation in held.items():
        assert verify(QuotationDraft.from_payload(rows[key].payload), quotation) == []
        amount, seen = mirrored[key], quotation
        assert (amount.untaxed, amount.tax, amount.total) == (seen.untaxed, seen.tax, seen.total)


def set_fees(**amounts):
    """Another amount for some of the fees, in one statement."""
    Fee.objects.filter(**amounts.pop("which", {})).update(**amounts)


def make_fees(world, *, customers, each=1):
    """So many customers with so many fees each, in few statements."""
    world.make_customers(customers)
    Fee.objects.bulk_create(
        factories.FeeFactory.build(
            subscription=subscription,
            charge=world.charges["api"],
            bucket=str(number),
            amount=subscription.pk % 1000,
            exact_amount=subscription.pk % 1000,
        )
        for subscription in world.service.subscriptions.all()
        for number in range(each)
    )


def test_a_thousand_pushes_under_random_faults_end_as_a_thousand_records(world):
    chance = random.Random(19)
    make_fees(world, customers=1000)
    fees = list(Fee.objects.values_list("pk", flat=True))
    now, hasty = timezone.now(), OdooConnector(world.transport(timeout=0.2), company_id=1)
    for round_ in range(5):
        if round_ % 2 == 0:
            changed = Fee.objects.filter(pk__in=chance.sample(fees, 50))
            changed.update(amount=2000 + round_, exact_amount=2000 + round_)
            world.plan_pushes()
        world.settle(now)
        world.stand_in.revoke_key(is_revoked=round_ == 3)
        for claimed in in_parts(push.claim_due(service=world.service, now=now), 200):
            late = chance.random() < 0.15
            fault = chance.choice(("timeout", "delay_commit") if late else FAULTS)
            method = "sale.order.load" if late else chance.choice(METHODS)
            world.stand_in.set_fault(fault, method=method, seconds=0.4)
            push.send(pushes=claimed, connector=hasty if late else world.connector)
        now += timedelta(hours=3)
    world.stand_in.faults.clear()
    world.plan_pushes()
    sleep(0.5)  # until the last late commit
    world.drain()
    assert_once(world, 1000)
    assert Push.objects.count() > 1050


def in_parts(pushes, size):
    return [pushes[start : start + size] for start in range(0, len(pushes), size)]


def test_a_push_of_a_thousand_fees_makes_at_most_fifteen_calls(world):
    customers = 125
    make_fees(world, customers=customers, each=1000 // customers)
    transport = CountingTransport(world.transport())
    world.plan_pushes()
    assert world.send(connector=OdooConnector(transport, company_id=1)) == {"done": customers}
    assert len(transport.calls) <= 15
    assert world.quotations() == (customers, 1000)
    assert world.plan_pushes().created == 0, "unchanged ones are skipped"


class TestLateCommits:
    """Odoo carries out the first version only after the second was sent: it took longer than it ever should."""

    @pytest.fixture
    def customer(self, world):
        customer = world.make_customer()
        world.rate(customer, api="30.00")
        world.push_now()
        return customer

    def test_a_commit_between_the_second_version_and_its_read_back_is_seen_and_mended(self, world, customer):
        world.rate(customer, api="31.00")
        world.plan_pushes()
        (first,) = push.claim_due(service=world.service, now=timezone.now())
        first_draft = QuotationDraft.from_payload(first.payload)
        world.rate(customer, api="32.00")
        world.plan_pushes()
        world.settle(first.leased_until + DAY)
        assert world.statuses(customer) == ["done", "superseded", "pending"]

        transport = CountingTransport(world.transport())
        # The read-back's first call: all of the second version is written by then.
        transport.before["sale.order.get_external_id"] = lambda: world.connector.write_quotations(
            [first_draft]
        )
        second = world.send(now=timezone.now() + DAY, connector=OdooConnector(transport, company_id=1))

        assert second == {"pending": 1}
        row = world.latest(customer)
        assert row.error_code == "read_back_differs"
        assert "31.00 in Odoo, 32 intended" in row.error
        world.drain()
        assert world.held(row) == {"api": "32.00"}
        assert world.statuses(customer) == ["done", "superseded", "done"]

    def test_a_commit_after_the_second_version_was_done_is_found_by_the_next_fetch_and_mended(
        self, world, customer
    ):
        first = QuotationDraft.from_payload(world.latest(customer).payload)
        world.rate(customer, api="32.00")
        world.push_now()
        world.connector.write_quotations([first])

        odoo_amounts.fetch_amounts(
            service=world.service,
            period_label=factories.PERIOD_LABEL,
            connector=world.connector,
            unread_since=timezone.now(),
        )

        row = world.latest(customer)
        assert (row.status, row.error_code) == ("failed", "changed_in_odoo")
        assert str(Amount.objects.get(is_current=True).untaxed) == "30.00", "what Odoo says is told as it is"
        assert world.push_now() == {"done": 1}
        assert world.held(row) == {"api": "32.00"}


@pytest.mark.django_db(transaction=True)
def test_killing_the_worker_fifty_times_changes_nothing(world):
    chance = random.Random(7)
    make_fees(world, customers=120, each=2)
    world.plan_pushes()
    now, killed = timezone.now(), 0
    while killed < KILLS:
        killed += kill_at_work(world, now, chance.uniform(0, 0.1))
        now += DAY
        if not push.open_pushes(world.service).exists():
            set_fees(which={"bucket": "0"}, amount=killed, exact_amount=killed)
            world.plan_pushes()
    world.drain(now)
    assert_once(world, 120, 240)


def kill_at_work(world, now, seconds):
    """Lets a worker of its own process push for a moment, and kills it; whether it was still at work."""
    worker = os.fork()
    if worker == 0:
        work_until_killed(world, now)
    sleep(seconds)
    os.kill(worker, signal.SIGKILL)
    _, status = os.waitpid(worker, 0)
    return os.WIFSIGNALED(status)


def work_until_killed(world, now):
    """What the forked worker does; it never comes back to the tests."""
    # The parent's connection: neither to be used nor to be closed.
    gc.disable()
    gc.freeze()
    kept, connection.connection = connection.connection, None
    try:
        push.settle(pushes=push.find_doubtful(service=world.service, now=now), connector=world.connector)
        while claimed := push.claim_due(service=world.service, now=now, limit=15):
            push.send(pushes=claimed, connector=world.connector)
        sleep(60)
    finally:
        os._exit(bool(kept))


class Outbox(RuleBasedStateMachine):
    """Fees change, pushes are planned, sent, lost, retried and given up, in any order."""

    world: OdooWorld
    operator: object

    def __init__(self):
        super().__init__()
        self.savepoint = transaction.atomic()
        self.savepoint.__enter__()
        self.now = timezone.now()
        # Customers of this example alone: Odoo is the same one for all of them, as it is in life.
        self.customers = self.world.make_customers(2)
        for each in self.customers:
            self.world.rate(each, api="1.00")
        self.ids = [each.pk for each in self.customers]

    def teardown(self):
        """Whatever happened, it settles into one record of each."""
        try:
            self.world.stand_in.faults.clear()
            self.world.stand_in.revoke_key(is_revoked=False)
            # A person asks for all that was given up or has failed.
            self.plan(self.operator)
            self.world.drain()
            self.assert_one_record_each()
        finally:
            transaction.set_rollback(True)
            self.savepoint.__exit__(None, None, None)

    def assert_one_record_each(self):
        rows = {each.pk: self.world.latest(each) for each in self.customers}
        assert {row.status for row in rows.values()} == {PushStatus.DONE}
        held = self.world.connector.read_quotations([row.key for row in rows.values()])
        for fee in Fee.objects.filter(subscription__customer__in=rows).select_related("subscription"):
            row = rows.pop(fee.subscription.customer_id)
            assert [line.untaxed for line in held[row.key].lines] == [fee.amount]
        assert rows == {}
        ids = sorted(quotation.id for quotation in held.values())
        reference = ["client_order_ref", "=", f"{self.world.service.name} {factories.PERIOD_LABEL}"]
        found = self.world.office.call("sale.order", "search", [reference, ["id", "in", ids]])
        assert sorted(found) == ids

    def plan(self, actor):
        self.world.plan_pushes(customers=self.ids, actor=actor)

    @rule(customer=st.sampled_from([0, 1]), cents=st.integers(1, 9), by_person=st.booleans())
    def change(self, customer, cents, by_person):
        self.world.rate(self.customers[customer], api=f"{cents}.00")
        self.plan(self.operator if by_person else None)

    @rule(fault=st.sampled_from(FAULTS), method=st.sampled_from(METHODS))
    def go_wrong(self, fault, method):
        self.world.stand_in.set_fault(fault, method=method)

    @rule(is_revoked=st.booleans())
    def revoke(self, is_revoked):
        self.world.stand_in.revoke_key(is_revoked=is_revoked)

    @rule()
    def send(self):
        self.world.send(now=self.now)

    @rule()
    def die(self):
        push.claim_due(service=self.world.service, now=self.now)

    @rule(hours=st.sampled_from([0, 1, 30]))
    def sweep(self, hours):
        self.now += timedelta(hours=hours)
        self.world.settle(self.now)

    @precondition(lambda self: self.find(PushStatus.FAILED))
    @rule()
    def retry(self):
        failed = self.find(PushStatus.FAILED)
        if not Push.objects.filter(key=failed.key, version__gt=failed.version).exists():
            push_decisions.retry(push_id=failed.pk, actor=self.operator)

    @precondition(lambda self: self.find(*WAITING))
    @rule()
    def give_up(self):
        push_decisions.give_up(push_id=self.find(*WAITING).pk, actor=self.operator, reason="Not now.")

    @invariant()
    def one_attempt_is_in_flight_and_none_is_older_than_what_is_done(self):
        versions = Push.objects.filter(customer__in=self.ids).order_by("version")
        for each in self.ids:
            rows = [row for row in versions if row.customer_id == each]
            assert sum(row.status in IN_FLIGHT for row in rows) <= 1
            done = [row.version for row in rows if row.status == PushStatus.DONE]
            assert all(row.version > max(done, default=0) for row in rows if row.status == PushStatus.PENDING)

    def find(self, *statuses):
        return Push.objects.filter(customer__in=self.ids, status__in=statuses).first()


def test_push_fail_retry_and_cancel_in_any_order_end_with_one_record(world, operator):
    machine = type("Machine", (Outbox,), {"world": world, "operator": operator})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=10,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
