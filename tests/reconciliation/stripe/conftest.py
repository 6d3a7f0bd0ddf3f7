"""A Stripe account that NexaCloud bills by, and Acme, a customer of it."""

from datetime import date

import pytest

from reconciliation.connectors.stripe import api
from reconciliation.models import BillingKind, BillingSource, ClaimRules
from reconciliation.runs import perform, start_run
from reconciliation.stripe.passes import fetch_and_settle
from tests import factories
from tests.stripe_standin import server
from tests.stripe_standin.objects import ACCOUNT


@pytest.fixture(autouse=True)
def at_once(monkeypatch, settings):
    """Nothing waits for long before it asks again, and there is no Odoo unless a test has one."""
    settings.ODOO_URL = ""
    monkeypatch.setattr(api, "WAITS", (0.0, 0.0, 0.0))
    monkeypatch.setattr(api, "LONGEST_WAIT", 0.0)


@pytest.fixture
def account(settings):
    """The account's server, configured with a key that may read everything."""
    with server.start() as running:
        settings.STRIPE_API_KEY, settings.STRIPE_API_BASE = server.KEY, running.url
        settings.STRIPE_ACCOUNT, settings.STRIPE_WEBHOOK_SECRETS = ACCOUNT, ["whsec_new", "whsec_old"]
        yield running


@pytest.fixture
def service(db):
    """NexaCloud bills by Stripe invoices whose subscriptions name it."""
    service = factories.ServiceFactory(code="nexacloud", name="NexaCloud", timezone="America/Toronto")
    bill_by(service, BillingKind.STRIPE_INVOICES)
    claim(service, {"fact": "metadata", "key": "service", "value": "nexacloud"})
    return service


@pytest.fixture
def acme(service):
    return factories.CustomerFactory(service=service, name="Acme", stripe_customer_id="cus_acme")


def bill_by(service, kind, starts_on=date(2026, 1, 1)):
    """The service's source, as if it had been decided long ago."""
    BillingSource.objects.filter(service=service, starts_on=starts_on).update(is_current=False)
    return BillingSource.objects.create(service=service, kind=kind, starts_on=starts_on, reason="As agreed.")


def claim(service, *rules):
    """The service's rules, as if they had been decided long ago."""
    last = ClaimRules.objects.filter(service=service).count()
    ClaimRules.objects.filter(service=service).update(is_current=False)
    return ClaimRules.objects.create(
        service=service, version=last + 1, rules=list(rules), reason="As agreed."
    )


def fetch(**parameters):
    """A pass as a run does it."""
    run = start_run(kind="stripe", service=None, parameters=parameters)
    return perform(run, fetch_and_settle)
