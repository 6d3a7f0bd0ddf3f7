"""The cutover as it happens: each subscription on its own day, the service told of it, and a way back."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest

from ingest.billers import biller_of
from ingest.models import AuditRecord, BillerTerm, Phase
from reconciliation.cutover import activate_due, assign_to_odoo, request_cutover, roll_back
from reconciliation.models import Delivery
from reconciliation.quotations import read_drafts
from reconciliation.secrets import encrypt
from reconciliation.webhooks import deliver_due, sign
from tests import factories
from tests.ingest.selling import make_subscription
from tests.reconciliation.ready import (
    DECEMBER,
    EFFECTIVE,
    NOVEMBER,
    TODAY,
    approve,
    make_ready_service,
    period,
    phase_of,
    rate_all,
    refused_with,
    terms,
)
from tests.reconciliation.receiver import receive
from tests.reconciliation.sides import expect

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


@pytest.fixture
def service(ready_service):
    return ready_service


@pytest.fixture
def subscription(service):
    return service.subscriptions.get()


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
            customer__service=service,
            service=service,
            **{"plan__service": service, "plan__amount": 0, **values},
        )
        rate_all(service)
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
                customer__service=service,
                plan__amount=0,
                terminated_at=TODAY + timedelta(days=days),
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

    @pytest.mark.parametrize("is_live", [False, True])
    def test_one_that_began_and_ended_between_two_sweeps_is_odoos_too(self, approved, clock, is_live):
        moment = TODAY + timedelta(days=60 if is_live else 28, hours=11, minutes=59)
        clock.move_to(moment)
        activate_due(now=moment)
        brief = factories.SubscriptionFactory(
            customer__service=approved.service,
            started_at=moment + timedelta(seconds=10),
            terminated_at=moment + timedelta(seconds=20 if is_live else 90),
        )
        clock.move_to(moment + timedelta(seconds=120))
        activate_due(now=moment + timedelta(seconds=120))
        assert terms(brief) == [("odoo", NOVEMBER)]
        period_start = datetime(2026, 12, 1, tzinfo=UTC) if is_live else NOVEMBER
        assert biller_of(subscription=brief, period_start=period_start) == "odoo"

    def test_one_that_ended_before_the_date_stays_with_the_service(self, approved, clock):
        clock.move_to(TODAY + timedelta(days=10))
        brief = factories.SubscriptionFactory(
            customer__service=approved.service,
            started_at=TODAY + timedelta(days=1),
            terminated_at=TODAY + timedelta(days=2),
        )
        activate_due(now=TODAY + timedelta(days=10))
        assert terms(brief) == []

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
            make_subscription(service=service, interval=interval) for interval in ("weekly", "yearly")
        )
        rate_all(service)
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
        rate_all(service)
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
