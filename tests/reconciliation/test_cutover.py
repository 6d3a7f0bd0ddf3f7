"""The cutover: two people, every condition, each subscription on its own day, and a way back."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ingest.billers import biller_of
from ingest.errors import DomainError
from ingest.models import AuditRecord, BillerTerm, Phase, Service
from reconciliation import cutover
from reconciliation.cutover import (
    activate_due,
    approve,
    assign_to_odoo,
    reject,
    request_cutover,
    roll_back,
    start_dual_run,
)
from reconciliation.models import CutoverRequest, Delivery, Reconciliation
from reconciliation.quotations import read_drafts
from reconciliation.secrets import encrypt
from reconciliation.webhooks import deliver_due, sign
from tests import factories
from tests.reconciliation.ready import TODAY, bill_both, make_ready_service, period
from tests.reconciliation.receiver import receive
from tests.reconciliation.sides import change, expect, external

pytestmark = pytest.mark.django_db

EFFECTIVE = date(2026, 11, 1)
NOVEMBER = datetime(2026, 11, 1, tzinfo=UTC)
DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock():
    """It is noon on 3 October; a test may move on."""
    with time_machine.travel(TODAY, tick=False) as traveller:
        yield traveller


@pytest.fixture
def service():
    return make_ready_service()


@pytest.fixture
def subscription(service):
    return service.subscriptions.get()


@pytest.fixture
def requested(service, finance):
    return request_cutover(
        service=service, effective_date=EFFECTIVE, comment="Two clean months.", actor=finance
    )


@pytest.fixture
def approved(requested, manager):
    return approve(request_id=requested.pk, actor=manager, comment="Go.")


@pytest.fixture
def live(approved, clock):
    clock.move_to(NOVEMBER)
    activate_due(now=NOVEMBER)
    approved.refresh_from_db()
    return approved


def phase_of(request):
    return Service.objects.get(pk=request.service_id).phase


def terms(subscription):
    return [(term.biller, term.starts_at) for term in subscription.biller_terms.order_by("starts_at")]


def refused_with(code, call, **arguments):
    """The call refuses, and leaves no trace of itself."""
    models = (CutoverRequest, Service, BillerTerm, Delivery)
    before = [list(model.objects.order_by("pk").values()) for model in models]
    records = AuditRecord.objects.exclude(action="reconciliation.reopen").count()
    with pytest.raises(DomainError) as refused:
        call(**arguments)
    assert refused.value.code == code
    assert [list(model.objects.order_by("pk").values()) for model in models] == before
    assert AuditRecord.objects.exclude(action="reconciliation.reopen").count() == records
    return refused.value.message


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
        assert len(requested.readiness["conditions"]) == 9
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
        expect(service.customers.get(), "3.00")
        self.refuse(requested, manager, "All usage is pushed")

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


class TestTheSwitch:
    """Each subscription at its first period start on or after the date, where its customer is."""

    @pytest.mark.parametrize(
        ("values", "start"),
        [
            ({"plan__interval": "monthly"}, datetime(2026, 11, 1, tzinfo=UTC)),
            ({"plan__interval": "weekly"}, datetime(2026, 11, 2, tzinfo=UTC)),
            ({"plan__interval": "quarterly"}, datetime(2027, 1, 1, tzinfo=UTC)),
            ({"plan__interval": "semiannual"}, datetime(2027, 1, 1, tzinfo=UTC)),
            ({"plan__interval": "yearly"}, datetime(2027, 1, 1, tzinfo=UTC)),
            (
                {"billing_time": "anniversary", "started_at": datetime(2026, 1, 15, tzinfo=UTC)},
                datetime(2026, 11, 15, tzinfo=UTC),
            ),
            (
                {"billing_time": "anniversary", "started_at": datetime(2026, 1, 1, tzinfo=UTC)},
                datetime(2026, 11, 1, tzinfo=UTC),
            ),
            ({"started_at": datetime(2026, 11, 20, tzinfo=UTC)}, datetime(2026, 11, 1, tzinfo=UTC)),
            ({"customer__timezone": "America/Vancouver"}, datetime(2026, 11, 1, 7, tzinfo=UTC)),
            ({"customer__timezone": "America/Halifax"}, datetime(2026, 11, 1, 3, tzinfo=UTC)),
            ({"customer__timezone": "Asia/Tokyo"}, datetime(2026, 10, 31, 15, tzinfo=UTC)),
            ({"customer__timezone": "Pacific/Kiritimati"}, datetime(2026, 10, 31, 10, tzinfo=UTC)),
        ],
    )
    def test_it_is_the_first_period_start_on_or_after_the_date(
        self, service, finance, manager, values, start
    ):
        subscription = factories.SubscriptionFactory(
            customer__service=service, service=service, **{"plan__service": service, **values}
        )
        request = request_cutover(service=service, effective_date=EFFECTIVE, comment="", actor=finance)
        approve(request_id=request.pk, actor=manager)
        assert terms(subscription) == [("odoo", start)]
        assert biller_of(subscription=subscription, period_start=start) == "odoo"
        assert biller_of(subscription=subscription, period_start=start - timedelta.resolution) == "service"

    def test_the_services_zone_holds_for_customers_without_their_own(self, finance, manager):
        service = make_ready_service(timezone="America/Toronto")
        request = request_cutover(service=service, effective_date=EFFECTIVE, comment="", actor=finance)
        approve(request_id=request.pk, actor=manager)
        assert terms(service.subscriptions.get()) == [("odoo", datetime(2026, 11, 1, 4, tzinfo=UTC))]

    def test_one_that_ends_later_switches_and_one_that_has_ended_does_not(self, service, finance, manager):
        later, over = (
            factories.SubscriptionFactory(
                customer__service=service, service=service, terminated_at=TODAY + timedelta(days=days)
            )
            for days in (90, -1)
        )
        request = request_cutover(service=service, effective_date=EFFECTIVE, comment="", actor=finance)
        approve(request_id=request.pk, actor=manager)
        assert (terms(later), terms(over)) == ([("odoo", NOVEMBER)], [])

    def test_another_services_subscriptions_stay(self, approved):
        other = factories.SubscriptionFactory()
        activate_due(now=TODAY)
        assert terms(other) == []

    def test_periods_before_the_switch_are_still_shadowed_and_later_ones_are_not(
        self, approved, subscription
    ):
        factories.OdooPricelistFactory(odoo_id=900, currency="USD")
        for month in (10, 11):
            expect(subscription.customer, currency="USD", **period(month))
        labels = {
            label: read_drafts(service=approved.service, period_label=label)[0] != []
            for label in ("2026-10", "2026-11")
        }
        assert labels == {"2026-10": True, "2026-11": False}


class TestGoingLive:
    def test_the_service_goes_live_when_its_date_has_come_and_not_before(self, approved):
        assert activate_due(now=NOVEMBER - timedelta.resolution) == 0
        assert phase_of(approved) == Phase.APPROVED
        assert activate_due(now=NOVEMBER) == 1
        approved.refresh_from_db()
        assert (approved.status, phase_of(approved)) == ("live", Phase.LIVE)
        record = AuditRecord.objects.get(action="service.go_live")
        assert (record.actor, record.actor_label) == (None, "effective date reached")
        assert activate_due(now=NOVEMBER) == 0
        assert AuditRecord.objects.filter(action="service.go_live").count() == 1

    def test_the_date_is_the_services_midnight(self, finance, manager):
        service = make_ready_service(timezone="America/Toronto")
        request = request_cutover(service=service, effective_date=EFFECTIVE, comment="", actor=finance)
        approve(request_id=request.pk, actor=manager)
        assert activate_due(now=datetime(2026, 11, 1, 3, 59, tzinfo=UTC)) == 0
        assert activate_due(now=datetime(2026, 11, 1, 4, tzinfo=UTC)) == 1

    @pytest.mark.parametrize("is_live", [False, True])
    def test_a_subscription_that_came_after_the_approval_switches_by_the_same_rule(
        self, approved, clock, is_live
    ):
        moment = TODAY + timedelta(days=60 if is_live else 1)
        clock.move_to(moment)
        activate_due(now=moment)
        late = factories.SubscriptionFactory(
            customer__service=approved.service, service=approved.service, started_at=moment
        )
        activate_due(now=moment)
        assert terms(late) == [("odoo", NOVEMBER)]
        assert AuditRecord.objects.get(object_id=str(late.public_id)).actor is None

    def test_the_sweep_changes_nothing_that_has_switched(self, approved, clock):
        before = list(BillerTerm.objects.values())
        records = AuditRecord.objects.count()
        for days in (1, 2):
            clock.move_to(TODAY + timedelta(days=days))
            activate_due(now=TODAY + timedelta(days=days))
        assert list(BillerTerm.objects.values()) == before
        assert AuditRecord.objects.count() == records

    def test_requests_that_wait_or_are_over_are_left_alone(self, requested):
        assert activate_due(now=DECEMBER) == 0
        assert phase_of(requested) == Phase.DUAL_RUN


class TestRollingBack:
    def test_before_its_date_nothing_has_happened_yet(self, approved, subscription, manager2):
        roll_back(request_id=approved.pk, actor=manager2, reason=" Not yet. ")
        approved.refresh_from_db()
        assert (approved.status, approved.rolled_back_by) == ("rolled_back", manager2)
        assert (approved.rollback_reason, approved.rolled_back_at) == ("Not yet.", TODAY)
        assert (phase_of(approved), terms(subscription)) == (Phase.DUAL_RUN, [])
        record = AuditRecord.objects.get(action="cutover.roll_back")
        assert (record.actor, record.reason) == (manager2, "Not yet.")
        switch = AuditRecord.objects.filter(action="subscription.switch_biller").first()
        assert (switch.before["terms"], switch.after) == (
            [{"biller": "odoo", "from": NOVEMBER.isoformat()}],
            {"terms": []},
        )
        assert activate_due(now=DECEMBER) == 0

    def test_after_it_a_period_that_odoo_has_begun_stays_with_odoo(self, live, subscription, manager, clock):
        clock.move_to(datetime(2026, 11, 10, tzinfo=UTC))
        roll_back(request_id=live.pk, actor=manager, reason="Invoices were wrong.")
        assert terms(subscription) == [("odoo", NOVEMBER), ("service", DECEMBER)]
        assert phase_of(live) == Phase.DUAL_RUN

    def test_when_nobody_noticed_that_its_date_has_passed_begun_periods_stay_too(
        self, approved, subscription, manager, clock
    ):
        clock.move_to(datetime(2026, 11, 10, tzinfo=UTC))
        assert approved.status == "approved"
        roll_back(request_id=approved.pk, actor=manager, reason="Stop.")
        assert terms(subscription) == [("odoo", NOVEMBER), ("service", DECEMBER)]

    def test_each_subscription_goes_back_at_its_own_next_start(self, service, finance, manager, clock):
        weekly, yearly = (
            factories.SubscriptionFactory(
                customer__service=service, service=service, plan__service=service, plan__interval=interval
            )
            for interval in ("weekly", "yearly")
        )
        request = request_cutover(service=service, effective_date=EFFECTIVE, comment="", actor=finance)
        approve(request_id=request.pk, actor=manager)
        clock.move_to(datetime(2026, 11, 10, tzinfo=UTC))
        activate_due(now=datetime(2026, 11, 10, tzinfo=UTC))
        roll_back(request_id=request.pk, actor=manager, reason="Stop.")
        assert terms(weekly) == [
            ("odoo", datetime(2026, 11, 2, tzinfo=UTC)),
            ("service", datetime(2026, 11, 16, tzinfo=UTC)),
        ]
        assert terms(yearly) == [], "its switch was to come in January"

    @pytest.fixture
    def rolled_back(self, live, manager, clock):
        """Odoo billed November, and the service takes over again from December."""
        clock.move_to(datetime(2026, 11, 10, tzinfo=UTC))
        return roll_back(request_id=live.pk, actor=manager, reason="Stop.").service

    def cut_over_again(self, service, finance, manager, effective_date):
        again = request_cutover(service=service, effective_date=effective_date, comment="", actor=finance)
        return approve(request_id=again.pk, actor=manager)

    def test_a_second_cutover_takes_up_where_the_first_one_was_rolled_back(
        self, rolled_back, subscription, finance, manager
    ):
        self.cut_over_again(rolled_back, finance, manager, date(2027, 1, 1))
        january = datetime(2027, 1, 1, tzinfo=UTC)
        assert terms(subscription) == [("odoo", NOVEMBER), ("service", DECEMBER), ("odoo", january)]
        bills = [
            biller_of(subscription=subscription, period_start=start)
            for start in (NOVEMBER, DECEMBER, january)
        ]
        assert bills == ["odoo", "service", "odoo"]
        assert activate_due(now=january) == 1

    def test_a_second_cutover_before_the_service_took_over_leaves_billing_with_odoo(
        self, rolled_back, subscription, finance, manager
    ):
        self.cut_over_again(rolled_back, finance, manager, date(2026, 11, 20))
        assert terms(subscription) == [("odoo", NOVEMBER)]
        before = AuditRecord.objects.count()
        activate_due(now=datetime(2026, 11, 11, tzinfo=UTC))
        assert (terms(subscription), AuditRecord.objects.count()) == ([("odoo", NOVEMBER)], before)

    def test_a_second_cutover_after_one_that_never_came_into_force(
        self, approved, subscription, finance, manager
    ):
        service = roll_back(request_id=approved.pk, actor=manager, reason="Not yet.").service
        self.cut_over_again(service, finance, manager, date(2026, 12, 1))
        assert terms(subscription) == [("odoo", DECEMBER)]

    def test_without_a_reason_it_is_refused(self, approved, manager):
        refused_with("reason_required", roll_back, request_id=approved.pk, actor=manager, reason="")

    def test_what_is_not_approved_cannot_be_rolled_back(self, requested, manager):
        refused_with("wrong_status", roll_back, request_id=requested.pk, actor=manager, reason="Stop.")

    @pytest.mark.parametrize("person", ["finance", "operator", "auditor", "outsider"], indirect=True)
    def test_nobody_but_a_manager_rolls_back(self, approved, person):
        refused_with("permission_denied", roll_back, request_id=approved.pk, actor=person, reason="Stop.")


class TestTellingTheService:
    SECRET = "the services own key"

    def test_each_step_is_announced_in_lagos_envelope(self, service, finance, manager, clock):
        factories.WebhookEndpointFactory(service=service, secret=encrypt(self.SECRET))
        request = request_cutover(service=service, effective_date=EFFECTIVE, comment="", actor=finance)
        assert not Delivery.objects.exists()
        approve(request_id=request.pk, actor=manager)
        clock.move_to(NOVEMBER)
        activate_due(now=NOVEMBER)
        roll_back(request_id=request.pk, actor=manager, reason="Stop.")
        told = [json.loads(delivery.body) for delivery in Delivery.objects.order_by("pk")]
        assert [body["webhook_type"] for body in told] == [
            "cutover.approved",
            "cutover.live",
            "cutover.rolled_back",
        ]
        assert [body["cutover"]["status"] for body in told] == ["approved", "live", "rolled_back"]
        assert told[0]["cutover"] == {
            "lago_id": str(request.public_id),
            "service_code": service.code,
            "status": "approved",
            "effective_date": "2026-11-01",
        }

    def test_it_arrives_signed(self, service, requested, manager):
        with receive(200) as receiver:
            factories.WebhookEndpointFactory(service=service, url=receiver.url, secret=encrypt(self.SECRET))
            approve(request_id=requested.pk, actor=manager)
            assert deliver_due(now=TODAY) == 1
        ((headers, body),) = receiver.requests
        assert headers["X-Lago-Signature"] == sign(secret=self.SECRET, body=body)
        assert json.loads(body)["cutover"]["status"] == "approved"

    def test_a_refused_approval_tells_nobody(self, service, requested, manager):
        factories.WebhookEndpointFactory(service=service, secret=encrypt(self.SECRET))
        factories.AlarmFactory(service=service)
        refused_with("not_ready", approve, request_id=requested.pk, actor=manager)
        assert not Delivery.objects.exists()


def test_the_switch_is_the_same_whoever_makes_it(approved):
    assert assign_to_odoo(approved, actor=None) == 0


def test_no_status_is_left_without_a_way(db):
    assert set(cutover.TRANSITIONS) == set(cutover.CutoverStatus)
