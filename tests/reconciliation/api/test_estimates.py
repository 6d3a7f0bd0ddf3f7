"""What an event would cost, over the API, before it is posted; nothing is stored (Lago: fee estimation)."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
import time_machine
from lago_python_client.models.fee import FeeResponse

from ingest.models import Aggregation, ChargeModel, Fee, UsageEvent
from tests import factories
from tests.reconciliation.test_expected_taxes import AB, Mirror

pytestmark = pytest.mark.django_db

TODAY = datetime(2026, 9, 10, 12, tzinfo=UTC)
TIERS = [
    {"from_value": 0, "to_value": 10, "per_unit_amount": "1", "flat_amount": "0"},
    {"from_value": 11, "to_value": None, "per_unit_amount": "0.5", "flat_amount": "0"},
]


@pytest.fixture(autouse=True)
def today():
    with time_machine.travel(TODAY, tick=False):
        yield


@pytest.fixture
def subscription(service, settings):
    """A customer in Alberta."""
    settings.ODOO_COMPANY_ID = 1
    customer = Mirror().customer(AB, service=service)
    plan = factories.PlanFactory(service=service)
    return factories.SubscriptionFactory(customer=customer, plan=plan, external_id="sub-1")


@pytest.fixture
def sell(subscription):
    """Sells a metric on the plan, billed on arrival unless told."""

    def sell(model=ChargeModel.STANDARD, properties=None, filters=(), **terms):
        metric = factories.MetricFactory(
            service=subscription.service,
            code=terms.pop("code", "api"),
            aggregation=terms.pop("aggregation", Aggregation.SUM),
            filters={"region": ["eu", "us"]},
        )
        return factories.ChargeFactory(
            plan=subscription.plan,
            metric=metric,
            model=model,
            properties=properties or {"amount": "0.05"},
            filters=list(filters),
            is_pay_in_advance=terms.pop("is_pay_in_advance", True),
        )

    return sell


@pytest.fixture
def use(subscription):
    """An event that is there already."""

    def use(value, at=datetime(2026, 9, 5, tzinfo=UTC), **properties):
        factories.UsageEventFactory(
            service=subscription.service,
            external_subscription_id="sub-1",
            code="api",
            timestamp=at,
            properties={"value": value, **properties},
            quantity=Decimal(value),
        )

    return use


@pytest.fixture
def estimate(call):
    def estimate(what="estimate_fees", **fields):
        event = {"code": "api", "external_subscription_id": "sub-1", "properties": {"value": "8"}} | fields
        return call("POST", f"events/{what}", {"event": event})

    return estimate


def amounts(answer):
    assert answer.status_code == 200, answer.json()
    return [(fee["units"], fee["amount_cents"]) for fee in answer.json()["fees"]]


def test_it_is_what_the_event_would_add_with_its_tax(estimate, sell, use):
    sell(ChargeModel.GRADUATED, {"graduated_ranges": TIERS})
    use("6")
    answer = estimate()
    # Four units are left of the first tier.
    assert amounts(answer) == [("8.0", 600)]
    (fee,) = answer.json()["fees"]
    assert (fee["lago_id"], fee["taxes_amount_cents"], fee["total_amount_cents"]) == (None, 30, 630)
    FeeResponse.parse_obj(fee)
    assert (UsageEvent.objects.count(), Fee.objects.count()) == (1, 0)


def test_it_stands_before_what_is_still_to_happen(estimate, sell, use):
    sell(ChargeModel.GRADUATED, {"graduated_ranges": TIERS})
    use("6", at=datetime(2026, 9, 20, tzinfo=UTC))
    assert amounts(estimate()) == [("8.0", 800)]


def test_it_is_of_the_events_own_filter_and_group(estimate, sell, use):
    sell(
        ChargeModel.PACKAGE,
        {"amount": "3", "package_size": 10, "pricing_group_keys": ["team"]},
        filters=[{"values": {"region": ["eu"]}, "properties": {"amount": "7", "package_size": 10}}],
    )
    use("9", region="eu", team="a")
    assert amounts(estimate(properties={"value": "1", "region": "eu", "team": "a"})) == [("1.0", 0)]
    assert amounts(estimate(properties={"value": "1", "region": "eu", "team": "b"})) == [("1.0", 700)]
    answer = estimate(properties={"value": "1", "team": "a"})
    assert amounts(answer) == [("1.0", 300)]
    assert answer.json()["fees"][0]["item"]["grouped_by"] == {"team": "a"}


def test_alone_it_reads_no_history_and_answers_decimals(estimate, sell, use):
    sell(ChargeModel.PERCENTAGE, {"rate": "1.5", "fixed_amount": "0.2"})
    use("1000")
    answer = estimate("estimate_instant_fees", transaction_id="mine")
    assert amounts(answer) == [("8.0", "32.0")]
    assert answer.json()["fees"][0]["event_transaction_id"] == "mine"


def test_many_are_estimated_in_their_order(call, sell):
    sell()
    events = [
        {"code": "api", "external_subscription_id": "sub-1", "properties": {"value": value}}
        for value in (1, "2.5")
    ]
    answer = call("POST", "events/batch_estimate_instant_fees", {"events": events})
    assert amounts(answer) == [("1.0", "5.0"), ("2.5", "12.5")]
    bad = call("POST", "events/batch_estimate_instant_fees", {"events": [*events, {"code": None}]})
    assert bad.json()["error_details"] == {"2": {"code": ["value_is_mandatory"]}}


@pytest.mark.parametrize("what", ["estimate_fees", "estimate_instant_fees"])
class TestRefused:
    @pytest.mark.parametrize("external_id", ["other", None])
    def test_without_an_active_subscription(self, estimate, sell, what, external_id):
        sell()
        answer = estimate(what, external_subscription_id=external_id)
        assert (answer.status_code, answer.json()["code"]) == (404, "subscription_not_found")

    def test_without_such_a_metric(self, estimate, sell, what):
        sell()
        answer = estimate(what, code="other")
        assert (answer.status_code, answer.json()["code"]) == (404, "billable_metric_not_found")

    def test_when_nothing_bills_it_on_arrival(self, estimate, sell, what):
        sell(is_pay_in_advance=False)
        assert estimate(what).json()["error_details"] == {"code": ["does_not_match_an_instant_charge"]}

    @pytest.mark.parametrize("properties", [{}, {"value": "many"}, {"value": None}, {"value": "5e3"}])
    def test_what_is_no_number(self, estimate, sell, what, properties):
        sell()
        assert estimate(what, properties=properties).json()["error_details"] == {
            "properties": ["value_is_not_valid_number"]
        }

    def test_another_services_subscription(self, estimate, what):
        factories.SubscriptionFactory(external_id="theirs")
        answer = estimate(what, external_subscription_id="theirs")
        assert (answer.status_code, answer.json()["code"]) == (404, "subscription_not_found")


def test_a_charge_that_is_neither_standard_nor_a_percentage_is_not_estimated_alone(estimate, sell):
    sell(ChargeModel.GRADUATED, {"graduated_ranges": TIERS})
    answer = estimate("estimate_instant_fees")
    assert answer.json()["error_details"] == {"code": ["does_not_match_an_instant_charge"]}


def test_a_count_needs_no_number(estimate, sell):
    sell(aggregation=Aggregation.COUNT)
    for what, cents in (("estimate_fees", 5), ("estimate_instant_fees", "5.0")):
        assert amounts(estimate(what, properties={})) == [("1.0", cents)]
