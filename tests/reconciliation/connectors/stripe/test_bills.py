"""Bills of the pinned version's shapes, and every shape that is none."""

from decimal import Decimal

import pytest

from reconciliation.connectors.stripe.bills import read_bill
from reconciliation.connectors.stripe.facts import read_facts
from reconciliation.connectors.stripe.records import BillError, Kind
from tests.stripe_standin.objects import charge, credit_line, credit_note, invoice, line

SHIPPING = {"amount_subtotal": 1000, "amount_tax": 130, "amount_total": 1130, "taxes": []}


def test_shipping_is_a_line_of_its_own():
    values = invoice("in_1", [line("il_1", 2000)]) | {
        "shipping_cost": SHIPPING,
        "total": 3130,
        "total_excluding_tax": 3000,
    }
    bill = read_bill(Kind.INVOICES, values)
    assert [(each.code, each.amount, each.exclusive_tax) for each in bill.lines] == [
        ("price_team", Decimal("20.00"), Decimal(0)),
        ("shipping", Decimal("10.00"), Decimal("1.30")),
    ]


def test_billing_credits_come_off_before_tax_as_discounts_do():
    credit = {"amount": 500, "credit_balance_transaction": "cbtxn_1", "type": "credit_balance_transaction"}
    one = line("il_1", 2000, discount=300)
    one["pretax_credit_amounts"].append(credit)
    values = invoice("in_1", [one]) | {"total": 1200, "total_excluding_tax": 1200}
    assert read_bill(Kind.INVOICES, values).lines[0].discount == Decimal("8.00")


def test_a_credit_notes_amounts_are_below_zero():
    bill = read_bill(Kind.CREDIT_NOTES, credit_note("cn_1", "in_1", [credit_line("cnli_1", 1000, tax=130)]))
    assert (bill.untaxed, bill.tax, bill.total) == (Decimal("-10.00"), Decimal("-1.30"), Decimal("-11.30"))
    assert (bill.corrects, bill.lines[0].amount) == ("in_1", Decimal("-10.00"))


def with_line(**wrong):
    return invoice("in_1", [line("il_1", 100)]) | {
        "lines": {"data": [line("il_1", 100) | wrong], "has_more": False}
    }


@pytest.mark.parametrize(
    ("values", "code"),
    [
        (invoice("in_1", []) | {"lines": {"data": 7, "has_more": False}}, "unexpected_shape"),
        (invoice("in_1", []) | {"lines": {"data": ["il_1"], "has_more": False}}, "unexpected_shape"),
        (invoice("in_1", []) | {"lines": {"data": [], "has_more": True}}, "lines_missing"),
        (invoice("in_1", []) | {"created": None, "effective_at": None, "status_transitions": 7}, "no_date"),
        (with_line(taxes=7), "unexpected_shape"),
        (with_line(taxes=[{"amount": 1, "tax_behavior": "generous"}]), "unknown_tax"),
        (with_line(taxes=[{"amount": 1.5, "tax_behavior": "inclusive"}]), "no_amount"),
        (with_line(pretax_credit_amounts="all"), "unexpected_shape"),
        (with_line(discount_amounts=[{}]), "no_amount"),
        (with_line(period=None), "no_period"),
        (with_line(period={"start": "today", "end": 1}), "no_period"),
        (with_line(amount=None), "no_amount"),
        (with_line(parent=7, pricing=[]) | {"total": 7}, "lines_disagree"),
    ],
)
def test_a_shape_that_is_no_bill_is_refused_by_its_code(values, code):
    with pytest.raises(BillError) as refusal:
        read_bill(Kind.INVOICES, values)
    assert refusal.value.code == code


def test_a_bill_tells_each_fact_that_a_rule_may_ask_for():
    values = invoice(
        "in_1", [line("il_1", 1, metadata={"team": "maps"}), line("il_2", 1, product="prod_maps")]
    )
    facts = read_facts(values | {"metadata": {"region": "ca"}, "on_behalf_of": {"id": "acct_2"}})
    assert facts == {
        "metadata:service": {"nexacloud"},
        "metadata:team": {"maps"},
        "metadata:region": {"ca"},
        "product": {"prod_cloud", "prod_maps"},
        "price": {"price_team"},
        "subscription": {"sub_1"},
        "account": {"acct_2"},
    }
    assert read_facts(charge("ch_1", 1))["descriptor"] == {"NEXA SYSTEMS"}
