"""What a change of plan bills: each part by its own plan, no day twice, what recurs carried over (Lago: upgrade)."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from ingest.calendar import closed_labels, newest_closed_periods, running_subscriptions
from ingest.models import Fee, FeeKind, Usage
from ingest.windows import windows_of
from tests import factories
from tests.ingest.selling import add_charge, bill, make_subscription, post
from tests.repricing import reprice_plan

pytestmark = pytest.mark.django_db

TIERS = {
    "graduated_ranges": [
        {"from_value": 0, "to_value": 10, "per_unit_amount": "1", "flat_amount": "0"},
        {"from_value": 11, "to_value": None, "per_unit_amount": "0.5", "flat_amount": "0"},
    ]
}


def at(day, hour=0, month=9):
    return datetime(2026, month, day, hour, tzinfo=UTC)


def follow(old, switch, amount="0", **values):
    """The next plan of a chain, from that instant on."""
    old.terminated_at = switch
    old.save()
    return make_subscription(
        service=old.service,
        customer=old.customer,
        external_id=old.external_id,
        amount=amount,
        started_at=switch,
        subscription_at=old.anchor,
        billing_time=old.billing_time,
        previous=old,
        **values,
    )


def plan_fees(*subscriptions):
    fees = Fee.objects.filter(kind=FeeKind.PLAN)
    return [fees.filter(subscription=each).values_list("amount", flat=True).first() for each in subscriptions]


class TestTheDayOfTheSwitch:
    def test_it_is_the_new_plans_alone(self):
        old = make_subscription(amount="30")
        new = follow(old, at(10, 15), amount="60")
        bill(old.service)
        assert plan_fees(old, new) == [Decimal("9.00"), Decimal("42.00")], "9 and 21 of 30 days"

    def test_at_midnight_no_day_is_shared(self):
        old = make_subscription(amount="30")
        new = follow(old, at(11), amount="60")
        bill(old.service)
        assert plan_fees(old, new) == [Decimal("10.00"), Decimal("40.00")]

    def test_it_is_the_customers_day(self):
        customer = factories.CustomerFactory(timezone="America/Toronto")
        old = make_subscription(service=customer.service, customer=customer, amount="30")
        new = follow(old, at(11, 3), amount="60")
        bill(old.service)
        assert plan_fees(old, new) == [Decimal("9.00"), Decimal("42.00")], "late on the tenth in Toronto"

    def test_replaced_on_its_first_day_it_bills_none(self):
        old = make_subscription(amount="30", started_at=at(10, 9))
        new = follow(old, at(10, 15), amount="60")
        bill(old.service)
        assert plan_fees(old, new) == [None, Decimal("42.00")]

    def test_terminated_it_bills_its_last_day(self):
        old = make_subscription(amount="30", terminated_at=at(10, 15))
        bill(old.service)
        assert plan_fees(old) == [Decimal("10.00")]

    def test_at_the_periods_end_both_plans_bill_whole_periods(self):
        old = make_subscription(amount="30")
        new = follow(old, at(1, month=10), amount="10")
        for label in ("2026-09", "2026-10"):
            bill(old.service, label)
        assert plan_fees(old, new) == [Decimal("30"), Decimal("10")]

    def test_seats_that_are_carried_over_are_billed_for_each_day_once(self):
        old = make_subscription()
        new = follow(old, at(10, 15))
        metric = add_charge(old, "seats", price="30", is_prorated=True).metric
        metric.is_recurring = True
        metric.save()
        factories.ChargeFactory(plan=new.plan, metric=metric, properties={"amount": "30"}, is_prorated=True)
        post(old, at(1, 5, month=8), "10", code="seats")
        post(old, at(10, 9), "2", code="seats")
        bill(old.service)
        quantities = [Usage.objects.get(subscription=each).quantity for each in (old, new)]
        assert quantities == [Decimal(3), Decimal("8.4")], "10 for 9 of 30 days, 12 for 21"

    def test_a_trial_counts_from_the_first_start_of_the_chain(self):
        old = make_subscription(amount="30", started_at=at(1))
        new = follow(old, at(11), amount="60")
        reprice_plan(new.plan, amount=60, trial_days=15)
        bill(old.service)
        assert plan_fees(new) == [Decimal("30.00")], "5 of its 20 days are of the trial"


def test_tiers_restart_with_the_new_plan_and_an_event_counts_once():
    old = make_subscription()
    new = follow(old, at(10, 15))
    charge = add_charge(old, model="graduated", properties=TIERS)
    factories.ChargeFactory(plan=new.plan, metric=charge.metric, model="graduated", properties=TIERS)
    post(old, at(10, 14), "15")
    post(old, at(10, 15), "15")
    bill(old.service)
    fees = [Fee.objects.get(subscription=each, kind=FeeKind.USAGE) for each in (old, new)]
    assert [(fee.quantity, fee.amount) for fee in fees] == [(15, Decimal("12.50"))] * 2


class TestCanceled:
    @pytest.fixture
    def canceled(self):
        start = at(5)
        subscription = make_subscription(amount="30", started_at=start, canceled_at=at(1))
        add_charge(subscription)
        post(subscription, at(10), "3")
        return subscription

    def test_it_has_no_period_no_fee_and_no_biller(self, canceled):
        service, now = canceled.service, at(20, month=12)
        assert windows_of(service=service, period_label="2026-09") == []
        assert closed_labels(service=service, now=now) == []
        assert newest_closed_periods(service=service, now=now, count=2) == set()
        assert not running_subscriptions(service, now).exists()
        assert bill(service) == (0, 0)


class TestPending:
    def test_it_has_no_period_before_it_begins(self):
        service = make_subscription(started_at=at(1, month=6), terminated_at=at(1, month=8)).service
        make_subscription(service=service, started_at=at(15, month=12))
        now = at(20, month=10)
        assert closed_labels(service=service, now=now) == ["2026-06", "2026-07"]
        assert newest_closed_periods(service=service, now=now, count=1) == set()
        assert windows_of(service=service, period_label="2026-09") == []

    def test_it_runs_later_and_is_judged_with_the_others(self):
        pending = make_subscription(started_at=at(15, month=12))
        assert list(running_subscriptions(pending.service, at(20, month=10))) == [pending]


def test_anniversaries_count_from_the_first_start_of_the_chain():
    old = make_subscription(billing_time="anniversary", started_at=at(5))
    follow(old, at(20, 15))
    windows = windows_of(service=old.service, period_label="2026-09-05")
    assert sorted((window.counts_from, window.counts_to) for window in windows) == [
        (at(5), at(20, 15)),
        (at(20, 15), at(5, month=10)),
    ]


def test_a_period_that_was_due_before_it_was_known_bills_no_base_amount():
    subscription = make_subscription(amount="30", plan_billed_from=at(10), started_at=at(1, month=6))
    add_charge(subscription)
    post(subscription, at(5), "100")
    for label in ("2026-09", "2026-10"):
        bill(subscription.service, label)
    fees = Fee.objects.filter(amount__gt=0).values_list("period_label", "kind", "amount")
    assert set(fees) == {
        ("2026-09", FeeKind.USAGE, Decimal("5.00")),
        ("2026-10", FeeKind.PLAN, Decimal("30")),
    }
