"""Pushes whose worker died, whose answer is late, or that two workers meet at: each ends once and overwrites none."""

from datetime import timedelta
from threading import Barrier, Thread
from time import sleep

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from ingest.errors import DomainError
from reconciliation import intents, push, push_decisions
from reconciliation.connectors.odoo.connector import OdooConnector
from reconciliation.connectors.odoo.drafts import QuotationDraft
from reconciliation.models import Push, PushStatus, SourceDocument
from reconciliation.quotations import read_drafts
from tests import factories
from tests.reconciliation.connectors.odoo.conftest import CountingTransport

DAY = timedelta(days=1)


@pytest.fixture
def customer(world):
    """A customer with 30.86 of API calls, 4.10 of storage and a full plan fee."""
    return world.make_billed_customer()


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


class TestLongAttempts:
    """Drafts that Odoo refuses split a batch into any number of calls, and each call may be slow."""

    @pytest.fixture
    def clock(self):
        with time_machine.travel(timezone.now()) as traveller:
            yield traveller

    def attempt(self, world, at_call):
        """Sends what is due, `at_call` being told of each call; returns the counts and the calls."""
        transport = CountingTransport(world.transport())
        transport.after = dict.fromkeys(range(100), at_call)
        counts = world.send(connector=OdooConnector(transport, company_id=1))
        return counts, transport.calls

    def test_a_living_worker_keeps_its_pushes_however_long_it_takes(self, world, customer, clock):
        world.plan_pushes()
        lease = timedelta(seconds=push.CALLS_PER_LEASE * 60)

        def sweep_of_another_worker():
            clock.shift(lease / 3)
            assert push.find_doubtful(service=world.service, now=timezone.now()) == []
            assert push.claim_due(service=world.service, now=timezone.now()) == []

        counts, calls = self.attempt(world, sweep_of_another_worker)
        assert counts == {"done": 1}
        assert len(calls) > 3, "longer than one lease"
        assert world.latest(customer).attempts == 1

    def test_one_that_was_taken_for_dead_sends_nothing_more(self, world, customer, clock):
        world.plan_pushes()

        def outlive_the_lease():
            clock.shift(timedelta(seconds=(push.CALLS_PER_LEASE + 1) * 60))
            push.find_doubtful(service=world.service, now=timezone.now())

        counts, calls = self.attempt(world, outlive_the_lease)
        assert (counts, len(calls)) == ({"unknown": 1}, 1)
        assert world.latest(customer).error_code == "worker_died"
        assert world.quotations() == (0, 0)


class TestVersions:
    def test_a_newer_version_waits_while_an_older_one_is_in_doubt(self, world, customer):
        world.plan_pushes()
        world.stand_in.set_fault("drop_answer_after_commit", method="sale.order.line.load")
        world.send()
        world.rate(customer, api="31.07")
        world.plan_pushes()
        assert world.statuses(customer) == ["unknown", "pending"]
        assert world.send(now=timezone.now() + DAY) == {}
        assert world.settle(timezone.now() + DAY) == 1
        assert world.send(now=timezone.now() + DAY) == {"done": 1}
        assert world.held(world.latest(customer))["api"] == "31.07"
        assert world.statuses(customer) == ["done", "done"]

    def test_an_older_version_that_never_arrived_is_superseded_not_sent(self, world, customer):
        world.plan_pushes()
        world.stand_in.set_fault("reset", method="sale.order.load")
        world.send()
        world.rate(customer, api="31.07")
        world.plan_pushes()
        later = timezone.now() + DAY
        world.settle(later)
        assert world.statuses(customer) == ["superseded", "pending"]
        world.send(now=later)
        assert world.statuses(customer) == ["superseded", "done"]
        assert world.held(world.latest(customer))["api"] == "31.07"

    def test_an_attempt_that_commits_late_never_overwrites_a_newer_one(self, world, customer):
        """The first answer is lost and Odoo commits only after the second version was planned."""
        world.push_now()
        world.rate(customer, api="31.07")
        world.plan_pushes()
        hasty = OdooConnector(world.transport(timeout=0.3), company_id=1)
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
        assert world.statuses(customer) == ["done", "superseded", "done"]

    def test_a_version_that_fails_after_a_newer_one_was_planned_is_history(self, world, customer, operator):
        world.plan_pushes()
        (older,) = push.claim_due(service=world.service, now=timezone.now())
        world.rate(customer, api="31.07")
        world.plan_pushes()
        world.stand_in.revoke_key()
        push.send(pushes=[older], connector=world.connector)
        assert world.statuses(customer) == ["superseded", "pending"]

    def test_a_failed_version_is_not_retried_over_a_newer_one(self, world, customer, operator):
        world.push_now()
        Push.objects.update(status="failed")
        older = Push.objects.get()
        world.rate(customer, api="31.07")
        world.push_now()
        Push.objects.filter(pk=older.pk).update(status="failed")
        with pytest.raises(DomainError) as refused:
            push_decisions.retry(push_id=older.pk, actor=operator)
        assert refused.value.code == "superseded"
        assert world.held(world.latest(customer))["api"] == "31.07"


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

    def test_planning_at_the_same_time_stores_each_intent_once(self, world, monkeypatch):
        for each in world.make_customers(5):
            world.rate(each, api="1.00")

        def read_slowly(**values):
            found = read_drafts(**values)
            sleep(0.3)  # so that both would plan on what the other one has not stored yet
            return found

        monkeypatch.setattr(intents, "read_drafts", read_slowly)
        self.run_twice(world.plan_pushes)
        assert list(Push.objects.values_list("version", flat=True)) == [1] * 5

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
