"""The official Python client, unmodified, through every call that a service makes of it."""

import time

import pytest
from lago_python_client import Client
from lago_python_client.exceptions import LagoApiError
from lago_python_client.models import (
    BatchEvent,
    BillableMetric,
    Charge,
    Charges,
    Customer,
    Event,
    Organization,
    Plan,
    Subscription,
    WebhookEndpoint,
)
from lago_python_client.models import BillableMetricFilter as Filter
from lago_python_client.models import BillableMetricFilters as Filters
from lago_python_client.models.alert import Alert, AlertsList, AlertThreshold, AlertThresholdList
from lago_python_client.models.charge import ChargeFilter

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def lago(address, key):
    """The client, told nothing but another address and another key."""
    return Client(api_key=key, api_url=address)


@pytest.fixture
def sold(lago):
    """A metric with a filter, and a plan that sells it, in arrears and in advance."""
    metric = lago.billable_metrics.create(
        BillableMetric(
            name="Calls",
            code="calls",
            aggregation_type="sum_agg",
            field_name="value",
            filters=Filters(__root__=[Filter(key="region", values=["eu", "us"])]),
        )
    )
    storage = lago.billable_metrics.create(
        BillableMetric(name="Files", code="files", aggregation_type="count_agg", recurring=False)
    )
    charges = [
        Charge(billable_metric_id=metric.lago_id, charge_model="standard", properties={"amount": "0.05"}),
        Charge(
            billable_metric_id=storage.lago_id,
            charge_model="standard",
            pay_in_advance=True,
            properties={"amount": "2"},
        ),
    ]
    lago.plans.create(
        Plan(
            name="Basic",
            code="basic",
            interval="monthly",
            amount_cents=3000,
            amount_currency="CAD",
            pay_in_advance=False,
            charges=Charges(__root__=charges),
        )
    )
    return lago


@pytest.fixture
def subscribed(sold):
    """A customer on that plan."""
    sold.customers.create(Customer(external_id="ada", name="Ada", currency="CAD"))
    sold.subscriptions.create(
        Subscription(external_customer_id="ada", plan_code="basic", external_id="ada-1", name="Ada's")
    )
    return sold


def use(transaction_id, value, **fields):
    return Event(
        transaction_id=transaction_id,
        external_subscription_id="ada-1",
        code=fields.pop("code", "calls"),
        timestamp=time.time(),
        properties={"value": value},
        **fields,
    )


def test_metrics(sold):
    assert sold.billable_metrics.find("calls").filters.__root__[0].values == ["eu", "us"]
    assert sold.billable_metrics.find_all()["meta"]["total_count"] == 2
    changed = BillableMetric(name="Requests", code="calls", aggregation_type="sum_agg", field_name="value")
    assert sold.billable_metrics.update(changed, "calls").name == "Requests"
    with pytest.raises(LagoApiError) as refused:
        sold.billable_metrics.find("none")
    assert refused.value.response["code"] == "billable_metric_not_found"


def test_plans(sold):
    plan = sold.plans.find("basic")
    assert (plan.amount_cents, plan.amount_currency, len(plan.charges.__root__)) == (3000, "CAD", 2)
    assert len(sold.plans.find_all()["plans"]) == 1
    changed = sold.plans.update(Plan(name="Basic 2", amount_cents=3500), "basic")
    assert (changed.name, changed.amount_cents) == ("Basic 2", 3500)
    assert sold.plans.destroy("basic").code == "basic"
    assert sold.plans.find_all()["plans"] == []


def test_customers_and_subscriptions(subscribed):
    assert subscribed.customers.find("ada").currency == "CAD"
    subscribed.customers.create(Customer(external_id="ada", email="ada@example.com"))
    ada = subscribed.customers.find("ada")
    assert (ada.name, ada.email) == ("Ada", "ada@example.com")
    assert len(subscribed.customers.find_all({"per_page": 1})["customers"]) == 1
    assert subscribed.subscriptions.find("ada-1").plan_code == "basic"
    assert len(subscribed.subscriptions.find_all({"external_customer_id": "ada"})["subscriptions"]) == 1
    assert subscribed.subscriptions.update(Subscription(name="Main"), "ada-1").name == "Main"
    assert subscribed.subscriptions.destroy("ada-1").status == "terminated"
    assert subscribed.customers.destroy("ada").external_id == "ada"


def test_events_usage_fees_and_invoices(subscribed):
    assert subscribed.events.create(use("t-1", "12.5")).transaction_id == "t-1"
    subscribed.events.batch_create(BatchEvent(events=[use("t-2", 7), use("t-3", "0.5")]))
    assert subscribed.events.find("t-1").external_subscription_id == "ada-1"
    usage = subscribed.customers.current_usage("ada", "ada-1")
    assert [(each.billable_metric.code, each.units) for each in usage.charges_usage] == [
        ("calls", "20.0"),
        ("files", "0.0"),
    ]
    assert usage.amount_cents == 100
    assert subscribed.customers.past_usage("ada", "ada-1")["usage_periods"] == []
    estimate = subscribed.events.estimate_fees(use("t-4", "1", code="files"))
    assert [fee.amount_cents for fee in estimate["fees"]] == [200]
    assert subscribed.fees.find_all()["fees"] == []
    assert subscribed.invoices.find_all()["invoices"] == []


def test_a_plan_piece_by_piece(subscribed):
    metric = subscribed.billable_metrics.find("calls")
    charge = Charge(
        billable_metric_id=metric.lago_id, charge_model="standard", code="more", properties={"amount": "1"}
    )
    assert subscribed.plan_charges.create("basic", charge).code == "more"
    assert subscribed.plan_charges.update("basic", "more", Charge(properties={"amount": "2"})).properties == {
        "amount": "2"
    }
    assert subscribed.plan_charges.find("basic", "more").charge_model == "standard"
    assert subscribed.subscription_charges.find("ada-1", "more").properties == {"amount": "2"}
    plans = subscribed.plans
    made = plans.create_charge_filter(
        "basic", "calls", ChargeFilter(values={"region": ["eu"]}, properties={"amount": "9"})
    )
    assert plans.find_charge_filter("basic", "calls", made.lago_id).values == {"region": ["eu"]}
    assert len(plans.find_all_charge_filters("basic", "calls")["filters"]) == 1
    assert len(subscribed.subscriptions.find_all_charge_filters("ada-1", "calls")["filters"]) == 1
    changed = plans.update_charge_filter(
        "basic", "calls", made.lago_id, ChargeFilter(properties={"amount": "8"})
    )
    assert changed.properties == {"amount": "8"}
    assert plans.destroy_charge_filter("basic", "calls", made.lago_id).lago_id == made.lago_id
    assert subscribed.plan_charges.destroy("basic", "more").code == "more"
    assert plans.replace_metadata("basic", {"a": "1", "b": None}) == {"a": "1", "b": None}
    assert plans.merge_metadata("basic", {"c": "3"}) == {"a": "1", "b": None, "c": "3"}
    assert plans.delete_metadata_key("basic", "a") == {"b": None, "c": "3"}
    assert not plans.delete_all_metadata("basic")


def test_alerts(subscribed):
    thresholds = AlertThresholdList(__root__=[AlertThreshold(code="warn", value="1000")])
    alert = Alert(alert_type="current_usage_amount", code="spend", thresholds=thresholds)
    made = subscribed.subscriptions.create_alerts("ada-1", AlertsList(alerts=[alert]))["alerts"]
    assert [(each.code, each.previous_value) for each in made] == [("spend", "0.0")]
    subscribed.subscriptions.delete_alerts("ada-1")


def test_webhook_endpoints_the_public_key_and_the_organization(lago):
    made = lago.webhook_endpoints.create(
        WebhookEndpoint(webhook_url="https://hooks.example.com/lago", signature_algo="hmac")
    )
    assert lago.webhook_endpoints.find(made.lago_id).webhook_url == "https://hooks.example.com/lago"
    assert len(lago.webhook_endpoints.find_all()["webhook_endpoints"]) == 1
    lago.webhook_endpoints.destroy(made.lago_id)
    assert lago.webhook_endpoints.find_all()["webhook_endpoints"] == []
    assert b"PUBLIC KEY" in lago.webhooks().public_key()
    assert lago.organizations().update(Organization(default_currency="CAD")).name


def test_what_is_not_served_says_so_in_json(lago):
    with pytest.raises(LagoApiError) as refused:
        lago.wallets.find_all({"external_customer_id": "ada"})
    assert refused.value.status_code in {404, 405}
    assert refused.value.response["code"]
