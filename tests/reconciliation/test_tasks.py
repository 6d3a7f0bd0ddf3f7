"""Tasks are wake-up calls: doubled, lost or late, the rows decide; and what each kind of run does from end to end."""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import connection
from django.utils import timezone

from ingest.models import AuditRecord, Fee, Phase, Usage
from reconciliation import tasks, webhooks
from reconciliation.models import (
    Amount,
    CutoverRequest,
    Delivery,
    OdooPartner,
    Push,
    Reconciliation,
    Run,
    RunKind,
)
from reconciliation.runs import request_run
from tests import factories
from tests.reconciliation.sides import external
from tests.repricing import reprice

pytestmark = pytest.mark.django_db

LABEL = factories.PERIOD_LABEL


@pytest.fixture
def woken(monkeypatch):
    """The ids of runs that a message was sent for; none is executed."""
    ids = []
    monkeypatch.setattr(tasks.execute_run, "delay", ids.append)
    return ids


def execute(kind, service, period_label=LABEL, **values):
    """Asks for a run and does it, as a worker would on its message."""
    run = request_run(kind=kind, service=service, actor=None, period_label=period_label, **values)
    tasks.execute_run(run.pk)
    run.refresh_from_db()
    return run


@pytest.fixture
def customer(world):
    """A customer of a service that began in September, with ten events of API calls."""
    customer = world.make_customer()
    subscription = customer.subscriptions.get()
    subscription.started_at = factories.PERIOD_START
    subscription.terminated_at = factories.PERIOD_END
    subscription.save()
    reprice(world.charges["api"], properties={"amount": "3.086"})
    for _ in range(10):
        factories.UsageEventFactory(
            service=world.service,
            external_subscription_id=subscription.external_id,
            code="api",
            properties={"value": "1"},
            quantity=1,
        )
    return customer


class TestExecuting:
    def test_a_message_that_comes_twice_does_the_work_once(self, woken, world, customer):
        run = execute(RunKind.RATE, world.service)
        finished_at = run.finished_at
        tasks.execute_run(run.pk)
        run.refresh_from_db()
        assert (run.status, run.finished_at) == ("succeeded", finished_at)

    def test_rating_meters_and_rates(self, woken, world, customer):
        run = execute(RunKind.RATE, world.service)
        assert (run.status, run.summary) == ("succeeded", {"usage": 1, "fees": 2})
        assert Usage.objects.get().quantity == 10
        assert str(Fee.objects.get(kind="usage").amount) == "30.86"
        assert (run.stage, run.done, run.total) == ("Rated", 1, 1)

    def test_pushing_rates_plans_and_sends(self, woken, world, customer):
        run = execute(RunKind.PUSH, world.service)
        assert (run.status, run.summary) == (
            "succeeded",
            {"usage": 1, "fees": 2, "planned": 1, "unchanged": 0, "refused": 0, "done": 1},
        )
        assert Push.objects.get().run == run
        assert str(Amount.objects.get().untaxed) == "129.86"

    def test_a_refresh_does_everything_to_the_delta(self, woken, world, customer):
        external(customer, "130.00")
        run = execute(RunKind.REFRESH, world.service)
        assert run.status == "succeeded"
        assert {"done": 1, "quotations": 0, "changed_rows": 1, "reopened": 0}.items() <= run.summary.items()
        row = Reconciliation.objects.get()
        assert (row.outcome, str(row.delta), str(row.expected_untaxed)) == ("compared", "-0.14", "129.86")

    def test_a_refresh_again_changes_nothing(self, woken, world, customer):
        external(customer, "130.00")
        execute(RunKind.REFRESH, world.service)
        before = [list(model.objects.values()) for model in (Fee, Push, Reconciliation)]
        run = execute(RunKind.REFRESH, world.service)
        assert [list(model.objects.values()) for model in (Fee, Push, Reconciliation)] == before
        counts = {name: run.summary[name] for name in ("usage", "fees", "planned", "changed", "changed_rows")}
        assert set(counts.values()) == {0}

    def test_a_rerun_reads_odoo_again_and_judges(self, woken, world, customer):
        external(customer, "130.00")
        execute(RunKind.REFRESH, world.service)
        (line,) = world.office.find("sale.order.line", ["name", "like", "Pro"])
        world.office.call("sale.order.line", "write", [line], {"price_unit": 80})
        run = execute(RunKind.RERUN, world.service)
        assert (run.summary["changed"], run.summary["changed_rows"]) == (1, 1)
        assert str(Reconciliation.objects.get().odoo_amount) == "110.86"

    def test_without_a_label_all_closed_periods_are_done(self, woken, world, customer):
        subscription = customer.subscriptions.get()
        subscription.started_at = datetime(2026, 7, 10, tzinfo=UTC)
        subscription.save()
        run = execute(RunKind.RATE, world.service, period_label="")
        labels = set(Fee.objects.filter(kind="plan").values_list("period_label", flat=True))
        assert (labels, run.total) == ({"2026-07", "2026-08", "2026-09"}, 3)

    def test_only_the_chosen_customers_are_pushed(self, woken, world, customer):
        other = world.make_customer()
        run = execute(RunKind.PUSH, world.service, parameters={"customers": [other.pk]})
        assert run.summary["planned"] == 1
        assert Push.objects.get().customer == other

    def test_a_bill_that_is_refused_makes_it_partial_and_is_told(self, woken, world, customer):
        customer.odoo_partner_id = None
        customer.save()
        run = execute(RunKind.PUSH, world.service)
        assert (run.status, run.summary["refused"]) == ("partial", 1)
        assert run.message == f"{customer} is not linked to an Odoo partner: link it."

    def test_odoo_being_down_leaves_the_pushes_waiting_and_says_so(self, woken, world, customer):
        world.stand_in.stop()
        run = execute(RunKind.PUSH, world.service)
        assert (run.status, run.summary["pending"]) == ("partial", 1)
        assert run.message == "Odoo cannot be reached."

    def test_a_push_that_an_earlier_run_left_in_doubt_is_still_undone(self, woken, world, customer):
        world.stand_in.set_fault("reset", method="sale.order.load")
        assert execute(RunKind.PUSH, world.service).summary["unknown"] == 1
        run = execute(RunKind.PUSH, world.service)
        assert (run.status, run.summary["unchanged"], run.summary["unknown"]) == ("partial", 1, 1)

    def test_sending_stops_when_odoo_does_not_answer(self, woken, world, customer, monkeypatch):
        monkeypatch.setattr("reconciliation.push.BATCH", 1)
        monkeypatch.setattr("reconciliation.push.claim_due.__kwdefaults__", {"limit": 1})
        for each in world.make_customers(4):
            world.rate(each, api="1.00")
        world.stand_in.stop()
        execute(RunKind.PUSH, world.service)
        assert sorted(Push.objects.values_list("attempts", flat=True)) == [0, 0, 0, 0, 1]

    def test_a_failed_fetch_fails_the_run_and_judges_nothing(self, woken, world, customer):
        external(customer, "130.00")
        execute(RunKind.PUSH, world.service)
        world.stand_in.set_fault("bad_gateway", method="sale.order.search_read")
        run = execute(RunKind.RERUN, world.service)
        assert run.status == "failed"
        assert run.message.startswith("The connection broke before Odoo answered")
        assert not Reconciliation.objects.exists()

    def test_a_charge_without_a_price_fails_the_run_and_is_named(self, woken, world, customer):
        charge = world.charges["sto"]
        reprice(charge, properties={})
        run = execute(RunKind.RATE, world.service)
        assert run.status == "failed"
        assert str(charge) in run.message

    @pytest.mark.parametrize(
        ("kind", "phase", "message"),
        [
            (RunKind.RECONCILE, Phase.SHADOW, "in shadow"),
            (RunKind.IMPORT, Phase.DUAL_RUN, "Import the file again"),
        ],
    )
    def test_a_refusal_is_told(self, woken, kind, phase, message):
        run = execute(kind, factories.ServiceFactory(phase=phase))
        assert run.status == "failed"
        assert message in run.message

    def test_a_label_that_is_none_and_a_service_that_is_missing_are_told(self, woken):
        assert "'soon' is no period" in execute(RunKind.RATE, factories.ServiceFactory(), "soon").message
        assert execute(RunKind.PUSH, None).message == "This kind of run needs a service."

    def test_without_an_address_of_odoo_it_says_what_to_set(self, woken, settings, customer):
        settings.ODOO_URL = ""
        run = execute(RunKind.FETCH, customer.service)
        assert (run.status, "ODOO_URL" in run.message) == ("failed", True)

    def test_a_sync_mirrors_what_odoo_holds(self, woken, world):
        OdooPartner.objects.all().delete()
        run = execute(RunKind.SYNC, None, "")
        assert (run.status, run.summary["partners"]) == ("succeeded", OdooPartner.objects.count())


@contextmanager
def other_worker():
    """What takes a sweep's lock on a connection of its own; true when it was free."""
    with psycopg.connect(**connection.get_connection_params() | {"context": None}) as other:
        yield lambda name: other.execute("SELECT pg_try_advisory_lock(hashtext(%s))", [name]).fetchone()[0]
        # A closed connection's locks end a moment after it.
        other.execute("SELECT pg_advisory_unlock_all()")


class TestSweeping:
    def test_lost_runs_are_woken(self, woken):
        lost = factories.RunFactory(status="running", leased_until=timezone.now() - timedelta(seconds=1))
        tasks.wake_runs()
        assert woken == [lost.pk]

    def test_waiting_and_doubtful_pushes_are_brought_to_an_end(self, world):
        customers = world.make_customers(3)
        for each in customers:
            world.rate(each, api="1.00")
        world.plan_pushes()
        world.stand_in.set_fault("drop_answer_after_commit", method="sale.order.load")
        tasks.send_waiting_pushes()
        assert set(Push.objects.values_list("status", flat=True)) == {"unknown"}
        tasks.send_waiting_pushes()
        assert set(Push.objects.values_list("status", flat=True)) == {"unknown"}, "it may still commit"
        Push.objects.update(leased_until=timezone.now(), next_attempt_at=timezone.now())
        tasks.send_waiting_pushes()
        assert set(Push.objects.values_list("status", flat=True)) == {"done"}
        assert world.quotations() == (3, 3)

    def test_a_service_whose_key_cannot_be_read_holds_up_no_other(self, world):
        first = factories.PushFactory(customer__service__name="Aardvark")
        factories.ServiceConnectionFactory(service=first.service, connection__secret=b"not encrypted")
        customer = world.make_customer()
        world.rate(customer, api="1.00")
        world.plan_pushes()
        tasks.send_waiting_pushes()
        assert world.latest(customer).status == "done"
        first.refresh_from_db()
        assert first.status == "pending"

    def test_due_deliveries_are_attempted(self, monkeypatch):
        factories.DeliveryFactory(endpoint__secret=b"not encrypted", next_attempt_at=timezone.now())
        tasks.deliver_webhooks()
        assert (Delivery.objects.get().attempts, Delivery.objects.get().status) == (1, "retrying")

    @pytest.mark.parametrize("task", [tasks.deliver_webhooks, tasks.send_waiting_pushes])
    def test_two_workers_never_do_the_same_sweep_at_once(self, task, monkeypatch):
        done = []
        monkeypatch.setattr("reconciliation.webhooks.deliver_due", lambda **_: done.append(1))
        monkeypatch.setattr("reconciliation.push.services_waiting", lambda _: done.append(1) or [])
        with other_worker() as lock:
            lock(task.__name__)
            task()
            assert done == []
        task()
        task()
        assert done == [1, 1], "the lock is given back"

    def test_a_receiver_that_drips_past_the_limit_ends_the_sweep_and_gives_the_lock_back(self, monkeypatch):
        def drip(**_):
            raise SoftTimeLimitExceeded

        monkeypatch.setattr("reconciliation.webhooks.deliver_due", drip)
        tasks.deliver_webhooks()
        with other_worker() as lock:
            assert lock("deliver_webhooks")

    def test_no_sweep_piles_up(self):
        entries = settings.CELERY_BEAT_SCHEDULE.values()
        sweeps = [entry for entry in entries if isinstance(entry["schedule"], float)]
        assert len(sweeps) == 7
        assert all(entry["options"]["expires"] == entry["schedule"] for entry in sweeps)
        assert tasks.deliver_webhooks.soft_time_limit == webhooks.BUDGET + 3 * settings.WEBHOOK_TIMEOUT

    def test_approved_services_go_live_on_their_date(self):
        request = factories.CutoverRequestFactory(
            status="approved",
            effective_date=timezone.localdate(),
            decided_by=factories.UserFactory(),
            decided_at=timezone.now() - timedelta(days=3),
            service__phase=Phase.APPROVED,
        )
        tasks.activate_cutovers()
        request.service.refresh_from_db()
        assert (CutoverRequest.objects.get().status, request.service.phase) == ("live", "live")

    def test_the_night_mirrors_odoo_and_brings_every_service_up_to_date(
        self, woken, django_capture_on_commit_callbacks
    ):
        services = {phase: factories.ServiceFactory(phase=phase) for phase in Phase}
        with django_capture_on_commit_callbacks(execute=True):
            tasks.start_nightly_runs()
        kinds = {run.service: run.kind for run in Run.objects.select_related("service")}
        assert kinds == {
            None: "sync",
            services[Phase.SHADOW]: "push",
            services[Phase.DUAL_RUN]: "refresh",
            services[Phase.APPROVED]: "refresh",
            services[Phase.LIVE]: "refresh",
        }
        assert len(woken) == 5
        assert set(AuditRecord.objects.values_list("actor_label", flat=True)) == {"schedule"}

    def test_what_lago_billed_is_fetched_first_where_a_service_has_one(self):
        connection = factories.LagoConnectionFactory()
        tasks.start_nightly_runs()
        kinds = Run.objects.filter(service=connection.service).order_by("pk").values_list("kind", flat=True)
        assert kinds[0] == "fetch_lago"
