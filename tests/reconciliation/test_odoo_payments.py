"""Odoo's own payments are read, and its charges on the shared account are told by them."""

import csv
import io
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command

from reconciliation.models import OdooToken, OdooTransaction, StripeRecord
from reconciliation.odoo_payments import sync_tokens, sync_transactions
from tests import factories

pytestmark = pytest.mark.django_db


def make_transaction(world, reference="INV/2026/00001", intent="pi_1", **values):
    return world.office.create(
        "payment.transaction",
        reference=reference,
        provider_reference=intent,
        state="done",
        amount=113.0,
        partner_id=world.partner,
        **values,
    )


def make_token(world, customer="cus_acme", method="pm_1", **values):
    return world.office.create(
        "payment.token",
        partner_id=world.partner,
        provider_ref=customer,
        stripe_payment_method=method,
        **values,
    )


def test_transactions_and_tokens_by_stripe_are_read_and_read_again(world):
    make_transaction(world)
    make_transaction(world, "S00002-1", "", provider_code="demo")
    token = make_token(world)
    assert [sync_transactions(connector=world.connector) for _ in range(2)] == [1, 1]
    assert [sync_tokens(connector=world.connector) for _ in range(2)] == [1, 1]
    row = OdooTransaction.objects.get()
    assert (row.reference, row.provider_reference, row.amount, row.currency) == (
        "INV/2026/00001",
        "pi_1",
        Decimal("113.00"),
        "CAD",
    )
    assert OdooToken.objects.get().payment_method == "pm_1"
    world.office.call("payment.token", "unlink", [token])
    sync_tokens(connector=world.connector)
    assert OdooToken.objects.get().is_active is False


def test_a_charge_that_turns_out_to_be_odoos_is_attributed_anew(world):
    for id_, intent, raw in (
        ("ch_1", "pi_1", {}),
        ("ch_2", "pi_9", {"description": "INV/2026/00001"}),
        ("ch_3", "pi_3", {}),
    ):
        factories.StripeRecordFactory(
            kind="charges", stripe_id=id_, intent=intent, raw=raw, state="unclaimed"
        )
    make_transaction(world)
    sync_transactions(connector=world.connector)
    states = dict(StripeRecord.objects.values_list("stripe_id", "state"))
    assert states == {"ch_1": "waiting", "ch_2": "waiting", "ch_3": "unclaimed"}


CARDS = {
    "No partner": {"customer": {"odoo_partner_id": None}},
    "No Stripe": {"customer": {"stripe_customer_id": ""}},
    "Not read": {"customer": {"stripe_customer_id": "cus_unread"}},
    "No card": {"token": None},
    "Archived": {"token": {"is_active": False}},
    "Another's": {"token": {"stripe_customer": "cus_other"}},
    "Another card": {"token": {"payment_method": "pm_old"}},
    "Fine": {},
}


def make_customer(service, number, *, customer=None, token=()):
    name, partner, stripe = list(CARDS)[number], number + 1, f"cus_{number}"
    values = {"name": name, "odoo_partner_id": partner, "stripe_customer_id": stripe, **(customer or {})}
    row = factories.CustomerFactory(service=service, external_id=f"=customer-{number}", **values)
    factories.SubscriptionFactory(customer=row)
    raw = {"id": stripe, "invoice_settings": {"default_payment_method": f"pm_{number}"}}
    factories.StripeRecordFactory(kind="customers", stripe_id=stripe, raw=raw)
    if token is not None:
        card = {"partner_id": partner, "stripe_customer": stripe, "payment_method": f"pm_{number}"}
        factories.OdooTokenFactory(**{**card, **dict(token)})


def test_each_customer_whom_odoo_could_not_charge_is_listed_with_why_and_what_a_token_needs(capsys):
    service = factories.ServiceFactory(code="nexacloud", name="NexaCloud")
    for number, wrong in enumerate(CARDS.values()):
        make_customer(service, number, **wrong)
    factories.CustomerFactory(service=service, name="Nobody's subscriber")

    with pytest.raises(CommandError, match="7 customers of NexaCloud"):
        call_command("check_cards", "--service", "nexacloud")

    rows = {row["name"]: row for row in csv.DictReader(io.StringIO(capsys.readouterr().out))}
    assert {name: row["reason"] for name, row in rows.items()} == {
        "No partner": "it is not linked to a partner of Odoo's",
        "No Stripe": "its Stripe customer is not known here",
        "Not read": "Stripe's customer was not read, or Stripe has it no more",
        "No card": "Odoo has no card for this partner",
        "Archived": "Odoo has no card for this partner",
        "Another's": "Odoo's card is of another Stripe customer",
        "Another card": "Odoo's card is not the one that Stripe charges",
    }
    card = rows["No card"]
    assert (card["stripe_customer"], card["payment_method"], card["odoo_partner_id"]) == (
        "cus_3",
        "pm_3",
        "4",
    )
    # A spreadsheet does not run it.
    assert card["customer"] == "'=customer-3"


def test_before_any_card_was_read_nobody_can_say_what_is_missing():
    factories.ServiceFactory(code="nexacloud")
    with pytest.raises(CommandError, match="No card was read"):
        call_command("check_cards", "--service", "nexacloud")
