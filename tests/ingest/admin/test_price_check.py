"""The price check: what a charge or a typed price costs, for everyone who may see charges."""

import json

import pytest
from django.urls import reverse

from tests import factories

pytestmark = pytest.mark.django_db

ADDRESS = "admin:ingest_charge_price_check"


@pytest.fixture
def ask(client, auditor):
    """Asks the page a question."""
    client.force_login(auditor)

    def ask(**question):
        return client.get(reverse(ADDRESS), question)

    return ask


def test_a_charge_is_asked_at_its_newest_price(ask):
    charge = factories.ChargeFactory(properties={"amount": "0.0025"})
    figures = ask(charge=charge.pk, units="12345.678").context["figures"]
    assert (figures["amount"], figures["amount_cents"]) == ("30.864195", 3086)


def test_a_typed_price_is_shown_tier_by_tier(ask):
    ranges = [
        {"from_value": 0, "to_value": 10, "per_unit_amount": "1", "flat_amount": "2"},
        {"from_value": 11, "to_value": None, "per_unit_amount": "0.5", "flat_amount": "0"},
    ]
    response = ask(
        charge_model="graduated",
        properties=json.dumps({"graduated_ranges": ranges}),
        currency="CAD",
        units="12",
    )
    assert response.context["figures"]["amount"] == "13"
    computed = response.context["computed"]
    assert computed.columns[:3] == ["From", "To", "Units"]
    assert [row[2] for row in computed.rows] == ["10", "2"]
    assert "∞" in response.content.decode()


def test_single_events_are_given_in_time_order(ask):
    terms = {"rate": "2.99", "per_transaction_min_amount": "1.75", "per_transaction_max_amount": "12"}
    figures = ask(
        charge_model="percentage", properties=json.dumps(terms), units="10090", events_count=3,
        event_values="10, 80; 10000",
    ).context["figures"]  # fmt: skip
    assert figures["amount"] == "16.142"


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ({"units": "many"}, "units must be a number"),
        ({"units": "1", "properties": "{"}, "This is no JSON"),
        ({"units": "1", "properties": "[]"}, "A price is an object"),
        ({"units": "1", "charge_model": "graduated"}, "graduated_ranges"),
        ({"units": "1", "currency": "euro"}, "valid value"),
        ({"units": "1", "charge": "0"}, "valid choice"),
        ({"units": ""}, "required"),
        ({"units": "1", "event_values": "a b"}, "event_values"),
    ],
)
def test_a_wrong_question_is_told_what_is_wrong(ask, question, said):
    response = ask(**question)
    assert response.status_code == 200
    assert "figures" not in response.context
    assert said in response.content.decode()


def test_who_may_not_see_charges_may_not_ask(client, outsider):
    client.force_login(outsider)
    assert client.get(reverse(ADDRESS)).status_code == 403


def test_what_is_sold_no_more_is_not_offered(ask):
    sold = factories.ChargeFactory()
    factories.ChargeFactory(deleted_at=factories.SEEN_AT)
    factories.ChargeFactory(plan__deleted_at=factories.SEEN_AT)
    assert list(ask().context["form"].fields["charge"].queryset) == [sold]
