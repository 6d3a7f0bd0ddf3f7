"""Services are told what became of their customers, subscriptions and prices, each fact once (Lago: webhooks)."""

import json
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from ingest.models import Subscription
from reconciliation import facts
from reconciliation.api.webhook_objects import show_object
from reconciliation.models import Delivery, FactReport, ToldFact
from reconciliation.tasks import announce_facts as announce_task
from tests import factories
from tests.ingest.api.subscribing import NOW

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


@pytest.fixture
def clock():
    """It is noon until the test moves on."""
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def endpoint(clock, service):
    """Where the service listens, since a minute."""
    endpoint = factories.WebhookEndpointFactory(service=service)
    clock.shift(MINUTE)
    return endpoint


@pytest.fixture
def announce(clock):
    """Tells what happened by now, and returns the bodies of all that was told since the last time."""
    seen = [0]

    def announce(after=timedelta(0)):
        clock.shift(after)
        facts.announce_facts(now=timezone.now(), show=show_object)
        bodies = [json.loads(body) for body in Delivery.objects.order_by("pk").values_list("body", flat=True)]
        fresh, seen[0] = bodies[seen[0] :], len(bodies)
        return fresh

    return announce


def types(bodies):
    return [body["webhook_type"] for body in bodies]


@pytest.fixture
def subscribe(call, service):
    """Posts a subscription to a monthly plan, cheap unless told otherwise."""
    for code, amount in (("basic", 10), ("pro", 50)):
        factories.PlanFactory(service=service, code=code, amount=amount)

    def subscribe(plan="basic", **fields):
        body = {"external_customer_id": "acme", "plan_code": plan, "external_id": "s", **fields}
        assert call("POST", "subscriptions", {"subscription": body}).status_code == 200

    return subscribe


def test_a_customer_is_told_of_as_the_api_answers_it(call, endpoint, announce, service):
    call("POST", "customers", {"customer": {"external_id": "ada", "name": "Ada"}})
    (told,) = announce()
    assert told == {
        "webhook_type": "customer.created",
        "object_type": "customer",
        "organization_id": str(service.public_id),
        "customer": call("GET", "customers/ada").json()["customer"],
    }
    assert announce(MINUTE) == []
    for name in ("Ada L", "Ada Lovelace"):
        call("POST", "customers", {"customer": {"external_id": "ada", "name": name}})
    (told,) = announce(MINUTE)
    assert (told["webhook_type"], told["customer"]["name"]) == ("customer.updated", "Ada Lovelace")


def test_a_subscription_is_told_of_with_its_plan_and_its_customer(call, endpoint, announce, subscribe):
    subscribe()
    created, started = announce()
    assert types([created, started]) == ["customer.created", "subscription.started"]
    assert started["subscription"] == {
        **call("GET", "subscriptions/s").json()["subscription"],
        "customer": call("GET", "customers/acme").json()["customer"],
    }
    call("PUT", "subscriptions/s", {"subscription": {"name": "Main"}})
    assert types(announce(MINUTE)) == ["subscription.updated"]
    subscribe("pro")
    upgraded = announce(MINUTE)
    assert types(upgraded) == ["subscription.started", "subscription.terminated"]
    assert [each["subscription"]["plan_code"] for each in upgraded] == ["pro", "basic"]
    assert {each["subscription"]["external_id"] for each in upgraded} == {"s"}
    call("DELETE", "customers/acme")
    (told,) = announce(MINUTE)
    assert (told["webhook_type"], told["subscription"]["status"]) == ("subscription.terminated", "terminated")


def test_what_a_date_brings_about_is_told_when_it_comes(call, endpoint, announce, subscribe, clock):
    begins, ends = NOW + timedelta(days=1), NOW + timedelta(days=60)
    subscribe(subscription_at=begins.isoformat(), ending_at=ends.isoformat())
    subscribe("pro", external_id="given-up", subscription_at=begins.isoformat())
    assert types(announce()) == ["customer.created"]
    call("DELETE", "subscriptions/given-up?status=pending")
    assert types(announce(MINUTE)) == ["subscription.canceled"]
    assert types(announce(timedelta(days=1))) == ["subscription.started"]
    clock.move_to(ends - timedelta(days=45))
    (told,) = announce()
    assert told["webhook_type"] == "subscription.termination_alert"
    assert told["subscription"]["ending_at"] == ends.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert announce(MINUTE) == []
    assert types(announce(timedelta(days=30))) == ["subscription.termination_alert"]
    assert types(announce(timedelta(days=15))) == ["subscription.terminated"]
    assert announce(MINUTE) == []


def test_prices_are_told_of_and_a_new_plan_with_its_charges_at_once(call, endpoint, announce):
    metric = {"name": "Calls", "code": "calls", "aggregation_type": "count_agg"}
    metric_id = call("POST", "billable_metrics", {"billable_metric": metric}).json()["billable_metric"][
        "lago_id"
    ]
    charge = {"billable_metric_id": metric_id, "charge_model": "standard", "properties": {"amount": "1"}}
    plan = {
        "name": "Basic",
        "code": "basic",
        "interval": "monthly",
        "amount_cents": 100,
        "amount_currency": "CAD",
        "pay_in_advance": False,
        "charges": [charge],
    }
    call("POST", "plans", {"plan": plan})
    told = announce()
    assert types(told) == ["billable_metric.created", "plan.created"]
    assert told[1]["plan"] == call("GET", "plans/basic").json()["plan"]
    call("PUT", "plans/basic/charges/calls", {"charge": {"properties": {"amount": "2"}}})
    (told,) = announce(MINUTE)
    assert told["webhook_type"] == "plan.updated"
    assert told["plan"]["charges"][0]["properties"] == {"amount": "2"}
    call("DELETE", "plans/basic")
    call("DELETE", "billable_metrics/calls")
    assert types(announce(MINUTE)) == ["plan.deleted", "billable_metric.deleted"]


def test_what_commits_late_is_told_still_and_nothing_twice(call, endpoint, announce, clock):
    call("POST", "customers", {"customer": {"external_id": "ada"}})
    assert len(announce(MINUTE)) == 1
    clock.shift(-MINUTE)
    call("POST", "customers", {"customer": {"external_id": "bob"}})
    (told,) = announce(2 * MINUTE)
    assert told["customer"]["external_id"] == "bob"
    announce_task()
    assert Delivery.objects.count() == 2
    announce(timedelta(hours=3))
    assert not ToldFact.objects.exists()


def test_nothing_is_told_from_before_a_service_listened_nor_of_what_another_does(
    call, clock, service, announce, subscribe
):
    subscribe()
    assert announce(MINUTE) == []
    assert not FactReport.objects.exists()
    factories.WebhookEndpointFactory(service=service, event_types=["subscription.updated"])
    factories.WebhookEndpointFactory()
    clock.shift(MINUTE)
    call("POST", "customers", {"customer": {"external_id": "new"}})
    call("PUT", "subscriptions/s", {"subscription": {"name": "x"}})
    assert types(announce(MINUTE)) == ["subscription.updated"]
    assert Delivery.objects.get().endpoint.service == service


def test_what_was_taken_over_from_elsewhere_began_there(endpoint, announce, service):
    customer = factories.CustomerFactory(service=service)
    plan = factories.PlanFactory(service=service)
    began = {"started_at": NOW - timedelta(days=90), "customer": customer, "plan": plan}
    factories.SubscriptionFactory(external_id="theirs", metered_from=NOW, **began)
    factories.SubscriptionFactory(external_id="ours", **began)
    (told,) = announce(MINUTE)
    assert told["subscription"]["external_id"] == "ours"
    assert Subscription.objects.count() == 2
