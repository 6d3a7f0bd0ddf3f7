"""What a subscription uses, over the API: now, in earlier periods, and what it is heading for (Lago: usage reads)."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
import time_machine
from lago_python_client.models.customer_usage import CustomerUsageResponse

from ingest.fees import rate_period
from ingest.usage import meter_period
from tests import factories
from tests.reconciliation.test_expected_taxes import AB, Mirror

pytestmark = pytest.mark.django_db

TODAY = datetime(2026, 9, 10, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def today():
    with time_machine.travel(TODAY, tick=False):
        yield


@pytest.fixture
def mirror(settings):
    """Odoo's taxes as mirrored."""
    settings.ODOO_COMPANY_ID = 1
    return Mirror()


@pytest.fixture
def subscription(service, mirror):
    """A customer in Alberta, on a plan that sells calls at 0.05."""
    customer = mirror.customer(AB, service=service)
    customer.external_id = "cust-1"
    customer.save()
    plan = factories.PlanFactory(service=service)
    return factories.SubscriptionFactory(customer=customer, plan=plan, external_id="sub-1")


@pytest.fixture
def charge(subscription):
    metric = factories.MetricFactory(service=subscription.service, code="api", name="Calls")
    return factories.ChargeFactory(
        plan=subscription.plan, metric=metric, code="calls", properties={"amount": "0.05"}
    )


@pytest.fixture
def use(subscription):
    """Events of the current period."""

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
def read(call):
    """A part of a customer's usage."""

    def read(what="current_usage", query="external_subscription_id=sub-1", customer="cust-1"):
        return call("GET", f"customers/{customer}/{what}?{query}")

    return read


def test_a_period_is_told_from_the_beginning_of_the_day_on_which_it_began(read, charge, use, subscription):
    subscription.customer.timezone = "America/Toronto"
    subscription.customer.save()
    subscription.started_at = datetime(2026, 9, 3, 15, 30, tzinfo=UTC)
    subscription.save()
    use("7", at=datetime(2026, 9, 3, 15, tzinfo=UTC))
    use("5", at=datetime(2026, 9, 3, 16, tzinfo=UTC))
    usage = read().json()["customer_usage"]
    assert (usage["from_datetime"], usage["to_datetime"]) == ("2026-09-03T04:00:00Z", "2026-10-01T03:59:59Z")
    assert usage["charges_usage"][0]["units"] == "5.0"


def test_the_usage_so_far_with_its_tax(read, charge, use):
    use("100")
    use("20.5")
    use("7", at=datetime(2026, 8, 31, 23, tzinfo=UTC))
    usage = read().json()["customer_usage"]
    assert (usage["from_datetime"], usage["to_datetime"]) == ("2026-09-01T00:00:00Z", "2026-09-30T23:59:59Z")
    assert (usage["amount_cents"], usage["taxes_amount_cents"], usage["total_amount_cents"]) == (603, 30, 633)
    assert (usage["currency"], usage["issuing_date"], usage["taxes_note"]) == ("CAD", "2026-10-01", None)
    (shown,) = usage["charges_usage"]
    assert (shown["units"], shown["events_count"], shown["amount_cents"]) == ("120.5", 2, 603)
    assert shown["charge"]["code"] == "calls"
    assert (shown["filters"], shown["grouped_usage"]) == ([], [])
    CustomerUsageResponse.parse_obj(usage)


def test_tax_can_be_left_out_and_is_none_where_it_is_not_known(read, charge, use, subscription):
    use("100")
    usage = read(query="external_subscription_id=sub-1&apply_taxes=false").json()["customer_usage"]
    assert (usage["taxes_amount_cents"], usage["total_amount_cents"]) == (0, 500)
    subscription.customer.odoo_partner_id = None
    subscription.customer.save()
    usage = read().json()["customer_usage"]
    assert (usage["taxes_amount_cents"], usage["total_amount_cents"]) == (0, 500)
    assert "not linked" in usage["taxes_note"]


def test_a_charge_that_nobody_used_is_there(read, charge):
    (shown,) = read().json()["customer_usage"]["charges_usage"]
    assert (shown["units"], shown["events_count"], shown["amount_cents"]) == ("0.0", 0, 0)


def test_filters_and_groups_add_up(read, subscription, use):
    metric = factories.MetricFactory(
        service=subscription.service, code="api", name="Calls", filters={"region": ["eu", "us"]}
    )
    factories.ChargeFactory(
        plan=subscription.plan,
        metric=metric,
        properties={"amount": "1", "pricing_group_keys": ["team"]},
        filters=[
            {"values": {"region": ["eu"]}, "properties": {"amount": "2"}, "invoice_display_name": "Europe"}
        ],
    )
    use("1", region="eu", team="a")
    use("2", region="us", team="a")
    use("4", region="eu", team="b")
    use("8")
    usage = read().json()["customer_usage"]
    (shown,) = usage["charges_usage"]
    filters = {str(each["values"]): each for each in shown["filters"]}
    assert filters["{'region': ['eu']}"]["units"] == "5.0"
    assert filters["{'region': ['eu']}"]["invoice_display_name"] == "Europe"
    assert filters["None"]["units"] == "10.0"
    groups = {each["grouped_by"]["team"]: each for each in shown["grouped_usage"]}
    assert {team: each["amount_cents"] for team, each in groups.items()} == {"a": 400, "b": 800, None: 800}
    assert (
        sum(each["amount_cents"] for each in groups.values())
        == shown["amount_cents"]
        == usage["amount_cents"]
    )
    one = read(query="external_subscription_id=sub-1&group[team]=a").json()["customer_usage"]
    assert one["charges_usage"][0]["amount_cents"] == 400
    same = read(query='external_subscription_id=sub-1&filter_by_group={"team":"a"}').json()["customer_usage"]
    assert same == one
    CustomerUsageResponse.parse_obj(usage)


@pytest.mark.parametrize(
    "choice", ["charge_code=calls", "billable_metric_code=api", "filter_by_metric_code=api"]
)
def test_it_is_narrowed_down_to_a_charge(read, charge, subscription, choice):
    factories.ChargeFactory(plan=subscription.plan)
    assert len(read().json()["customer_usage"]["charges_usage"]) == 2
    assert (
        len(read(query=f"{choice}&external_subscription_id=sub-1").json()["customer_usage"]["charges_usage"])
        == 1
    )
    missing = read(query="charge_code=none&external_subscription_id=sub-1")
    assert (missing.status_code, missing.json()["code"]) == (404, "charge_not_found")


@pytest.mark.parametrize(
    ("customer", "query", "refusal"),
    [
        ("other", "external_subscription_id=sub-1", (404, "customer_not_found")),
        ("cust-1", "external_subscription_id=other", (405, "no_active_subscription")),
        ("cust-1", "external_subscription_id=sub-1&full_usage=true", (405, "full_usage_not_allowed")),
        ("theirs", "external_subscription_id=sub-1", (404, "customer_not_found")),
    ],
)
@pytest.mark.usefixtures("charge")
def test_what_is_not_there_is_said_so(read, customer, query, refusal):
    factories.CustomerFactory(external_id="theirs")
    for what in ("current_usage", "projected_usage"):
        answer = read(what, query, customer)
        assert (answer.status_code, answer.json()["code"]) == refusal


def test_a_terminated_subscription_has_no_current_usage(read, charge, subscription):
    subscription.terminated_at = datetime(2026, 9, 2, tzinfo=UTC)
    subscription.save()
    assert read().json()["code"] == "no_active_subscription"


def test_a_projection_goes_on_as_the_period_began(read, charge, use):
    use("100")
    usage = read("projected_usage").json()["customer_projected_usage"]
    (shown,) = usage["charges_usage"]
    # 10 of 30 days have begun.
    assert (shown["units"], shown["projected_units"]) == ("100.0", "300.0")
    assert (shown["amount_cents"], shown["projected_amount_cents"]) == (500, 1500)
    assert usage["projected_amount_cents"] == 1500


def test_a_recurring_level_is_not_projected(read, charge, use):
    charge.metric.is_recurring = True
    charge.metric.save()
    use("100")
    (shown,) = read("projected_usage").json()["customer_projected_usage"]["charges_usage"]
    assert shown["projected_units"] == shown["units"] == "100.0"


def test_past_usage_is_what_was_rated_newest_first(read, charge, use, subscription):
    use("10", at=datetime(2026, 7, 3, tzinfo=UTC))
    use("20", at=datetime(2026, 8, 3, tzinfo=UTC))
    for label in ("2026-07", "2026-08"):
        meter_period(service=subscription.service, period_label=label, now=TODAY)
        rate_period(service=subscription.service, period_label=label, now=TODAY)
    body = read("past_usage").json()
    assert [(each["from_datetime"][:7], each["amount_cents"]) for each in body["usage_periods"]] == [
        ("2026-08", 100),
        ("2026-07", 50),
    ]
    assert body["usage_periods"][0]["taxes_amount_cents"] == 5
    assert body["meta"]["total_count"] == 2
    assert (
        len(read("past_usage", "external_subscription_id=sub-1&periods_count=1").json()["usage_periods"]) == 1
    )
    assert (
        read("past_usage", "external_subscription_id=sub-1&billable_metric_code=x").json()["usage_periods"]
        == []
    )
    CustomerUsageResponse.parse_obj(body["usage_periods"][0])


def test_past_usage_needs_to_know_whose(read, charge):
    answer = read("past_usage", "")
    assert answer.json()["error_details"] == {"external_subscription_id": ["value_is_mandatory"]}
