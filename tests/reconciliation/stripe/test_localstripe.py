"""A Stripe of somebody else's making: its subscriptions, prorations, refunds and signed webhooks, over the wire."""

import time
from decimal import Decimal

import pytest
from django.urls import reverse

from reconciliation import tasks
from reconciliation.models import Amount, BillingKind, StripeEvent, StripeRecord
from tests import factories
from tests.localstripe import running
from tests.reconciliation.stripe.conftest import bill_by, claim, fetch

SECRET = "whsec_localstripe"


@pytest.fixture(scope="module")
def peer():
    with running.start() as started:
        started.post("/v1/products", id="prod_cloud", name="NexaCloud", type="service")
        started.post(
            "/v1/plans", id="team", product="prod_cloud", amount=9900, currency="cad", interval="month"
        )
        yield started


@pytest.fixture
def stripe(peer, settings):
    settings.STRIPE_API_KEY, settings.STRIPE_API_BASE = running.KEY, peer.url
    settings.STRIPE_WEBHOOK_SECRETS = [SECRET]
    return peer


@pytest.fixture
def acme(stripe, service):
    """A customer with a card, on a plan of 99.00 with 13 % on top, who then doubles it."""
    claim(service, {"fact": "product", "key": "", "value": "prod_cloud"})
    customer = _customer(stripe)
    subscription = _subscribe(stripe, customer)
    stripe.post(f"/v1/subscriptions/{subscription['id']}", items=[{"plan": "team", "quantity": 2}])
    invoice = stripe.post("/v1/invoices", customer=customer["id"], subscription=subscription["id"])
    stripe.post(f"/v1/invoices/{invoice['id']}/pay")
    return factories.CustomerFactory(service=service, stripe_customer_id=customer["id"])


@pytest.mark.django_db
def test_what_it_says_in_total_is_what_counts(stripe, acme):
    run = fetch()
    assert run.status == "succeeded", run.message
    invoices = [
        each
        for each in stripe.get("/v1/invoices?limit=100")["data"]
        if each["customer"] == acme.stripe_customer_id
    ]
    assert [each["total"] for each in invoices] == [11187, 11187]
    amounts = Amount.objects.filter(customer=acme, is_current=True)
    told = sum(each["subtotal"] + each["tax"] for each in invoices if each["status"] in {"open", "paid"})
    assert sum(amount.total for amount in amounts) == Decimal(told).scaleb(-2)
    assert sum(amount.untaxed for amount in amounts) == Decimal(
        sum(each["subtotal"] for each in invoices if each["status"] in {"open", "paid"})
    ).scaleb(-2)
    charges = StripeRecord.objects.filter(kind="charges", customer=acme.stripe_customer_id)
    assert {charge.state for charge in charges} == {"evidence"}
    assert fetch().summary["changed"] == 0


@pytest.mark.django_db
def test_a_charge_without_an_invoice_counts_less_its_refund(stripe, service):
    bill_by(service, BillingKind.STRIPE_CHARGES)
    claim(service, {"fact": "descriptor", "key": "", "value": "NEXA CLOUD"})
    customer = _customer(stripe)
    factories.CustomerFactory(service=service, stripe_customer_id=customer["id"])
    charge = stripe.post(
        "/v1/charges", amount=5000, currency="cad", customer=customer["id"], statement_descriptor="NEXA CLOUD"
    )
    fetch()
    stripe.post("/v1/refunds", charge=charge["id"], amount=1200)
    fetch()
    amount = Amount.objects.get(is_current=True)
    assert (amount.untaxed, amount.total) == (None, Decimal("38.00"))


@pytest.mark.django_db
def test_its_pages_are_followed_to_the_last(stripe, service, monkeypatch):
    monkeypatch.setattr("reconciliation.connectors.stripe.api.PAGE_SIZE", 5)
    for number in range(12):
        stripe.post("/v1/customers", email=f"{number}@example.com")
    there = len(stripe.get("/v1/customers?limit=1000")["data"])
    assert there > 10
    fetch()
    assert StripeRecord.objects.filter(kind="customers").count() == there


@pytest.mark.django_db
def test_a_webhook_that_it_signed_is_verified_and_processed(stripe, service, client):
    kept = []

    def keep(body, headers):
        kept.append((body, headers["Stripe-Signature"]))
        return 200, b"{}"

    customer = _customer(stripe)
    with running.serve(keep) as url:
        types = ["invoice.payment_succeeded"]
        stripe.post("/_config/webhooks/console", url=url, secret=SECRET, events=types)
        subscription = _subscribe(stripe, customer)
        deadline = time.monotonic() + 10
        while not kept and time.monotonic() < deadline:
            time.sleep(0.05)
    body, signature = kept[0]

    def post(content):
        headers = {"Stripe-Signature": signature}
        return client.post(
            reverse("stripe_webhook"), content, content_type="application/json", headers=headers
        ).status_code

    assert post(body.replace(b"9900", b"9901")) == 400
    assert [post(body), post(body)] == [200, 200]
    tasks.process_stripe_events()
    assert StripeEvent.objects.get().state == "done"
    invoice = StripeRecord.objects.get(kind="invoices")
    assert (invoice.stripe_id, invoice.amount) == (subscription["latest_invoice"], Decimal("111.87"))


def _subscribe(stripe, customer):
    rate = stripe.post("/v1/tax_rates", display_name="HST", percentage=13, inclusive=False)
    return stripe.post(
        "/v1/subscriptions",
        customer=customer["id"],
        items=[{"plan": "team", "quantity": 1}],
        default_tax_rates=[rate["id"]],
    )


def _customer(stripe):
    customer = stripe.post("/v1/customers", email="acme@example.com")
    card = {"number": "4242424242424242", "exp_month": 12, "exp_year": 2099, "cvc": "123"}
    method = stripe.post("/v1/payment_methods", type="card", card=card)
    stripe.post(f"/v1/payment_methods/{method['id']}/attach", customer=customer["id"])
    stripe.post(f"/v1/customers/{customer['id']}", invoice_settings={"default_payment_method": method["id"]})
    return customer
