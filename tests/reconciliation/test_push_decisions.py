"""What people decide about pushes and runs: try again, give up, pause, go on, cancel."""

from datetime import timedelta

import pytest
from django.utils import timezone

from ingest.errors import DomainError
from ingest.models import AuditRecord
from reconciliation import push, push_decisions, run_control, runs, work
from reconciliation.models import Push, Run, RunKind, RunStatus
from reconciliation.runs import Progress
from tests import factories

LABEL = factories.PERIOD_LABEL
REASON = "The customer left."


@pytest.fixture
def customer(world):
    """A customer with 30.86 of API calls, 4.10 of storage and a full plan fee."""
    return world.make_billed_customer()


class TestRetry:
    def make_failed(self, world, customer):
        world.plan_pushes()
        Push.objects.update(status="failed", attempts=12, error="Odoo refused it.", settled_at=timezone.now())
        return Push.objects.get()

    @pytest.mark.parametrize("person", ["operator"], indirect=True)
    def test_an_operator_queues_a_failed_push_again_on_the_record(self, world, customer, person):
        row = self.make_failed(world, customer)
        assert push_decisions.retry(push_id=row.pk, actor=person).status == "pending"
        record = AuditRecord.objects.first()
        assert (record.action, record.actor, record.object_id) == ("push.retry", person, str(row.public_id))
        assert record.before == {"status": "failed", "error": "Odoo refused it."}
        assert record.after == {"status": "pending"}
        assert world.send() == {"done": 1}

    @pytest.mark.parametrize("person", ["finance", "manager", "auditor", "outsider"], indirect=True)
    def test_nobody_else_may(self, world, customer, person):
        row = self.make_failed(world, customer)
        with pytest.raises(DomainError) as refused:
            push_decisions.retry(push_id=row.pk, actor=person)
        assert refused.value.code == "permission_denied"
        assert Push.objects.get().status == "failed"

    @pytest.mark.parametrize("status", ["pending", "superseded"])
    def test_only_a_failed_push_is_retried(self, world, customer, operator, status):
        row = self.make_failed(world, customer)
        Push.objects.update(status=status)
        with pytest.raises(DomainError) as refused:
            push_decisions.retry(push_id=row.pk, actor=operator)
        assert refused.value.code == "not_failed"


class TestGivingUp:
    @pytest.mark.parametrize("status", ["pending", "failed"])
    @pytest.mark.parametrize("person", ["operator"], indirect=True)
    def test_what_waits_or_failed_is_given_up_on_the_record_and_not_sent(
        self, world, customer, person, status
    ):
        world.plan_pushes()
        Push.objects.update(status=status, error="Odoo refused it.")
        row = push_decisions.give_up(push_id=Push.objects.get().pk, actor=person, reason=f" {REASON} ")
        assert (row.status, row.error_code, row.error) == ("canceled", "given_up", REASON)
        assert row.settled_at is not None
        record = AuditRecord.objects.first()
        assert (record.action, record.actor, record.reason) == ("push.give_up", person, REASON)
        assert record.before == {"status": status, "error": "Odoo refused it."}
        assert world.send() == {}
        assert world.quotations() == (0, 0)

    def test_the_schedule_leaves_it_alone_until_its_figures_change_and_a_person_pushes_it_again(
        self, world, customer, operator, finance
    ):
        world.plan_pushes()
        push_decisions.give_up(push_id=Push.objects.get().pk, actor=operator, reason=REASON)
        assert world.plan_pushes().created == 0
        world.rate(customer, api="31.07")
        assert world.plan_pushes().created == 1
        push_decisions.give_up(push_id=world.latest(customer).pk, actor=operator, reason=REASON)
        assert world.plan_pushes(actor=finance).created == 1
        assert world.statuses(customer) == ["canceled", "canceled", "pending"]

    @pytest.mark.parametrize("status", ["sending", "unknown", "superseded", "canceled"])
    def test_what_is_on_its_way_or_over_is_not_given_up(self, world, customer, operator, status):
        world.plan_pushes()
        Push.objects.update(status=status)
        with pytest.raises(DomainError) as refused:
            push_decisions.give_up(push_id=Push.objects.get().pk, actor=operator, reason=REASON)
        assert refused.value.code == "not_waiting"
        assert Push.objects.get().status == status

    @pytest.mark.parametrize("person", ["finance", "manager", "auditor", "outsider"], indirect=True)
    def test_nobody_else_may_give_up(self, world, customer, person):
        world.plan_pushes()
        with pytest.raises(DomainError) as refused:
            push_decisions.give_up(push_id=Push.objects.get().pk, actor=person, reason=REASON)
        assert refused.value.code == "permission_denied"

    def test_it_takes_a_reason(self, world, customer, operator):
        world.plan_pushes()
        with pytest.raises(DomainError) as refused:
            push_decisions.give_up(push_id=Push.objects.get().pk, actor=operator, reason=" ")
        assert refused.value.code == "reason_required"


class Stopping(Progress):
    """Progress that lets a person act once the first batch is sent."""

    def __init__(self, run, act):
        super().__init__(run)
        self.act = act

    def report(self, stage, done, total):
        if stage == "Pushing to Odoo" and self.act:
            act, self.act = self.act, None
            act()
        super().report(stage, done, total)


class TestStoppingARun:
    """A large push goes in batches, here of two; a person stops it after the first."""

    @pytest.fixture(autouse=True)
    def small_batches(self, monkeypatch):
        claim = push.claim_due
        monkeypatch.setattr(push, "claim_due", lambda **values: claim(**values, limit=2))

    @pytest.fixture
    def run(self, world):
        for each in world.make_customers(5):
            world.rate(each, api="1.00")
        return runs.start_run(kind=RunKind.PUSH, service=world.service, period_label=LABEL)

    def perform(self, run, act=None):
        """The run's work without its rating, which the fees of these tests have had."""
        runs.perform(run, lambda run, progress: work.send(run, Stopping(run, act)))
        run.refresh_from_db()

    def counts(self):
        rows = Push.objects.values_list("status", flat=True)
        return {status: list(rows).count(status) for status in set(rows)}

    def test_a_paused_run_stops_after_its_batch_and_goes_on_where_it_stopped(self, world, run, operator):
        self.perform(run, lambda: run_control.pause(run_id=run.pk, actor=operator))
        assert run.status == RunStatus.PAUSED
        assert self.counts() == {"done": 2, "pending": 3}
        later = timezone.now() + timedelta(days=1)
        assert push.services_waiting(later) == []
        assert world.send(now=later) == {}, "the sweep leaves a paused run's pushes alone"

        run_control.resume(run_id=run.pk, actor=operator)
        assert push.services_waiting(later) == [world.service]
        self.perform(runs.claim_run(run.pk))
        run.refresh_from_db()
        assert run.status == RunStatus.SUCCEEDED
        assert self.counts() == {"done": 5}
        assert world.quotations() == (5, 5)
        actions = list(AuditRecord.objects.filter(actor=operator).values_list("action", flat=True))
        assert sorted(actions) == ["run.pause", "run.resume"]

    def test_a_canceled_run_gives_up_what_waits_and_keeps_what_is_done(self, world, run, operator):
        self.perform(run, lambda: run_control.cancel(run_id=run.pk, actor=operator))
        assert (run.status, run.is_finished) == (RunStatus.CANCELED, True)
        assert self.counts() == {"done": 2, "canceled": 3}
        record = AuditRecord.objects.get(action="run.cancel")
        assert record.after == {"status": "canceled", "pushes": 3}
        assert world.send() == {}
        assert world.quotations() == (2, 2)

    def test_what_is_stopped_before_it_was_planned_plans_nothing(self, world, run, operator):
        run_control.cancel(run_id=run.pk, actor=operator)
        with pytest.raises(DomainError) as refused:
            world.plan_pushes(run=run)
        assert refused.value.code == "stopped"
        assert not Push.objects.exists()

    def test_a_person_who_pushes_again_takes_over_what_a_paused_run_holds(self, world, run, operator):
        world.plan_pushes(run=run)
        run_control.pause(run_id=run.pk, actor=operator)
        again = factories.RunFactory(service=world.service, status=RunStatus.QUEUED)
        world.plan_pushes(run=again)
        assert set(Push.objects.values_list("run", flat=True)) == {run.pk}, "the schedule does not"
        world.plan_pushes(run=again, actor=operator)
        assert set(Push.objects.values_list("run", flat=True)) == {again.pk}
        assert Push.objects.count() == 5

    @pytest.mark.parametrize("decide", [run_control.pause, run_control.resume, run_control.cancel])
    @pytest.mark.parametrize("person", ["finance", "manager", "auditor"], indirect=True)
    def test_only_operators_stop_runs(self, run, person, decide):
        with pytest.raises(DomainError) as refused:
            decide(run_id=run.pk, actor=person)
        assert refused.value.code == "permission_denied"
        assert Run.objects.get().status == RunStatus.RUNNING

    @pytest.mark.parametrize(
        ("decide", "status", "code"),
        [
            (run_control.pause, RunStatus.PAUSED, "not_under_way"),
            (run_control.pause, RunStatus.SUCCEEDED, "not_under_way"),
            (run_control.resume, RunStatus.QUEUED, "not_paused"),
            (run_control.cancel, RunStatus.CANCELED, "not_under_way"),
        ],
    )
    def test_a_run_is_stopped_only_from_where_it_can(self, run, operator, decide, status, code):
        Run.objects.update(status=status)
        with pytest.raises(DomainError) as refused:
            decide(run_id=run.pk, actor=operator)
        assert refused.value.code == code

    def test_an_import_cannot_be_paused(self, world, operator):
        run = runs.start_run(kind=RunKind.IMPORT, service=world.service)
        with pytest.raises(DomainError) as refused:
            run_control.pause(run_id=run.pk, actor=operator)
        assert refused.value.code == "not_repeatable"


class TestOrder:
    """What is meant later for a customer is not sent before what was meant earlier."""

    def make_pair(self, world, customer, **earlier):
        values = {"service": world.service, "customer": customer, "next_attempt_at": timezone.now()}
        return factories.PushFactory(**(values | earlier)), factories.PushFactory(**values)

    @pytest.mark.parametrize(
        "earlier",
        [
            {"next_attempt_at": timezone.now() + timedelta(days=1)},
            {"status": "sending", "leased_until": timezone.now() + timedelta(days=1)},
            {"status": "unknown", "leased_until": timezone.now() + timedelta(days=1)},
        ],
    )
    def test_a_later_push_waits_for_an_earlier_one_of_its_customer(self, world, customer, earlier):
        self.make_pair(world, customer, **earlier)
        other = factories.PushFactory(customer=world.make_customer(), next_attempt_at=timezone.now())
        assert push.claim_due(service=world.service, now=timezone.now()) == [other]

    @pytest.mark.parametrize("status", ["failed", "canceled", "superseded"])
    def test_one_that_is_over_holds_nothing_up(self, world, customer, status):
        _, later = self.make_pair(world, customer, status=status)
        assert push.claim_due(service=world.service, now=timezone.now()) == [later]

    def test_both_go_together_in_their_order(self, world, customer):
        pair = self.make_pair(world, customer)
        assert push.claim_due(service=world.service, now=timezone.now()) == list(pair)
