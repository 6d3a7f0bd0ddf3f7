"""A service with a key, and how it posts."""

import json

import pytest
import time_machine
from django.test import Client

from ingest.keys import create_key
from tests import factories
from tests.ingest.api.subscribing import NOW


@pytest.fixture
def service(db):
    """The service that posts."""
    return factories.ServiceFactory()


@pytest.fixture
def key(service):
    """Its key, in clear."""
    return create_key(service=service, name="production", actor=None).key


@pytest.fixture
def call(key):
    """Calls a path of the API by any method: a value becomes JSON, bytes go as they are."""

    def call(method, path, body=b"", **headers):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"authorization": f"Bearer {key}"} | headers
        path, _, query = f"/api/v1/{path}".partition("?")
        return Client().generic(method, path, data, "application/json", headers=headers, QUERY_STRING=query)

    return call


@pytest.fixture
def post(call):
    """Posts to a path of the API."""

    def post(path, body, **headers):
        return call("POST", path, body, **headers)

    return post


@pytest.fixture
def post_event(post):
    """Posts one event: the smallest that is accepted, changed as told."""

    def post_event(transaction_id="t-1", **fields):
        return post("events", {"event": make_event(transaction_id, **fields)})

    return post_event


@pytest.fixture
def post_batch(post):
    """Posts a batch of events."""

    def post_batch(*events):
        return post("events/batch", {"events": list(events)})

    return post_batch


@pytest.fixture
def clock():
    """It is noon on 20 October 2026 until the test moves on."""
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def subscribe(call, service, clock):
    """Posts a subscription to one of two monthly plans, or to a yearly one that is cheaper than the dear one."""
    for code, amount, interval in (("basic", 10, "monthly"), ("pro", 50, "monthly"), ("year", 500, "yearly")):
        factories.PlanFactory(service=service, code=code, amount=amount, interval=interval)

    def subscribe(plan="pro", external_id="s", customer="acme", **fields):
        named = {"external_customer_id": customer, "plan_code": plan, "external_id": external_id}
        return call("POST", "subscriptions", {"subscription": named | fields})

    return subscribe


def make_event(transaction_id="t-1", **fields):
    """The smallest event that names a subscription."""
    return {"transaction_id": transaction_id, "code": "api", "external_subscription_id": "sub-1"} | fields
