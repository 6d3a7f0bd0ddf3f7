"""Finance says which period a line bills; an operator says where Odoo's amounts come from."""

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from reconciliation.models import LineState, Strategy
from reconciliation.strategies import read_strategy
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer():
    return factories.SubscriptionFactory().customer


@pytest.fixture
def line(customer):
    return factories.UnattributedLineFactory(service=customer.service)


def address(name, row):
    return reverse(f"admin:reconciliation_unattributedline_{name}", args=[row.pk])


def said(response):
    return [str(message) for message in get_messages(response.wsgi_request)]


def test_finance_assigns_a_line_on_a_form(client, finance, customer, line):
    client.force_login(finance)
    assert address("assign", line) in client.get(address("change", line)).content.decode()
    assert "100.00 CAD untaxed" in client.get(address("assign", line)).content.decode()
    given = {"customer": customer.external_id, "period": factories.PERIOD_LABEL, "reason": "The contract."}

    response = client.post(address("assign", line), given)

    assert (response.status_code, response["Location"]) == (302, address("change", line))
    line.refresh_from_db()
    assert (line.state, line.customer, line.decided_by) == (LineState.ASSIGNED, customer, finance)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"customer": "nobody"}, "has no customer nobody"),
        ({"period": "2026-W05"}, "has a period 2026-W05"),
        ({"period": "soon"}, "soon"),
    ],
)
def test_what_cannot_be_is_refused_on_the_form(client, finance, line, wrong, words):
    client.force_login(finance)
    given = {
        "customer": line.service.customers.get().external_id,
        "period": factories.PERIOD_LABEL,
        "reason": "x",
    } | wrong

    response = client.post(address("assign", line), given)

    assert response.status_code == 200
    assert any(words in message for message in said(response))
    line.refresh_from_db()
    assert line.state == LineState.OPEN


def test_finance_leaves_a_line_out(client, finance, line):
    client.force_login(finance)
    client.post(address("leave_out", line), {"reason": "A one-off."})
    line.refresh_from_db()
    assert (line.state, line.reason) == (LineState.LEFT_OUT, "A one-off.")


def test_a_settled_line_offers_nothing(client, finance, line):
    line.state = LineState.SETTLED
    line.save()
    client.force_login(finance)
    page = client.get(address("change", line)).content.decode()
    assert address("assign", line) not in page
    assert address("leave_out", line) not in page


def test_others_decide_nothing(client, auditor, line):
    client.force_login(auditor)
    assert address("assign", line) not in client.get(address("change", line)).content.decode()
    assert client.get(address("assign", line)).status_code == 403
    assert client.post(address("leave_out", line), {"reason": "x"}).status_code == 403


def test_an_operator_chooses_where_odoos_amounts_come_from(client, operator, finance, customer):
    service = customer.service
    page = reverse("admin:ingest_service_change", args=[service.pk])
    choose = reverse("admin:ingest_service_amount_strategy", args=[service.pk])
    client.force_login(operator)
    assert "They come from: shadow quotations" in client.get(page).content.decode()
    assert "would bill them" in client.get(choose).content.decode()

    assert client.post(choose, {"strategy": "invoice"}).status_code == 302

    assert read_strategy(service) == Strategy.INVOICE
    client.force_login(finance)
    assert "invoices, drafts included" in client.get(page).content.decode()
    assert client.post(choose, {"strategy": "order"}).status_code == 403
