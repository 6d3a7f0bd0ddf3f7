"""Input that means harm, sent to what a service keeps: a 4xx that says where, nothing kept, never a fault of ours."""

import json

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.models import Customer, Subscription
from tests.ingest.api.test_hostile import VALUES

pytestmark = pytest.mark.django_db

ROOTS = {"customers": "customer", "subscriptions": "subscription"}
CUSTOMER = '"external_id":"c"'
SUBSCRIPTION = '"external_id":"s","external_customer_id":"c","plan_code":"pro"'
HOSTILE = [
    r'"\ud800"',
    r'"a\u0000b"',
    '"' + "x" * 10_000 + '"',
    "1e400",
    "9" * 5_000,
    "-1e-999999999",
    "[" * 900 + "]" * 900,
    '{"a":' * 900 + "1" + "}" * 900,
    "[" * 5_000 + "]" * 5_000,
    "true",
    "[null]",
    "{}",
    "NaN",
]
CUSTOMER_FIELDS = (
    "external_id", "name", "customer_type", "email", "country", "currency", "timezone", "net_payment_term",
    "shipping_address", "billing_configuration", "metadata", "integration_customers", "tax_codes",
    "finalize_zero_amount_invoice", "skip_invoice_custom_sections",
)  # fmt: skip
SUBSCRIPTION_FIELDS = (
    "external_id", "external_customer_id", "plan_code", "name", "billing_time", "subscription_at", "ending_at",
    "payment_method", "invoice_custom_section", "on_termination_invoice", "consolidate_invoice", "plan_overrides",
    "usage_thresholds",
)  # fmt: skip


def is_answered(response):
    """JSON, and no fault of ours."""
    assert response["Content-Type"] == "application/json"
    assert response.status_code in {200, 400, 403, 404, 422}, response.content
    return response.json()


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_field_is_refused_or_kept_and_read_back(call, subscribe, value):
    subscribe()
    for path, smallest, fields in (
        ("customers", CUSTOMER, CUSTOMER_FIELDS),
        ("subscriptions", SUBSCRIPTION, SUBSCRIPTION_FIELDS),
    ):
        for field in fields:
            body = f'{{"{ROOTS[path]}":{{{smallest},"{field}":{value}}}}}'
            is_answered(call("POST", path, body.encode()))
    for path in ROOTS:
        assert call("GET", path).status_code == 200
    is_answered(call("PUT", "subscriptions/s", f'{{"subscription":{{"name":{value}}}}}'.encode()))


@pytest.mark.parametrize(
    "query",
    [
        "search_term=%F0%9F%92%A9", "search_term=%ff", "external_id=" + "x" * 5_000, "metadata[a]=b", "metadata[]=b",
        "metadata['\"]=%27", "status[]=%27%3B--", "status=%ff", "page=1e400&per_page=-1", "currencies[]=%22",
        "countries[]=%C3%9F", "has_customer_type=x",
    ],
)  # fmt: skip
def test_a_hostile_query_is_answered(call, query):
    for path in ("customers", "subscriptions", "subscriptions/s", "customers/c"):
        is_answered(call("GET", f"{path}?{query}"))
    is_answered(call("DELETE", f"subscriptions/s?{query}&on_termination_invoice={query}"))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from(sorted(ROOTS)),
    fields=st.dictionaries(st.sampled_from(sorted({*CUSTOMER_FIELDS, *SUBSCRIPTION_FIELDS})), VALUES),
)
def test_no_body_whatever_is_a_fault_of_ours(key, path, fields):
    client = Client(raise_request_exception=False)
    body = json.dumps({ROOTS[path]: fields}).encode()
    headers = {"authorization": f"Bearer {key}"}
    answer = is_answered(client.generic("POST", f"/api/v1/{path}", body, "application/json", headers=headers))
    assert Subscription.objects.count() == 0, "there is no plan"
    assert Customer.objects.count() >= (answer.keys() == {"customer"})
