"""How likely a customer is a partner, and on what evidence."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciliation.comparison.linking import CustomerFacts, PartnerFacts, normalise_name, score

ACME = CustomerFacts("c-1", "Acme Inc.", "Billing@Acme.example", "CA 123-456", "cus_1")


def partner(**values):
    return PartnerFacts(**({"odoo_id": 7, "name": "Somebody Else"} | values))


@pytest.mark.parametrize(
    ("facts", "points", "words"),
    [
        ({"ref": "c-1"}, 70, "reference"),
        ({"stripe_ids": frozenset({"cus_1"})}, 70, "Stripe"),
        ({"ref": "cus_1"}, 70, "Stripe"),
        ({"vat": "ca123456"}, 50, "tax id"),
        ({"email": "billing@acme.EXAMPLE"}, 35, "e-mail"),
        ({"name": "ACME, Incorporated"}, 25, "the same name"),
        ({"name": "Acmee"}, 10, "alike"),
    ],
)
def test_each_piece_of_evidence_has_its_weight_and_its_words(facts, points, words):
    match = score(ACME, partner(**facts))
    (evidence,) = match.evidence
    assert (match.score, evidence.points) == (points, points)
    assert words in evidence.reason


def test_evidence_adds_up_to_a_hundred_at_most():
    assert score(ACME, partner(email=ACME.email, name="Acme")).score == 60
    assert score(ACME, partner(ref="c-1", vat=ACME.vat, email=ACME.email, name="Acme")).score == 100


def test_an_archived_partner_and_an_address_are_less_likely():
    assert score(ACME, partner(ref="c-1", is_active=False)).score == 30
    assert score(ACME, partner(email=ACME.email, is_address=True)).score == 20
    assert score(ACME, partner(name="Acme", is_active=False, is_address=True)).score == 0


def test_what_neither_knows_is_no_evidence():
    assert score(CustomerFacts("c-1"), partner(name="")) is None


def test_names_are_compared_without_what_differs_by_habit():
    assert normalise_name("Québec Inc") == normalise_name("QUEBEC, Limited") == "quebec"


TEXT = st.sampled_from(["", "a", "b", "Acme", "acme inc", "c-1"])


@settings(max_examples=60)
@given(
    customer=st.builds(CustomerFacts, TEXT, TEXT, TEXT, TEXT, TEXT),
    other=st.builds(
        PartnerFacts, st.just(1), TEXT, TEXT, TEXT, TEXT, st.frozensets(TEXT), st.booleans(), st.booleans()
    ),
)
def test_a_score_is_always_explained_and_between_nothing_and_a_hundred(customer, other):
    match = score(customer, other)
    if match is not None:
        assert 0 <= match.score <= 100
        assert match.score == max(0, min(100, sum(each.points for each in match.evidence)))
