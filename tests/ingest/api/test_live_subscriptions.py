"""Customers and subscriptions through the official Python client, unmodified, on a live server."""

import pytest
from lago_python_client import Client
from lago_python_client.exceptions import LagoApiError
from lago_python_client.models import Customer, Subscription
from lago_python_client.models.customer import (
    Address,
    CustomerBillingConfiguration,
    Metadata,
    MetadataList,
)

from ingest.keys import create_key
from ingest.models import Subscription as SubscriptionRow
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def lago(port, transactional_db):
    """The official client of a service that sells three plans."""
    service = factories.ServiceFactory()
    for code, amount in (("basic", 10), ("pro", 50), ("max", 90)):
        factories.PlanFactory(service=service, code=code, amount=amount)
    key = create_key(service=service, name="live", actor=None).key
    return Client(api_key=key, api_url=f"http://127.0.0.1:{port}")


def refused_with(status, call):
    with pytest.raises(LagoApiError) as refused:
        call()
    assert refused.value.status_code == status
    return refused.value.response


def test_a_customer_from_its_first_day_to_its_last(lago):
    made = lago.customers.create(
        Customer(
            external_id="acme",
            name="Acme",
            country="CA",
            currency="CAD",
            timezone="America/Toronto",
            shipping_address=Address(city="Oakville"),
            billing_configuration=CustomerBillingConfiguration(
                payment_provider="stripe", provider_customer_id="cus_1", provider_payment_methods=["card"]
            ),
            metadata=MetadataList(__root__=[Metadata(key="tier", value="gold")]),
        )
    )
    assert (made.external_id, made.applicable_timezone) == ("acme", "America/Toronto")
    assert made.billing_configuration.provider_customer_id == "cus_1"
    assert made.metadata.__root__[0].value == "gold"
    changed = lago.customers.create(Customer(external_id="acme", email="a@acme.example"))
    assert (changed.lago_id, changed.name, changed.email) == (made.lago_id, "Acme", "a@acme.example")
    assert lago.customers.find("acme").lago_id == made.lago_id
    found = lago.customers.find_all({"per_page": 1, "search_term": "acme"})
    assert (found["meta"]["total_count"], found["customers"][0].lago_id) == (1, made.lago_id)
    details = refused_with(422, lambda: lago.customers.create(Customer(external_id="b", country="XX")))
    assert details["error_details"] == {"country": ["not_a_valid_country_code"]}
    assert lago.customers.destroy("acme").external_id == "acme"
    assert refused_with(404, lambda: lago.customers.find("acme"))["code"] == "customer_not_found"


def test_a_subscription_from_its_first_day_to_its_last(lago):
    def subscribe(plan, **fields):
        return lago.subscriptions.create(
            Subscription(external_customer_id="acme", external_id="s", plan_code=plan, **fields)
        )

    first = subscribe("basic", billing_time="anniversary")
    assert (first.status, first.plan_amount_cents, first.plan_code) == ("active", "1000", "basic")
    upgraded = subscribe("max")
    assert (upgraded.previous_plan_code, upgraded.billing_time) == ("basic", "anniversary")
    assert subscribe("pro").next_plan_code == "pro"
    assert lago.subscriptions.find("s").lago_id == upgraded.lago_id
    assert lago.subscriptions.find("s", {"status": "pending"}).plan_code == "pro"
    changed = lago.subscriptions.update(Subscription(name="Main"), "s")
    assert (changed.lago_id, changed.name) == (upgraded.lago_id, "Main")
    listed = lago.subscriptions.find_all({"external_customer_id": "acme", "status[]": ["active", "pending"]})
    assert {row.plan_code for row in listed["subscriptions"]} == {"max", "pro"}
    assert lago.subscriptions.destroy("s", {"status": "pending"}).status == "canceled"
    assert lago.subscriptions.destroy("s").status == "terminated"
    assert refused_with(404, lambda: lago.subscriptions.find("s"))["code"] == "subscription_not_found"
    assert refused_with(404, lambda: subscribe("nothing"))["code"] == "plan_not_found"
    assert SubscriptionRow.objects.count() == 3
