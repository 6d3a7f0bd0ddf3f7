"""What a plan's changes make of its periods: those that ended are billed as they were."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from ingest.fee_events import events_of, fees_of
from ingest.models import Aggregation, Fee, FeeKind, Usage
from ingest.plan_charges import ChargeRequest
from ingest.plans import PlanPrice, change_plan, create_plan, delete_plan
from tests import factories
from tests.ingest.selling import bill, make_subscription, post

pytestmark = pytest.mark.django_db

AUGUST, SEPTEMBER, OCTOBER = "2026-08", "2026-09", "2026-10"
LATER = datetime(2026, 12, 1, tzinfo=UTC)


def at(month, day=10):
    return datetime(2026, month, day, 8, tzinfo=UTC)


def request_of(metric, amount, **values):
    return ChargeRequest(
        metric_id=metric.public_id, model="standard", properties={"amount": amount}, **values
    )


def fees(subscription, label):
    """What each charge of a period comes to, by its code; what is zero now is left out."""
    rows = Fee.objects.filter(subscription=subscription, period_label=label, kind=FeeKind.USAGE)
    return {fee.charge.code: fee.amount for fee in rows.select_related("charge").order_by("pk") if fee.amount}


@pytest.fixture
def subscription(db):
    """On a plan without charges, with ten units used in each of three months."""
    subscription = make_subscription()
    for month in (8, 9, 10):
        post(subscription, at(month), "10")
    return subscription


@pytest.fixture
def metric(subscription):
    return factories.MetricFactory(service=subscription.service, code="api")


@pytest.fixture
def change(subscription, monkeypatch):
    """Changes the plan at an instant."""

    def change(now, *charges, **price):
        monkeypatch.setattr("ingest.plans.timezone.now", lambda: now)
        asked = charges if charges or not price else None
        change_plan(plan=subscription.plan, values={}, price=price, charges=asked, rule="a key")

    return change


def bill_all(subscription):
    for label in (AUGUST, SEPTEMBER, OCTOBER):
        bill(subscription.service, label, LATER)
    return [fees(subscription, label) for label in (AUGUST, SEPTEMBER, OCTOBER)]


def test_a_charge_that_is_added_prices_no_period_that_ended_before(subscription, metric, change):
    change(at(9), request_of(metric, "1"))
    assert bill_all(subscription) == [{}, {"api": 10}, {"api": 10}]


def test_a_charge_that_is_removed_prices_no_period_that_ends_after(subscription, metric, change):
    change(at(1), request_of(metric, "1"))
    assert bill_all(subscription) == [{"api": 10}] * 3
    change(at(9))
    assert bill_all(subscription) == [{"api": 10}, {}, {}]
    assert Usage.objects.get(period_label=SEPTEMBER).quantity == 0


def test_a_charge_that_replaces_another_bills_its_metric_once(subscription, metric, change):
    change(at(1), request_of(metric, "1", code="old"))
    change(at(9), request_of(metric, "2", code="new"))
    assert bill_all(subscription) == [{"old": 10}, {"new": 20}, {"new": 20}]


def test_a_price_that_changes_bills_the_open_period_and_no_earlier_one(subscription, metric, change):
    change(at(1), request_of(metric, "1"), amount=Decimal(50))
    change(at(9), request_of(metric, "2"), amount=Decimal(60))
    assert bill_all(subscription) == [{"api": 10}, {"api": 20}, {"api": 20}]
    plan = Fee.objects.filter(kind=FeeKind.PLAN).order_by("period_start")
    assert list(plan.values_list("amount", flat=True)) == [50, 60, 60]


def test_a_subscription_that_has_ended_is_billed_at_the_prices_of_its_end(subscription, metric, change):
    change(at(1), request_of(metric, "1", code="old"), amount=Decimal(50))
    subscription.terminated_at = at(9, 15)
    subscription.save()
    change(at(9, 20), request_of(metric, "2", code="new"), amount=Decimal(60))
    assert bill_all(subscription) == [{"old": 10}, {"old": 10}, {}]
    assert Fee.objects.get(kind=FeeKind.PLAN, period_label=SEPTEMBER).exact_amount == 25


def test_a_plan_that_is_deleted_bills_what_ran_on_it(subscription, metric, change, monkeypatch):
    change(at(1), request_of(metric, "1"))
    subscription.terminated_at = at(9, 15)
    subscription.save()
    monkeypatch.setattr("ingest.plans.timezone.now", lambda: at(9, 20))
    delete_plan(plan=subscription.plan, rule="a key")
    assert bill_all(subscription) == [{"api": 10}, {"api": 10}, {}]


def test_two_charges_on_one_metric_are_two_fees(subscription, metric, change):
    grouped = {"amount": "3", "pricing_group_keys": ["team"]}
    change(
        at(1),
        request_of(metric, "1", code="one"),
        request_of(metric, "0.5", code="two", min_amount=Decimal(9)),
        ChargeRequest(metric_id=metric.public_id, code="three", model="standard", properties=grouped),
    )
    assert bill_all(subscription)[1] == {"one": 10, "two": 5, "three": 30}
    assert Fee.objects.get(kind=FeeKind.TRUE_UP, period_label=SEPTEMBER).amount == 4
    rated = Fee.objects.filter(kind=FeeKind.USAGE, period_label=SEPTEMBER)
    events = {events_of(fee).get() for fee in rated}
    assert {event.timestamp for event in events} == {at(9)}
    assert set(fees_of(events.pop())) == set(rated)
    assert bill(subscription.service, SEPTEMBER, LATER) == (0, 0)


def test_two_charges_on_one_metric_are_billed_on_arrival_each(subscription, metric, change):
    post(subscription, at(9) + timedelta(hours=1), "5")
    change(
        at(1),
        request_of(metric, "0.001", code="one", is_pay_in_advance=True),
        request_of(metric, "1", code="two", is_pay_in_advance=True),
    )
    # Each event is rounded by itself: 0.010 and 0.005.
    assert bill_all(subscription)[1] == {"one": Decimal("0.02"), "two": 15}


def test_a_plan_that_nobody_had_prices_the_past_of_who_comes_as_it_was_made_last(metric, monkeypatch):
    monkeypatch.setattr("ingest.plans.timezone.now", lambda: at(9))
    service, rule = metric.service, "a key"
    count = factories.MetricFactory(
        service=service, aggregation=Aggregation.COUNT, field_name="", code="api2"
    )
    plan = create_plan(
        service_id=service.pk,
        values={"code": "pro", "name": "Pro", "currency": "CAD", "interval": "monthly"},
        price=PlanPrice(Decimal(50)),
        charges=[request_of(metric, "1"), request_of(count, "1")],
        rule=rule,
    )
    price = {"amount": Decimal(60)}
    change_plan(plan=plan, values={}, price=price, charges=[request_of(metric, "2")], rule=rule)
    customer = factories.CustomerFactory(service=service)
    subscription = factories.SubscriptionFactory(customer=customer, plan=plan)
    post(subscription, at(8), "10")
    post(subscription, at(8), "10", code="api2")
    bill(service, AUGUST, LATER)
    assert fees(subscription, AUGUST) == {"api": 20}
    assert Fee.objects.get(subscription=subscription, kind=FeeKind.PLAN).amount == 60
