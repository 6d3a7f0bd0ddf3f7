"""The cutover as a decision of two people: who asks, who approves, and every condition that refuses."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ingest.configuration import configure
from ingest.models import AuditRecord, BillerTerm, Fee, Phase, Service
from reconciliation import cutover
from reconciliation.cutover import reject, request_cutover, start_dual_run
from reconciliation.models import CutoverRequest, Reconciliation
from reconciliation.readiness import read_readiness
from reconciliation.rules import read_loosenings
from reconciliation.triage import reopen, resolve
from tests import factories
from tests.reconciliation.ready import (
    EFFECTIVE,
    NOVEMBER,
    TODAY,
    approve,
    bill_both,
    judge_month,
    make_ready_service,
    period,
    phase_of,
    rate_month,
    refused_with,
    subscribe,
    terms,
    use,
)
from tests.reconciliation.sides import change, external

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


@pytest.fixture
def service(ready_service):
    return ready_service


@pytest.fixture
def subscription(service):
    return service.subscriptions.get()


class TestStartingTheDualRun:
    def test_an_operator_moves_a_service_out_of_shadow_on_the_record(self, operator):
        service = factories.ServiceFactory(phase=Phase.SHADOW)
        assert start_dual_run(service=service, actor=operator).phase == Phase.DUAL_RUN
        service.refresh_from_db()
        assert (service.phase, service.phase_since) == (Phase.DUAL_RUN, TODAY)
        record = AuditRecord.objects.get()
        assert (record.action, record.actor) == ("service.start_dual_run", operator)
        assert (record.before, record.after) == ({"phase": "shadow"}, {"phase": "dual_run"})

    @pytest.mark.parametrize("phase", [Phase.DUAL_RUN, Phase.APPROVED, Phase.LIVE])
    def test_from_anywhere_else_it_is_refused(self, operator, phase):
        refused_with(
            "not_in_shadow", start_dual_run, service=factories.ServiceFactory(phase=phase), actor=operator
        )

    @pytest.mark.parametrize("person", ["finance", "manager", "auditor", "outsider"], indirect=True)
    def test_nobody_else_may(self, person):
        service = factories.ServiceFactory(phase=Phase.SHADOW)
        refused_with("permission_denied", start_dual_run, service=service, actor=person)


class TestRequesting:
    def test_a_request_keeps_the_report_as_it_stands(self, requested, service, finance):
        assert (requested.status, requested.requested_by) == ("requested", finance)
        assert (requested.effective_date, requested.comment) == (EFFECTIVE, "Two clean months.")
        assert requested.readiness["is_ready"] is True
        assert len(requested.readiness["conditions"]) == 11
        record = AuditRecord.objects.get(action="cutover.request")
        assert (record.actor, record.evidence_digest) == (finance, requested.evidence_digest)
        assert phase_of(requested) == Phase.DUAL_RUN
        assert not BillerTerm.objects.exists()

    def test_it_may_be_asked_before_everything_is_ready(self, finance):
        service = factories.ServiceFactory()
        request = request_cutover(service=service, effective_date=EFFECTIVE, comment="", actor=finance)
        assert request.readiness["is_ready"] is False

    @pytest.mark.parametrize("phase", [Phase.SHADOW, Phase.APPROVED, Phase.LIVE])
    def test_only_a_service_in_its_dual_run_is_asked_for(self, finance, phase):
        service = factories.ServiceFactory(phase=phase)
        refused_with(
            "not_in_dual_run",
            request_cutover,
            service=service,
            effective_date=EFFECTIVE,
            comment="",
            actor=finance,
        )

    @pytest.mark.parametrize("day", [date(2026, 10, 3), date(2026, 10, 2)])
    def test_a_date_that_is_not_ahead_is_refused(self, service, finance, day):
        refused_with(
            "date_is_past", request_cutover, service=service, effective_date=day, comment="", actor=finance
        )

    @pytest.mark.parametrize(("zone", "is_ahead"), [("America/Vancouver", True), ("Asia/Tokyo", False)])
    def test_ahead_means_where_the_service_is(self, finance, clock, zone, is_ahead):
        clock.move_to(TODAY.replace(hour=20))
        service = make_ready_service(timezone=zone)
        arguments = {"service": service, "effective_date": date(2026, 10, 4), "comment": "", "actor": finance}
        if is_ahead:
            assert request_cutover(**arguments).pk
        else:
            refused_with("date_is_past", request_cutover, **arguments)

    def test_one_request_at_a_time(self, requested, service, finance_manager):
        refused_with(
            "already_requested",
            request_cutover,
            service=service,
            effective_date=EFFECTIVE,
            comment="",
            actor=finance_manager,
        )

    @pytest.mark.parametrize("person", ["manager", "operator", "auditor", "outsider"], indirect=True)
    def test_nobody_but_finance_asks(self, service, person):
        refused_with(
            "permission_denied",
            request_cutover,
            service=service,
            effective_date=EFFECTIVE,
            comment="",
            actor=person,
        )


class TestApproving:
    def test_a_second_person_approves_and_every_subscription_gets_its_day(
        self, approved, subscription, manager
    ):
        assert (approved.status, approved.decided_by, approved.decision_comment) == (
            "approved",
            manager,
            "Go.",
        )
        assert (approved.decided_at, phase_of(approved)) == (TODAY, Phase.APPROVED)
        assert terms(subscription) == [("odoo", NOVEMBER)]
        record = AuditRecord.objects.get(action="cutover.approve")
        assert (record.actor, record.reason) == (manager, "Go.")
        assert record.after == {"status": "approved", "effective_date": "2026-11-01", "subscriptions": 1}
        assert record.evidence_digest == approved.evidence_digest
        switch = AuditRecord.objects.get(action="subscription.switch_biller")
        assert (switch.actor, switch.object_id) == (manager, str(subscription.public_id))
        assert switch.after == {"terms": [{"biller": "odoo", "from": NOVEMBER.isoformat()}]}
        phase = AuditRecord.objects.get(action="service.approve")
        assert (phase.before, phase.after) == ({"phase": "dual_run"}, {"phase": "approved"})

    def test_whoever_asked_is_refused_whatever_else_they_are(self, service, finance_manager):
        request = request_cutover(
            service=service, effective_date=EFFECTIVE, comment="", actor=finance_manager
        )
        refused_with("same_person", approve, request_id=request.pk, actor=finance_manager)

    @pytest.mark.parametrize("person", ["finance", "operator", "auditor", "outsider"], indirect=True)
    def test_nobody_but_a_manager_approves(self, requested, person):
        refused_with("permission_denied", approve, request_id=requested.pk, actor=person)

    def test_what_is_decided_is_not_decided_again(self, approved, manager2):
        for call, arguments in ((approve, {}), (reject, {"comment": "No."})):
            refused_with("wrong_status", call, request_id=approved.pk, actor=manager2, **arguments)

    def test_the_number_of_statements_does_not_grow_with_the_subscriptions(self, finance, manager):
        def count_statements(subscriptions):
            service = make_ready_service()
            plan = service.subscriptions.get().plan
            for customer in factories.CustomerFactory.create_batch(subscriptions, service=service):
                factories.SubscriptionFactory(customer=customer, plan=plan)
            rate_month(service, 9)
            request = request_cutover(service=service, effective_date=EFFECTIVE, comment="", actor=finance)
            with CaptureQueriesContext(connection) as queries:
                approve(request_id=request.pk, actor=manager)
            assert (
                service.subscriptions.count()
                == BillerTerm.objects.filter(subscription__service=service).count()
            )
            return len(queries)

        few, many = count_statements(2), count_statements(25)
        assert many <= few


class TestNotReady:
    """Each condition that is not met refuses; there is no override."""

    def refuse(self, requested, manager, word):
        message = refused_with("not_ready", approve, request_id=requested.pk, actor=manager)
        assert word in message
        assert phase_of(requested) == Phase.DUAL_RUN

    def test_an_open_delta(self, requested, service, manager):
        bill_both(factories.CustomerFactory(service=service), 9, "95.00")
        self.refuse(requested, manager, "No delta is open")

    def test_a_missing_side(self, requested, service, manager):
        external(factories.CustomerFactory(service=service))
        self.refuse(requested, manager, "Both sides are there")

    def test_too_few_clean_periods(self, requested, service, manager):
        Service.objects.update(required_clean_periods=3)
        self.refuse(requested, manager, "clean")

    def test_a_customer_who_is_not_linked(self, requested, service, manager):
        factories.SubscriptionFactory(
            customer__service=service, customer__odoo_partner_id=None, service=service
        )
        self.refuse(requested, manager, "Every customer is linked")

    def test_a_fee_that_is_not_pushed(self, requested, service, manager):
        use(subscribe(service.customers.get()), 9)
        self.refuse(requested, manager, "All usage is pushed")

    def test_usage_that_arrived_after_it_was_judged(self, requested, service, manager):
        """The rows and fees match as they stand: approving meters and rates first, and keeps what that found."""
        use(service.subscriptions.get(), 9, "1")
        assert read_readiness(service=service, effective_date=EFFECTIVE).is_ready
        self.refuse(requested, manager, "All usage is pushed")
        assert set(Fee.objects.values_list("amount", flat=True)) == {Decimal("100.00"), Decimal("100.05")}
        assert Reconciliation.objects.filter(outcome="stale").count() == 1

    def test_a_closed_period_that_holds_nothing_but_events(self, requested, service, manager, clock):
        clock.move_to(datetime(2026, 11, 3, tzinfo=UTC))
        CutoverRequest.objects.update(effective_date=date(2026, 12, 1))
        use(service.subscriptions.get(), 10)
        self.refuse(requested, manager, "All usage is pushed")
        assert Reconciliation.objects.get(period_label="2026-10").outcome == "missing_odoo"

    def test_an_open_alarm(self, requested, service, manager):
        factories.AlarmFactory(service=service)
        self.refuse(requested, manager, "No alarm is open")

    def test_a_date_that_came_meanwhile(self, requested, manager, clock):
        clock.move_to(datetime(2026, 11, 1, 1, tzinfo=UTC))
        self.refuse(requested, manager, "The effective date lies in the future")

    def test_a_closed_period_that_nobody_judged(self, requested, service, manager, clock):
        clock.move_to(datetime(2026, 12, 3, tzinfo=UTC))
        CutoverRequest.objects.update(effective_date=date(2027, 1, 1))
        external(service.customers.get(), **period(11))
        self.refuse(requested, manager, "clean")

    def test_an_amount_that_changed_after_it_was_judged(self, requested, service, manager):
        """The rows still match as they stand: approving judges them again on the amounts as they are."""
        amount = service.customers.get().amounts.filter(side="external").latest("period_start")
        change(amount, "90.00")
        assert set(Reconciliation.objects.values_list("status", flat=True)) == {"match"}
        self.refuse(requested, manager, "No delta is open")
        assert set(Reconciliation.objects.values_list("status", flat=True)) == {"match", "delta"}


class TestWhatWasSeen:
    """An approval is about the report that the manager looked at."""

    def see(self, request):
        return read_readiness(service=request.service, effective_date=request.effective_date).digest

    @pytest.mark.parametrize("seen", ["", "0" * 64])
    def test_another_report_is_refused(self, requested, manager, seen):
        refused_with("changed_since_seen", approve, request_id=requested.pk, actor=manager, seen=seen)

    def test_the_report_for_another_date_is_refused(self, requested, manager):
        seen = read_readiness(service=requested.service, effective_date=date(2026, 12, 1)).digest
        refused_with("changed_since_seen", approve, request_id=requested.pk, actor=manager, seen=seen)

    def test_figures_that_moved_within_the_tolerance_are_looked_at_first(self, requested, service, manager):
        seen = self.see(requested)
        amount = service.customers.get().amounts.filter(side="external").latest("period_start")
        change(amount, "100.01")
        message = refused_with(
            "changed_since_seen", approve, request_id=requested.pk, actor=manager, seen=seen
        )
        assert "look at the readiness as it is now" in message
        assert Reconciliation.objects.get(period_label="2026-09").external_amount == Decimal("100.01")
        assert approve(request_id=requested.pk, actor=manager, seen=self.see(requested)).status == "approved"

    def test_a_resolution_since_is_looked_at_first(self, requested, service, manager, finance):
        bill_both(factories.CustomerFactory(service=service), 9, "95.00")
        judge_month(service, 9)
        row = Reconciliation.objects.get(status="delta")
        for reason in ("A credit note follows.", "It is a discount."):
            resolve(reconciliation_ids=[row.pk], actor=finance, reason=reason)
            if reason.startswith("A"):
                seen = self.see(requested)
                row.refresh_from_db()
                reopen(reconciliation_id=row.pk, actor=finance, reason="Not so.")
        refused_with("changed_since_seen", approve, request_id=requested.pk, actor=manager, seen=seen)


class TestLooserRules:
    """Operators configure alone; what that loosens takes a second person's word to count for a cutover."""

    def test_it_is_shown_to_who_approves_with_who_did_it(self, service, operator, finance, manager, clock):
        clock.shift(timedelta(hours=1))
        configure(service=service, values={"required_clean_periods": 1, "name": "Cloud"}, actor=operator)
        request = request_cutover(service=service, effective_date=EFFECTIVE, comment="", actor=finance)
        told = request.readiness["conditions"][-1]
        assert (told["code"], told["is_met"], told["count"]) == ("rules", True, 1)
        assert told["detail"] == (
            "clean periods required: 1, hours of grace: 24; loosened: clean periods required 2 → 1 by "
            f"{operator.get_full_name()} on 2026-10-03"
        )
        assert approve(request_id=request.pk, actor=manager).status == "approved"

    @pytest.mark.parametrize("values", [{"required_clean_periods": 1}, {"grace_hours": 25}])
    def test_a_request_under_stricter_rules_is_asked_for_again(
        self, requested, service, operator, manager, values
    ):
        configure(service=service, values=values, actor=operator)
        message = refused_with("rules_loosened", approve, request_id=requested.pk, actor=manager)
        assert "→" in message
        assert "ask again" in message

    def test_tolerance_counts_too(self, requested, service, manager):
        tolerance = factories.ToleranceFactory(service=service)
        tolerance.absolute = Decimal("0.02")
        tolerance.save()
        message = refused_with("rules_loosened", approve, request_id=requested.pk, actor=manager)
        assert "absolute tolerance in CAD 0.01 → 0.02" in message

    @pytest.mark.parametrize("values", [{"grace_hours": 23}, {"late_usage_policy": "credit"}])
    def test_stricter_or_other_rules_are_in_nobodys_way(self, requested, service, operator, manager, values):
        configure(service=service, values=values, actor=operator)
        assert approve(request_id=requested.pk, actor=manager).status == "approved"

    def test_whoever_loosened_them_may_not_approve(self, service, finance, manager, manager2, clock):
        manager.groups.add(Group.objects.get(name="operator"))
        clock.shift(timedelta(hours=1))
        actor = User.objects.get(pk=manager.pk)
        configure(service=service, values={"required_clean_periods": 1}, actor=actor)
        request = request_cutover(service=service, effective_date=EFFECTIVE, comment="", actor=finance)
        message = refused_with("same_person", approve, request_id=request.pk, actor=actor)
        assert "loosened" in message
        assert approve(request_id=request.pk, actor=manager2).status == "approved"

    def test_what_was_set_before_the_dual_run_is_how_it_began(self, operator, clock):
        service = factories.ServiceFactory(phase=Phase.SHADOW)
        configure(service=service, values={"required_clean_periods": 1}, actor=operator)
        clock.shift(timedelta(hours=1))
        start_dual_run(service=service, actor=operator)
        service.refresh_from_db()
        assert read_loosenings(service) == []


class TestRejecting:
    def test_a_manager_rejects_with_a_comment(self, requested, manager, service, finance):
        reject(request_id=requested.pk, actor=manager, comment=" One more month. ")
        requested.refresh_from_db()
        assert (requested.status, requested.decided_by) == ("rejected", manager)
        assert requested.decision_comment == "One more month."
        assert phase_of(requested) == Phase.DUAL_RUN
        record = AuditRecord.objects.get(action="cutover.reject")
        assert (record.actor, record.reason) == (manager, "One more month.")
        assert not BillerTerm.objects.exists()
        assert request_cutover(service=service, effective_date=EFFECTIVE, comment="", actor=finance).pk

    def test_without_a_comment_it_is_refused(self, requested, manager):
        refused_with("comment_required", reject, request_id=requested.pk, actor=manager, comment=" ")

    def test_whoever_asked_may_not_decide(self, service, finance_manager):
        request = request_cutover(
            service=service, effective_date=EFFECTIVE, comment="", actor=finance_manager
        )
        refused_with("same_person", reject, request_id=request.pk, actor=finance_manager, comment="No.")

    @pytest.mark.parametrize("person", ["finance", "operator", "auditor", "outsider"], indirect=True)
    def test_nobody_but_a_manager_rejects(self, requested, person):
        refused_with("permission_denied", reject, request_id=requested.pk, actor=person, comment="No.")


def test_no_status_is_left_without_a_way(db):
    assert set(cutover.TRANSITIONS) == set(cutover.CutoverStatus)
