"""Stripe's screens: work by money, decisions on what was seen, and runs that a button starts."""

from datetime import date

import pytest
from django.urls import reverse

from reconciliation.models import BillingSource, ClaimRules, Run, StripeRecord
from tests import factories
from tests.stripe_standin.objects import invoice, line

pytestmark = pytest.mark.django_db

RULES = reverse("admin:reconciliation_claimrules_add")
SOURCES = reverse("admin:reconciliation_billingsource_add")


def seen_in(response):
    return dict(response.context["hidden"])["seen"]


def test_the_worklist_has_the_most_money_first_and_says_why(client, finance):
    factories.StripeRecordFactory(stripe_id="in_small", amount=1, state="unclaimed")
    factories.StripeRecordFactory(
        stripe_id="in_large", amount=9000, state="parked", reason="Nobody has cus_9."
    )
    factories.StripeRecordFactory(stripe_id="in_fine", state="unbilled")
    client.force_login(finance)
    address = reverse("admin:reconciliation_striperecord_changelist")
    page = client.get(address).content.decode()
    assert page.index("in_large") < page.index("in_small")
    assert "Nobody has cus_9." in page
    assert "in_fine" not in page
    assert "in_fine" in client.get(f"{address}?q=in_fine").content.decode()


def test_rules_are_tried_on_what_was_read_and_hold_once_their_effect_was_seen(client, finance):
    service = factories.ServiceFactory(code="nexacloud")
    factories.StripeRecordFactory(
        raw=invoice("in_1", [line("il_1", 100)]), state="unclaimed", stripe_id="in_1"
    )
    client.force_login(finance)
    data = {"service": "nexacloud", "text": "product = prod_cloud", "reason": "Its product."}

    shown = client.post(RULES, data)
    assert not ClaimRules.objects.exists()
    assert "claimed anew" in shown.content.decode()
    assert "in_1" in shown.content.decode()

    response = client.post(RULES, {**data, "seen": seen_in(shown)})
    rules = ClaimRules.objects.get()
    assert response["Location"] == reverse("admin:reconciliation_claimrules_change", args=[rules.pk])
    assert (rules.service, rules.version, rules.decided_by) == (service, 1, finance)
    assert Run.objects.get().parameters == {"only": "settle"}
    assert StripeRecord.objects.get().state == "waiting"
    assert b"product = prod_cloud" in client.get(response["Location"]).content
    assert b"product = prod_cloud" in client.get(f"{RULES}?service=nexacloud").content


def test_rules_whose_effect_changed_meanwhile_are_shown_again(client, finance):
    factories.ServiceFactory(code="nexacloud")
    client.force_login(finance)
    data = {"service": "nexacloud", "text": "product = prod_cloud", "reason": "Its product."}
    seen = seen_in(client.post(RULES, data))
    factories.StripeRecordFactory(raw=invoice("in_1", [line("il_1", 100)]), stripe_id="in_1")
    assert client.post(RULES, {**data, "seen": seen}).status_code == 200
    assert not ClaimRules.objects.exists()


def test_a_line_that_is_no_rule_is_told_on_the_form(client, finance):
    factories.ServiceFactory(code="nexacloud")
    client.force_login(finance)
    page = client.post(
        RULES, {"service": "nexacloud", "text": "colour = red", "reason": "x"}
    ).content.decode()
    assert "Line 1:" in page


def test_another_source_is_taken_once_what_would_count_was_seen(client, finance):
    customer = factories.CustomerFactory(service=factories.ServiceFactory(code="nexacloud"))
    factories.AmountFactory(customer=customer)
    client.force_login(finance)
    data = {
        "service": "nexacloud",
        "kind": "stripe_invoices",
        "starts_on": "2026-01-01",
        "reason": "It does.",
    }

    shown = client.post(SOURCES, data)
    assert not BillingSource.objects.exists()
    assert "2026-09" in shown.content.decode()

    client.post(SOURCES, {**data, "seen": seen_in(shown)})
    source = BillingSource.objects.get()
    assert (source.kind, source.starts_on, source.decided_by) == (
        "stripe_invoices",
        date(2026, 1, 1),
        finance,
    )
    assert client.get(reverse("admin:reconciliation_billingsource_changelist")).status_code == 200


@pytest.mark.parametrize(
    ("name", "kind", "data"),
    [
        ("stripecheck", "check_stripe", {}),
        ("stripecursor", "stripe", {"since": "2026-01-01", "fees": "on"}),
    ],
)
def test_an_operator_starts_a_run_and_is_led_to_it(client, operator, name, kind, data):
    client.force_login(operator)
    response = client.post(reverse(f"admin:reconciliation_{name}_add"), data)
    run = Run.objects.get()
    assert (run.kind, run.requested_by) == (kind, operator)
    assert response["Location"] == reverse("admin:reconciliation_run_change", args=[run.pk])
    assert run.parameters == ({"since": "2026-01-01T00:00:00+00:00", "fees": True} if data else {})


def test_a_bill_and_the_charge_that_paid_it_are_shown_together(client, auditor):
    customer = factories.CustomerFactory()
    row = factories.ReconciliationFactory(customer=customer)
    document = factories.SourceDocumentFactory(
        service=customer.service, source="lago_invoice", reference="lago-1", title="LAG-1"
    )
    factories.AmountFactory(customer=customer, document=document)
    factories.StripeRecordFactory(kind="charges", stripe_id="ch_1", pays="lago-1", state="evidence")
    factories.StripeRecordFactory(kind="refunds", stripe_id="re_1", pays="ch_1", state="evidence")
    client.force_login(auditor)
    page = client.get(reverse("admin:reconciliation_reconciliation_change", args=[row.pk])).content.decode()
    assert page.index("ch_1") < page.index("re_1")
