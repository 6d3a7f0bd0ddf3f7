"""A draft's payload and digest, and the keys that are refused."""

import json
from dataclasses import replace
from decimal import Decimal

import pytest

from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.odoo.drafts import PlanLine, QuotationDraft, UsageLine
from reconciliation.connectors.odoo.external_ids import (
    is_shadow,
    name_line,
    name_quotation,
    parse_line,
    parse_quotation,
)

API = UsageLine(key="api", product_id=3, name="API calls 2026-10", amount=Decimal("30.86"))
STORAGE = UsageLine(key="sto", product_id=3, name="Storage 2026-10", amount=Decimal("4.10"))
BASE = PlanLine(key="base", product_id=4, name="Pro plan 2026-10", quantity=Decimal("1"))
DRAFT = QuotationDraft(
    key="k1",
    partner_id=7,
    company_id=1,
    pricelist_id=3,
    reference="NexaCloud 2026-10",
    usage_lines=(API, STORAGE),
    plan_lines=(BASE,),
)


def test_the_payload_is_json_with_amounts_as_decimal_strings():
    assert json.loads(json.dumps(DRAFT.payload())) == {
        "key": "k1",
        "partner_id": 7,
        "company_id": 1,
        "pricelist_id": 3,
        "reference": "NexaCloud 2026-10",
        "usage_lines": [
            {"key": "api", "product_id": 3, "name": "API calls 2026-10", "amount": "30.86"},
            {"key": "sto", "product_id": 3, "name": "Storage 2026-10", "amount": "4.1"},
        ],
        "plan_lines": [{"key": "base", "product_id": 4, "name": "Pro plan 2026-10", "quantity": "1"}],
    }


def test_a_stored_payload_gives_the_draft_back():
    stored = json.loads(json.dumps(DRAFT.payload()))
    assert QuotationDraft.from_payload(stored).payload() == DRAFT.payload()
    assert QuotationDraft.from_payload(stored).digest() == DRAFT.digest()


def test_equal_intents_have_one_digest():
    same = replace(DRAFT, usage_lines=(replace(STORAGE, amount=Decimal("4.1")), API))
    assert same.digest() == DRAFT.digest()


@pytest.mark.parametrize(
    "other",
    [
        replace(DRAFT, key="k2"),
        replace(DRAFT, partner_id=8),
        replace(DRAFT, pricelist_id=2),
        replace(DRAFT, reference="NexaCloud 2026-11"),
        replace(DRAFT, usage_lines=(replace(API, amount=Decimal("30.87")), STORAGE)),
        replace(DRAFT, usage_lines=(API,)),
        replace(DRAFT, plan_lines=()),
        replace(DRAFT, plan_lines=(replace(BASE, quantity=Decimal("2")),)),
    ],
)
def test_another_intent_has_another_digest(other):
    assert other.digest() != DRAFT.digest()


def test_a_float_never_becomes_a_payload():
    with pytest.raises(TypeError):
        replace(DRAFT, usage_lines=(replace(API, amount=30.86),)).digest()


@pytest.mark.parametrize("key", ["", "a.b", "a b", "a__b", "_a", "a_", "é", "a/b", "a\n"])
def test_a_key_that_cannot_be_told_apart_in_odoo_is_refused(key):
    for change in ({"key": key}, {"usage_lines": (replace(API, key=key),)}):
        with pytest.raises(ConnectorError) as caught:
            replace(DRAFT, **change)
        assert caught.value.code == "invalid_draft"


def test_a_line_key_is_used_once_even_across_usage_and_plan():
    with pytest.raises(ConnectorError) as caught:
        replace(DRAFT, plan_lines=(replace(BASE, key="api"),))
    assert caught.value.code == "invalid_draft"


def test_a_name_in_odoo_leads_back_to_its_keys():
    assert parse_quotation(name_quotation("nexa-cloud_2026")) == "nexa-cloud_2026"
    assert parse_line(name_line("nexa-cloud_2026", "api_calls")) == ("nexa-cloud_2026", "api_calls")


def test_lines_of_similar_keys_have_names_of_their_own():
    assert name_line("a", "b_c") != name_line("a_b", "c")
    assert parse_quotation(name_line("a", "b")) is None
    assert parse_line(name_quotation("a_b")) is None


@pytest.mark.parametrize(
    "name",
    [
        "",
        "shadow_a",
        "__import__.shadow_a",
        "__billing_console__.tag_shadow",
        "x__billing_console__.shadow_a",
    ],
)
def test_other_names_are_not_ours(name):
    assert not is_shadow(name)
    assert parse_quotation(name) is None
    assert parse_line(name) is None
