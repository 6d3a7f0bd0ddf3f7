"""The what-if page: another price for a closed period, for everyone who may see charges and fees."""

import json

import pytest
from django.urls import reverse

from ingest.models import ChargeVersion, Fee
from tests import factories
from tests.ingest.selling import add_charge, bill, make_subscription
from tests.ingest.test_what_if import use

pytestmark = pytest.mark.django_db

LABEL = factories.PERIOD_LABEL
TIERS = [
    {"from_value": 0, "to_value": 5, "per_unit_amount": "1", "flat_amount": "0"},
    {"from_value": 6, "to_value": None, "per_unit_amount": "0.5", "flat_amount": "0"},
]


@pytest.fixture
def charge():
    subscription = make_subscription()
    charge = add_charge(subscription, price="1")
    use(subscription, "10")
    bill(subscription.service)
    return charge


@pytest.fixture
def ask(client, charge, request):
    """Asks the page a question, as somebody who works in finance."""
    client.force_login(request.getfixturevalue("finance"))

    def ask(**question):
        known = {"period": LABEL, "version": charge.versions.get().pk}
        return client.get(
            reverse("admin:ingest_charge_what_if", args=[charge.pk]),
            {**known, **question} if question else {},
        )

    return ask


@pytest.mark.parametrize("person", ["finance", "manager", "operator", "auditor"], indirect=True)
def test_every_role_may_ask(client, charge, person):
    client.force_login(person)
    page = client.get(reverse("admin:ingest_charge_change", args=[charge.pk])).content.decode()
    address = reverse("admin:ingest_charge_what_if", args=[charge.pk])
    assert address in page
    assert client.get(address).status_code == 200


def test_who_has_no_role_may_not(client, charge, outsider):
    client.force_login(outsider)
    assert client.get(reverse("admin:ingest_charge_what_if", args=[charge.pk])).status_code == 403


def test_a_charge_that_there_is_not_has_no_page(client, finance):
    client.force_login(finance)
    assert client.get(reverse("admin:ingest_charge_what_if", args=[0])).status_code == 404


def test_the_page_asks_first(ask):
    response = ask()
    assert "found" not in response.context
    assert "Rate it" in response.content.decode()


def test_a_typed_price_stands_beside_the_one_that_was_billed(ask):
    response = ask(charge_model="graduated", properties=json.dumps({"graduated_ranges": TIERS}))
    found = response.context["found"]
    assert (found.amount, found.other_amount) == (10, pytest.approx(7.5))
    page = response.content.decode()
    assert all(text in page for text in ("7.50 instead of 10.00 CAD, −2.50", "10.00", "never pushed"))
    assert (ChargeVersion.objects.count(), Fee.objects.get().amount) == (1, 10)


def test_numbers_in_a_typed_price_are_read_digit_for_digit(ask):
    found = ask(properties='{"amount": 0.10000000000000000000000000000001}').context["found"]
    assert found.other_amount == 1


def test_a_minimum_and_filters_may_be_typed(ask):
    found = ask(min_amount="12", filters="[]").context["found"]
    assert found.difference == 2


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ({"period": "soon"}, "This is no period"),
        ({"period": "2031-01"}, "2031-01 is not closed yet"),
        ({"version": "0"}, "valid choice"),
        ({"properties": "{"}, "This is no JSON"),
        ({"properties": "[]"}, "a price is an object"),
        ({"properties": '{"amount": "\\u0000"}'}, "This is no JSON"),
        ({"properties": '{"amount": "\\ud800"}'}, "This is no JSON"),
        ({"properties": '{"amount": "cheap"}'}, "amount"),
        ({"properties": json.dumps({"amount": "9" * 11_000})}, ""),
        ({"filters": "{}"}, "filters are a list"),
        ({"filters": "[1]"}, "Each filter is an object"),
        ({"min_amount": "-1"}, "zero or more"),
        ({"min_amount": "1e999"}, "zero or more"),
        ({"min_amount": "NaN"}, "zero or more"),
        ({"min_amount": "x"}, "zero or more"),
        ({"customer": "nobody"}, "No subscription"),
    ],
)
def test_a_wrong_question_is_told_what_is_wrong(ask, question, said):
    response = ask(**question)
    assert response.status_code == 200
    assert "found" not in response.context or not said
    assert said in response.content.decode()
