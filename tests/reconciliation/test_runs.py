"""Runs: who may ask for them, who does them, what becomes of a dead worker's, and how they end."""

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from celery import Celery
from django.db import connection, transaction
from django.utils import timezone

from ingest.errors import DomainError
from ingest.metering.periods import PeriodLabelError
from ingest.models import AuditRecord
from reconciliation import runs
from reconciliation.connectors.errors import ConnectorError
from reconciliation.models import Run, RunKind
from reconciliation.runs import (
    Progress,
    claim_run,
    find_lost_runs,
    perform,
    request_run,
    retry_run,
    start_run,
)
from tests import factories

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
FINANCE_MAY = {
    RunKind.PUSH,
    RunKind.REFRESH,
    RunKind.RECONCILE,
    RunKind.RERUN,
    RunKind.FETCH,
    RunKind.PREVIEW,
    RunKind.IMPORT,
    RunKind.FETCH_LAGO,
}


@pytest.fixture
def woken(monkeypatch):
    """The ids of runs that a message was sent for."""
    from reconciliation.tasks import execute_run

    ids = []
    monkeypatch.setattr(execute_run, "delay", ids.append)
    return ids


@pytest.fixture
def service():
    return factories.ServiceFactory()


class TestRequesting:
    def test_a_request_is_a_queued_row_with_an_audit_record(self, woken, service, finance):
        run = request_run(
            kind=RunKind.REFRESH,
            service=service,
            actor=finance,
            period_label="2026-09",
            parameters={"customers": [7]},
        )
        run.refresh_from_db()
        assert (run.status, run.requested_by, run.period_label) == ("queued", finance, "2026-09")
        record = AuditRecord.objects.get()
        assert (record.action, record.actor, record.service) == ("run.refresh", finance, service)
        assert record.after == {"period": "2026-09", "customers": [7]}
        assert record.object_id == str(run.public_id)

    def test_a_worker_is_woken_once_it_is_committed_and_not_before(
        self, woken, service, django_capture_on_commit_callbacks
    ):
        with django_capture_on_commit_callbacks(execute=True):
            run = request_run(kind=RunKind.PUSH, service=service, actor=None)
            assert woken == []
        assert woken == [run.pk]

    @pytest.mark.django_db(transaction=True)
    def test_a_request_that_is_rolled_back_wakes_nobody_and_leaves_no_trace(self, woken, service):
        @transaction.atomic
        def ask_and_fail():
            request_run(kind=RunKind.PUSH, service=service, actor=None)
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            ask_and_fail()
        assert (woken, Run.objects.count(), AuditRecord.objects.count()) == ([], 0, 0)

    @pytest.mark.parametrize("broker", ["amqp://127.0.0.1:1//", "filesystem://localhost"])
    def test_a_broker_that_cannot_be_reached_leaves_the_run_queued(
        self, service, broker, tmp_path, monkeypatch, django_capture_on_commit_callbacks
    ):
        from reconciliation.tasks import execute_run

        (tmp_path / "file").write_text("This is no folder.")
        folder = str(tmp_path / "file" / "messages")
        app = Celery(broker=broker, set_as_current=False)
        if broker.startswith("filesystem"):
            app.conf.broker_transport_options = {"data_folder_in": folder, "data_folder_out": folder}
        sent = []
        monkeypatch.setattr(
            execute_run,
            "delay",
            lambda run_id: sent.append(run_id) or app.send_task(execute_run.name, [run_id]),
        )
        with django_capture_on_commit_callbacks(execute=True):
            run = request_run(kind=RunKind.PUSH, service=service, actor=None)
        run.refresh_from_db()
        assert (run.status, sent) == ("queued", [run.pk])
        assert find_lost_runs(timezone.now() + HOUR) == [run.pk]

    @pytest.mark.parametrize("kind", RunKind)
    @pytest.mark.parametrize(
        ("person", "allowed"),
        [
            ("finance", FINANCE_MAY),
            ("operator", set(RunKind)),
            ("manager", set()),
            ("auditor", set()),
            ("outsider", set()),
        ],
        indirect=["person"],
    )
    def test_finance_moves_figures_and_operators_do_anything(self, woken, service, person, allowed, kind):
        if kind in allowed:
            assert request_run(kind=kind, service=service, actor=person).requested_by == person
            return
        with pytest.raises(DomainError) as refused:
            request_run(kind=kind, service=service, actor=person)
        assert refused.value.code == "permission_denied"
        assert not Run.objects.exists()
        assert not AuditRecord.objects.exists()


class TestClaiming:
    def test_a_queued_run_is_taken_under_a_lease(self, service):
        run = factories.RunFactory(service=service, message="old")
        claimed = claim_run(run.pk)
        assert (claimed.status, claimed.message) == ("running", "")
        assert claimed.leased_until - claimed.started_at == runs.LEASE
        assert claim_run(run.pk) is None

    @pytest.mark.parametrize("status", ["succeeded", "partial", "failed"])
    def test_a_finished_run_is_never_taken_again(self, status):
        assert claim_run(factories.RunFactory(status=status).pk) is None

    def test_a_run_that_is_not_there_is_nobodys(self):
        assert claim_run(999_999) is None

    @pytest.mark.django_db(transaction=True)
    def test_two_workers_take_it_once(self):
        run = factories.RunFactory()
        barrier, claimed = Barrier(4), []

        def claim():
            barrier.wait()
            claimed.append(claim_run(run.pk))
            connection.close()

        threads = [Thread(target=claim) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert [found for found in claimed if found] == [run]

    def test_a_dead_workers_run_is_taken_over(self):
        dead = claim_run(factories.RunFactory().pk)
        Run.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
        heir = claim_run(dead.pk)
        assert heir is not None
        assert heir.started_at > dead.started_at

    def test_a_command_has_its_run_under_lease_at_once_and_on_the_record(self, service):
        run = start_run(kind=RunKind.FETCH, service=service, period_label="2026-09")
        assert (run.status, claim_run(run.pk)) == ("running", None)
        record = AuditRecord.objects.get()
        assert (record.action, record.actor, record.actor_label) == ("run.fetch", None, "command")


class TestProgress:
    def test_a_report_is_kept_and_renews_the_lease(self):
        run = claim_run(factories.RunFactory().pk)
        Run.objects.update(leased_until=timezone.now() + timedelta(seconds=1))
        Progress(run).report("Pushing to Odoo", 3, 10)
        run.refresh_from_db()
        assert (run.stage, run.done, run.total) == ("Pushing to Odoo", 3, 10)
        assert run.leased_until > timezone.now() + timedelta(minutes=4)

    def test_it_is_echoed_to_a_terminal(self):
        told = []
        Progress(claim_run(factories.RunFactory().pk), lambda *parts: told.append(parts)).report(
            "Rating", 1, 2
        )
        assert told == [("Rating", 1, 2)]

    def test_who_was_taken_over_stops_at_the_next_report(self):
        dead = claim_run(factories.RunFactory().pk)
        Run.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
        heir = claim_run(dead.pk)
        with pytest.raises(DomainError) as lost:
            Progress(dead).report("Pushing", 1, 2)
        assert lost.value.code == "lease_lost"
        heir.refresh_from_db()
        assert heir.stage == ""


class TestEnding:
    def run(self, work):
        return perform(claim_run(factories.RunFactory().pk), work)

    def test_success_keeps_what_was_counted(self):
        run = self.run(lambda run, progress: {"usage": 3, "message": "All is well."})
        assert (run.status, run.summary, run.message) == ("succeeded", {"usage": 3}, "All is well.")
        assert run.finished_at is not None
        assert run.leased_until is None

    @pytest.mark.parametrize("name", ["refused", "failed", "unknown", "pending", "sending"])
    def test_anything_left_undone_makes_it_partial(self, name):
        assert self.run(lambda run, progress: {name: 1}).status == "partial"
        assert self.run(lambda run, progress: {name: 0}).status == "succeeded"

    @pytest.mark.parametrize(
        ("error", "message"),
        [
            (ConnectorError("transient", "Odoo cannot be reached.", "odoo"), "Odoo cannot be reached."),
            (DomainError("not_judged", "It is in shadow."), "It is in shadow."),
            (
                PeriodLabelError("soon"),
                "'soon' is no period, such as 2026-W21, 2026-05, 2026-Q2, 2026-H1 or 2026-05-15.",
            ),
        ],
    )
    def test_a_known_failure_is_a_status_with_its_message(self, error, message):
        def fail(run, progress):
            raise error

        run = self.run(fail)
        assert (run.status, run.message, run.summary) == ("failed", message, {})

    def test_an_unexpected_failure_is_a_status_too_and_tells_no_secret(self):
        run = claim_run(factories.RunFactory().pk)

        def fail(run, progress):
            raise KeyError("the password is hunter2")

        with pytest.raises(KeyError):
            perform(run, fail)
        run.refresh_from_db()
        assert (run.status, run.leased_until) == ("failed", None)
        assert run.message == "An unexpected error; the log has it under this run's id."

    def test_the_late_report_of_a_dead_worker_is_refused_while_its_heir_works(self):
        dead, heirs = claim_run(factories.RunFactory().pk), []

        def work(run, progress):
            Run.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
            heirs.append(claim_run(run.pk))
            return {"by": "the dead one"}

        ended = perform(dead, work)
        assert (ended.status, ended.summary) == ("running", {})
        (heir,) = heirs
        ended = perform(heir, lambda run, progress: {"by": "the heir"})
        assert (ended.status, ended.summary) == ("succeeded", {"by": "the heir"})


class TestWaking:
    def test_lost_messages_and_dead_workers_are_found_and_others_are_not(self):
        now = timezone.now()
        queued = factories.RunFactory()
        dead = factories.RunFactory(status="running", leased_until=now - timedelta(seconds=1))
        factories.RunFactory(status="running", leased_until=now + HOUR)
        factories.RunFactory(status="succeeded")
        assert find_lost_runs(now) == [dead.pk], "what was queued just now has its message under way"
        assert find_lost_runs(now + timedelta(seconds=6)) == [queued.pk, dead.pk]


class TestRetrying:
    @pytest.mark.parametrize("status", ["failed", "partial", "succeeded"])
    def test_the_same_work_is_queued_as_a_new_run(self, woken, service, operator, status):
        run = factories.RunFactory(
            service=service, kind=RunKind.PUSH, status=status, parameters={"customers": [7]}
        )
        again = retry_run(run_id=run.pk, actor=operator)
        assert again.pk != run.pk
        assert (again.kind, again.service, again.period_label) == (run.kind, service, run.period_label)
        assert (again.parameters, again.status, again.requested_by) == (
            {"customers": [7]},
            "queued",
            operator,
        )
        run.refresh_from_db()
        assert run.status == status

    @pytest.mark.parametrize("status", ["queued", "running"])
    def test_a_run_that_is_not_finished_is_refused(self, operator, status):
        run = factories.RunFactory(status=status, leased_until=timezone.now())
        with pytest.raises(DomainError) as refused:
            retry_run(run_id=run.pk, actor=operator)
        assert refused.value.code == "not_finished"

    def test_an_import_cannot_be_repeated_without_its_file(self, operator):
        run = factories.RunFactory(kind=RunKind.IMPORT, status="failed")
        with pytest.raises(DomainError) as refused:
            retry_run(run_id=run.pk, actor=operator)
        assert refused.value.code == "not_repeatable"

    @pytest.mark.parametrize("person", ["manager", "auditor", "outsider"], indirect=True)
    def test_who_may_not_ask_for_it_may_not_repeat_it(self, person):
        run = factories.RunFactory(kind=RunKind.PUSH, status="failed")
        with pytest.raises(DomainError) as refused:
            retry_run(run_id=run.pk, actor=person)
        assert refused.value.code == "permission_denied"
        assert Run.objects.count() == 1
