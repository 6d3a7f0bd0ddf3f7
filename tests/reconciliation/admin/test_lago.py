"""Lago on the screens: its connection, and its fees beside ours on a reconciliation's page."""

from decimal import Decimal

import pytest
from django.urls import reverse

from reconciliation.models import LagoConnection, Run, Source
from reconciliation.tasks import execute_run
from tests import factories
from tests.lago_standin.server import KEY, serve_lago

pytestmark = pytest.mark.django_db

ADD = "admin:reconciliation_lagoconnection_add"


def test_an_operator_connects_a_lago_and_sees_what_its_key_may_read(client, operator, finance):
    service = factories.ServiceFactory()
    client.force_login(operator)
    with serve_lago({"invoices": [], "credit_notes": []}) as lago:
        lago.forbidden = frozenset({"credit_notes"})
        answer = client.post(reverse(ADD), {"service": service.pk, "url": lago.url, "key": KEY})
        assert answer.status_code == 302, answer.context["form"].errors
        execute_run(Run.objects.get(kind="check_lago").pk)
        page = client.get(answer["Location"]).content.decode()
        assert "may not read everything" in page
        assert KEY not in page
        client.force_login(finance)
        row = LagoConnection.objects.get()
        assert (
            client.post(reverse("admin:reconciliation_lagoconnection_check_key", args=[row.pk])).status_code
            == 403
        )
        client.post(reverse("admin:reconciliation_lagoconnection_fetch", args=[row.pk]))
        run = Run.objects.get(kind="fetch_lago")
        execute_run(run.pk)
        run.refresh_from_db()
        assert (run.status, run.requested_by) == ("partial", finance)


def test_what_is_no_address_is_said_at_its_field(client, operator):
    service = factories.ServiceFactory()
    client.force_login(operator)
    data = {"service": service.pk, "url": "https://lago.example/?a=1", "key": "x"}
    assert "is not an address" in str(client.post(reverse(ADD), data).context["form"].errors["url"])
    assert (
        "key"
        in client.post(reverse(ADD), {**data, "url": "https://lago.example", "key": ""})
        .context["form"]
        .errors
    )


def test_a_reconciliation_shows_lagos_fees_beside_ours(client, auditor):
    charge = factories.ChargeFactory()
    service = charge.plan.service
    subscription = factories.SubscriptionFactory(
        customer__service=service, service=service, plan=charge.plan, external_id="sub-1"
    )
    row = factories.ReconciliationFactory(customer=subscription.customer)
    factories.FeeFactory(
        subscription=subscription, charge=charge, quantity=Decimal(200), amount=Decimal("10.00")
    )
    amount = factories.AmountFactory(
        customer=subscription.customer,
        document=factories.SourceDocumentFactory(
            service=service,
            source=Source.LAGO_INVOICE,
            title="LAG-001 acme",
            content={"prepaid_credit_amount_cents": 250},
        ),
    )
    factories.AmountLineFactory(
        amount=amount,
        code=charge.metric.code,
        quantity=Decimal(190),
        untaxed=Decimal("9.50"),
        detail={
            "subscription": "sub-1",
            "precise_amount": "9.5",
            "events": 4,
            "details": {"graduated_ranges": [{"units": "190.0", "per_unit_amount": "0.05"}]},
        },
    )
    client.force_login(auditor)
    page = client.get(reverse("admin:reconciliation_reconciliation_change", args=[row.pk])).content.decode()
    assert "Fee by fee with Lago" in page
    assert "1 of 1 differ" in page
    assert "graduated ranges 1 per unit amount" in page
    assert "LAG-001 acme: 2.50 CAD paid from prepaid credits" in page
    assert "units" in page
