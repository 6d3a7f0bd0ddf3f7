"""The facts behind a readiness report: each condition by what makes it fail, and nothing undone overlooked."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.utils import timezone

from ingest.models import Fee, Phase
from ingest.rated_periods import meter_and_rate
from reconciliation.models import Push, Reconciliation
from reconciliation.readiness import judged_labels, read_facts, read_readiness
from reconciliation.reconcile import reconcile_period
from reconciliation.triage import resolve
from tests import factories
from tests.reconciliation.ready import (
    EFFECTIVE,
    TODAY,
    bill_both,
    judge_month,
    make_ready_service,
    period,
    push_months,
    rate_month,
    subscribe,
    use,
)
from tests.reconciliation.sides import change, expect, external, odoo, push_all
from tests.repricing import reprice_plan

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


@pytest.fixture
def service(ready_service):
    return ready_service


def unmet(service, effective_date=EFFECTIVE):
    """The codes of the conditions that are not met."""
    service.refresh_from_db()
    report = read_readiness(service=service, effective_date=effective_date)
    found = {condition.code for condition in report.conditions if not condition.is_met}
    assert report.is_ready is (not found)
    return found


def customer_of(service):
    return service.customers.order_by("pk").first()


def rated_on(service, label):
    """Metered and rated now, without a change to what the test wrote down."""
    factories.RatedPeriodFactory(service=service, period_label=label, rated_at=timezone.now())


def detail(service, code):
    report = read_readiness(service=service, effective_date=EFFECTIVE)
    return next(condition.detail for condition in report.conditions if condition.code == code)


def test_a_ready_service_meets_every_condition(service):
    assert unmet(service) == set()
    facts = read_facts(service=service, effective_date=EFFECTIVE)
    assert [(each.label, each.rows, each.matched) for each in facts.periods] == [
        ("2026-08", 1, 1),
        ("2026-09", 1, 1),
    ]


@pytest.mark.parametrize("phase", [Phase.SHADOW, Phase.APPROVED, Phase.LIVE])
def test_only_a_service_in_its_dual_run_can_be_ready(service, phase):
    service.phase = phase
    service.save()
    assert unmet(service) == {"dual_run"}


class TestTheDate:
    @pytest.mark.parametrize(("day", "is_ahead"), [(date(2026, 10, 3), False), (date(2026, 10, 4), True)])
    def test_it_lies_ahead(self, service, day, is_ahead):
        assert unmet(service, day) == (set() if is_ahead else {"date_ahead"})

    @pytest.mark.parametrize(
        ("zone", "is_ahead"), [("Asia/Tokyo", False), ("America/Vancouver", True), ("UTC", True)]
    )
    def test_today_is_the_day_where_the_service_is(self, zone, is_ahead):
        with time_machine.travel(TODAY.replace(hour=20), tick=False):
            service = make_ready_service(timezone=zone)
            assert ("date_ahead" in unmet(service, date(2026, 10, 4))) is not is_ahead

    def test_without_a_date_the_first_of_the_next_month_is_asked_for(self, service):
        assert "2026-11-01" in next(
            condition.detail
            for condition in read_readiness(service=service).conditions
            if condition.code == "date_ahead"
        )


class TestPeriods:
    def test_an_open_delta_in_a_judged_period_blocks(self, service):
        bill_both(factories.CustomerFactory(service=service), 9, "95.00")
        judge_month(service, 9)
        assert unmet(service) == {"clean_periods", "no_open_deltas"}
        assert detail(service, "no_open_deltas") == "1 open delta in 2026-09"

    def test_resolving_it_clears_the_way(self, service, finance):
        bill_both(factories.CustomerFactory(service=service), 9, "95.00")
        judge_month(service, 9)
        row = Reconciliation.objects.get(status="delta")
        resolve(reconciliation_ids=[row.pk], actor=finance, reason="A credit note follows.")
        assert unmet(service) == set()

    def test_a_delta_in_an_older_period_is_told_and_does_not_block(self, service):
        bill_both(customer_of(service), 7, "95.00")
        judge_month(service, 7)
        assert unmet(service) == set()
        assert detail(service, "older_deltas") == "1 open row in 2026-07"

    def test_a_missing_side_blocks(self, service):
        external(factories.CustomerFactory(service=service))
        judge_month(service, 9)
        assert unmet(service) == {"clean_periods", "nothing_missing"}

    def test_too_few_periods_block(self, service):
        service.required_clean_periods = 3
        service.save()
        assert unmet(service) == {"clean_periods"}
        assert detail(service, "clean_periods") == "2 in a row, 3 required, not judged: 2026-07"
        rate_month(service, 7)
        assert detail(service, "clean_periods") == "2 in a row, 3 required"

    def test_a_service_that_nobody_judged_is_not_ready(self):
        assert "clean_periods" in unmet(factories.ServiceFactory())

    @pytest.mark.parametrize("made_of", ["fees", "amounts"])
    def test_a_newer_closed_period_that_nobody_judged_blocks(self, made_of):
        with time_machine.travel(TODAY + timedelta(days=31), tick=False):
            service = make_ready_service()
            if made_of == "fees":
                expect(customer_of(service), **period(10))
            else:
                external(customer_of(service), **period(10))
            assert "clean_periods" in unmet(service, date(2026, 12, 1))
            assert judged_labels(service) == ["2026-09", "2026-10"]

    @pytest.mark.parametrize("due", ["events", "plan"])
    def test_a_closed_period_that_nobody_metered_and_rated_blocks(self, due):
        """There are no fees and no amounts yet, only what they will be made of."""
        with time_machine.travel(TODAY + timedelta(days=31), tick=False):
            service = make_ready_service()
            if due == "events":
                use(service.subscriptions.get(), 10)
            else:
                reprice_plan(service.plans.get(), amount=Decimal("9.00"))
            assert unmet(service, date(2026, 12, 1)) == {"clean_periods"}
            assert detail(service, "clean_periods") == "0 in a row, 2 required, not judged: 2026-10"
            assert judged_labels(service) == ["2026-09", "2026-10"]
            rate_month(service, 10)
            assert unmet(service, date(2026, 12, 1)) == {"clean_periods", "usage_pushed"}
            reconcile_period(service=service, period_label="2026-10", now=timezone.now())
            assert detail(service, "nothing_missing") == "1 row in 2026-10"

    def test_a_period_that_was_rated_only_while_it_was_open_blocks(self):
        with time_machine.travel(TODAY + timedelta(days=15), tick=False):
            service = make_ready_service()
            rate_month(service, 10)
        with time_machine.travel(TODAY + timedelta(days=31), tick=False):
            assert unmet(service, date(2026, 12, 1)) == {"clean_periods"}
            rate_month(service, 10)
            assert unmet(service, date(2026, 12, 1)) == set(), "nobody used anything"

    def test_a_period_that_was_rated_for_some_customers_alone_blocks(self):
        with time_machine.travel(TODAY + timedelta(days=31), tick=False):
            service = make_ready_service()
            use(service.subscriptions.get(), 10)
            meter_and_rate(service=service, period_label="2026-10", now=timezone.now(), customers=[])
            assert unmet(service, date(2026, 12, 1)) == {"clean_periods"}

    def test_a_quarter_that_nobody_judged_blocks_behind_newer_months(self, service):
        subscribe(customer_of(service), interval="quarterly", started_at=datetime(2026, 4, 1, tzinfo=UTC))
        assert unmet(service) == {"clean_periods"}
        assert detail(service, "clean_periods") == "2 in a row, 2 required, not judged: 2026-Q2, 2026-Q3"
        for label in ("2026-Q2", "2026-Q3"):
            rated_on(service, label)
        assert unmet(service) == set()

    def test_amounts_between_the_judged_periods_block_though_nobody_is_subscribed(self, service):
        Reconciliation.objects.filter(period_label="2026-08").update(**period(7))
        factories.AmountFactory(customer=customer_of(service), **period(8))
        assert unmet(service) == {"clean_periods"}
        assert detail(service, "clean_periods") == "1 in a row, 2 required, not judged: 2026-08"

    def test_a_newer_period_that_is_still_open_does_not(self, service):
        expect(customer_of(service), **period(10))
        assert unmet(service) == set()

    def test_a_newer_period_that_odoo_bills_does_not(self):
        with time_machine.travel(TODAY + timedelta(days=31), tick=False):
            service = make_ready_service()
            fee = expect(customer_of(service), **period(10))
            factories.BillerTermFactory(subscription=fee.subscription, starts_at=fee.period_start)
            rated_on(service, "2026-10")
            assert unmet(service, date(2026, 12, 1)) == set()

    def test_a_fee_that_became_nothing_is_no_period(self):
        with time_machine.travel(TODAY + timedelta(days=31), tick=False):
            service = make_ready_service()
            rated_on(service, "2026-10")
            expect(customer_of(service), "0", quantity=0, events_count=0, **period(10))
            assert unmet(service, date(2026, 12, 1)) == set()


class TestCustomers:
    def test_one_who_will_be_billed_and_is_not_linked_blocks(self, service):
        customer = factories.CustomerFactory(service=service, odoo_partner_id=None)
        assert unmet(service) == set(), "without a subscription nobody bills them"
        factories.SubscriptionFactory(customer=customer)
        assert unmet(service) == {"customers_linked"}

    def test_one_whose_subscription_ends_later_blocks_too(self, service):
        customer = factories.CustomerFactory(service=service, odoo_partner_id=None)
        factories.SubscriptionFactory(customer=customer, terminated_at=TODAY + timedelta(days=90))
        assert unmet(service) == {"customers_linked"}

    def test_one_whose_subscription_is_over_does_not_unless_a_judged_row_is_about_them(self, service):
        customer = factories.CustomerFactory(service=service, odoo_partner_id=None)
        factories.SubscriptionFactory(customer=customer, terminated_at=TODAY - timedelta(days=1))
        assert unmet(service) == set()
        external(customer)
        judge_month(service, 9)
        assert "customers_linked" in unmet(service)


class TestPushed:
    def test_a_fee_that_was_never_pushed_blocks(self, service):
        expect(factories.CustomerFactory(service=service))
        assert unmet(service) == {"usage_pushed"}
        assert detail(service, "usage_pushed") == "1 fee not pushed"

    def test_a_fee_that_changed_since_blocks(self, service):
        Fee.objects.update(amount=Decimal("101.00"))
        assert unmet(service) == {"usage_pushed"}
        push_months(service, 8, 9)
        assert unmet(service) == set()

    def test_a_fee_that_was_rated_again_to_the_same_amount_does_not(self, service):
        Fee.objects.update(rated_at=TODAY + timedelta(hours=1), quantity=7)
        assert unmet(service) == set()

    @pytest.mark.parametrize("status", ["pending", "sending", "unknown", "failed", "superseded"])
    def test_a_push_that_is_not_done_counts_for_nothing(self, service, status):
        Push.objects.update(status=status)
        assert unmet(service) == {"usage_pushed"}

    def test_a_fee_that_became_nothing_has_to_leave_odoo_too(self, service):
        Fee.objects.update(amount=0, exact_amount=0, quantity=0, events_count=0)
        assert unmet(service) == {"usage_pushed"}

    def test_a_fee_that_became_nothing_before_it_was_pushed_does_not_block(self, service):
        other = factories.CustomerFactory(service=service)
        expect(other, "0", quantity=0, events_count=0)
        assert unmet(service) == set()

    def test_what_odoo_bills_need_not_be_pushed(self, service):
        fee = expect(factories.CustomerFactory(service=service))
        factories.BillerTermFactory(subscription=fee.subscription, starts_at=factories.PERIOD_START)
        assert unmet(service) == set()

    def test_an_older_or_open_period_does_not_count(self, service):
        for month in (7, 10):
            expect(customer_of(service), **period(month))
        assert unmet(service) == set()


class TestAlarms:
    def test_an_open_alarm_blocks_until_it_is_cleared(self, service):
        alarm = factories.AlarmFactory(service=service)
        factories.AlarmFactory()
        assert unmet(service) == {"no_alarms"}
        alarm.cleared_at = TODAY
        alarm.save()
        assert unmet(service) == set()


def test_the_digest_changes_with_the_evidence_and_not_overnight(service):
    def digest():
        return read_readiness(service=service, effective_date=EFFECTIVE).digest

    before = digest()
    with time_machine.travel(TODAY + timedelta(days=1), tick=False):
        assert digest() == before
    bill_both(factories.CustomerFactory(service=service), 9, "95.00")
    judge_month(service, 9)
    assert digest() != before


def test_the_number_of_statements_does_not_grow_with_the_customers(service, django_assert_max_num_queries):
    for _ in range(20):
        customer = factories.CustomerFactory(service=service)
        expect(customer)
        bill_both(customer, 9)
    push_all(service)
    judge_month(service, 9)
    with django_assert_max_num_queries(11):
        assert read_readiness(service=service, effective_date=EFFECTIVE).is_ready


def test_an_amount_that_changed_is_judged_before_it_counts(service):
    """A report tells what was judged; approving judges again first."""
    change(customer_of(service).amounts.filter(side="external").latest("period_start"), "90.00")
    assert unmet(service) == set()
    judge_month(service, 9)
    assert unmet(service) == {"clean_periods", "no_open_deltas"}


def test_a_months_open_delta_is_not_hidden_behind_newer_weeks(service):
    """The newest periods of every calendar have to be clean, not the newest few of all."""
    customer = customer_of(service)
    bill_both(customer, 9, "0.00", "900.00")
    judge_month(service, 9)
    weekly = factories.CustomerFactory(service=service)
    plan = factories.PlanFactory(service=service, interval="weekly")
    factories.SubscriptionFactory(customer=weekly, plan=plan)
    for label, day in (("2026-W37", 7), ("2026-W38", 14), ("2026-W39", 21)):
        start = datetime(2026, 9, day, tzinfo=UTC)
        week = {"period_label": label, "period_start": start, "period_end": start + timedelta(days=7)}
        odoo(weekly, **week)
        external(weekly, **week)
        reconcile_period(service=service, period_label=label, now=TODAY)
    assert "no_open_deltas" in unmet(service)
    assert "2026-09" in detail(service, "no_open_deltas")
    assert {"2026-09", "2026-W38", "2026-W39"} <= set(judged_labels(service))


def test_what_is_sold_and_has_no_product_in_odoo_is_named(service):
    subscription = service.subscriptions.order_by("pk").first()
    plan = subscription.plan
    plan.odoo_product_id = None
    plan.save()
    reprice_plan(plan, amount=Decimal(10))
    metric = factories.MetricFactory(service=service, code="new", name="New calls")
    charge = factories.ChargeFactory(plan=plan, metric=metric, odoo_product_id=None)
    # Neither what nobody has nor what was removed is to be billed.
    other = factories.PlanFactory(service=service, odoo_product_id=None)
    factories.ChargeFactory(plan=other, metric=metric, odoo_product_id=None)
    factories.ChargeFactory(plan=plan, metric=metric, odoo_product_id=None, deleted_at=timezone.now())
    assert "products_set" in unmet(service)
    assert detail(service, "products_set") == f"no product for {charge}, {plan}"
    for sold in (plan, charge):
        sold.odoo_product_id = 7
        sold.save()
    assert "products_set" not in unmet(service)
