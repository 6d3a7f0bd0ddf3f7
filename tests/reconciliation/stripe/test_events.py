"""Webhooks: kept as they came, processed after, and harmless in any order and number."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse
from stripe import WebhookSignature

from ingest.errors import DomainError
from ingest.models import AuditRecord
from reconciliation import tasks
from reconciliation.models import Amount, StripeEvent, StripeRecord
from reconciliation.stripe import events
from tests.reconciliation.stripe.conftest import fetch
from tests.stripe_standin.objects import charge, event, invoice, line, payment

pytestmark = pytest.mark.django_db


def post(client, values, *, secret="whsec_new", signed_at=None, body=None):
    """Delivers an event as Stripe does."""
    payload = json.dumps(values, indent=2) if body is None else body
    at = int(datetime.now(UTC).timestamp()) if signed_at is None else signed_at
    return client.post(
        reverse("stripe_webhook"),
        payload,
        content_type="application/json",
        headers={"Stripe-Signature": WebhookSignature.generate_signature_header(payload, secret, at)},
    )


def paid(id_="evt_1", **values):
    return event(id_, "invoice.paid", {"id": "in_1", "object": "invoice"}, **values)


def put_invoice(account, cents=100, **values):
    account.put(invoice("in_1", [line("il_1", cents)], **values))


def counted():
    return list(Amount.objects.filter(is_current=True).values_list("document__source", "total"))


@pytest.mark.parametrize("secret", ["whsec_new", "whsec_old"])
def test_an_event_is_kept_answered_and_processed_after(client, account, acme, secret):
    put_invoice(account)
    assert post(client, paid(), secret=secret).status_code == 200
    assert account.asked == []
    assert StripeEvent.objects.get().state == "waiting"

    tasks.process_stripe_events()

    assert StripeEvent.objects.get().state == "done"
    assert counted() == [("stripe_invoice", 1)]


def test_deliveries_that_come_again_or_out_of_order_count_once(client, account, acme):
    put_invoice(account, status="void")
    for each in (paid("evt_2"), paid("evt_1", type="invoice.voided"), paid("evt_2"), paid("evt_1")):
        assert post(client, each).status_code == 200
    tasks.process_stripe_events()
    tasks.process_stripe_events()
    assert list(StripeEvent.objects.values_list("state", flat=True)) == ["done", "done"]
    # However many tell of it, it is read once.
    assert account.asked.count("/v1/invoices/in_1") == 1
    assert counted() == []


@pytest.mark.parametrize(
    ("delivery", "code"),
    [
        ({"secret": "whsec_forged"}, "forged_signature"),
        ({"signed_at": 1_700_000_000}, "stale_signature"),
        ({"body": "[]"}, "no_event"),
        ({"body": '{"object": "event"}'}, "no_event"),
        ({"body": "{"}, "no_event"),
    ],
)
def test_what_stripe_did_not_send_is_refused_and_not_kept(client, account, acme, delivery, code):
    response = post(client, paid(), **delivery)
    assert (response.status_code, response.json()["code"]) == (400, code)
    assert not StripeEvent.objects.exists()


def test_without_a_signature_or_by_another_method_nothing_is_kept(client, account, acme):
    address = reverse("stripe_webhook")
    assert client.post(address, "{}", content_type="application/json").status_code == 400
    assert client.get(address).status_code == 405
    assert not StripeEvent.objects.exists()


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"account": "acct_other"}, "It is of account acct_other, and acct_1NexaSystems is read here."),
        ({"livemode": True}, "It is of live mode, and the key is of the other."),
    ],
)
@pytest.mark.usefixtures("acme")
def test_another_accounts_event_is_kept_parked_and_never_processed(client, account, values, reason, operator):
    put_invoice(account)
    assert post(client, paid(**values)).status_code == 200
    tasks.process_stripe_events()
    row = StripeEvent.objects.get()
    assert (row.state, row.reason) == ("parked", reason)
    assert not StripeRecord.objects.exists()
    with pytest.raises(DomainError) as refusal:
        events.retry(event_id=row.pk, actor=operator)
    assert refusal.value.code == "not_ours"


def test_an_event_of_what_this_account_does_not_have_is_parked_and_may_be_tried_again(
    client, account, acme, operator
):
    post(client, paid())
    tasks.process_stripe_events()
    row = StripeEvent.objects.get()
    assert (row.state, "This account has no invoices in_1" in row.reason) == ("parked", True)
    put_invoice(account)
    events.retry(event_id=row.pk, actor=operator)
    tasks.process_stripe_events()
    assert counted() == [("stripe_invoice", 1)]
    assert AuditRecord.objects.get(action="stripe_event.retry").actor == operator


def test_a_draft_that_was_deleted_is_no_bill_and_no_riddle(client, account, acme):
    put_invoice(account, status="draft")
    fetch()
    account.objects.clear()
    post(client, paid(type="invoice.deleted"))
    tasks.process_stripe_events()
    assert StripeEvent.objects.get().state == "done"
    assert StripeRecord.objects.get().state == "unbilled"


def test_what_may_pass_is_tried_again_later_and_what_may_not_is_parked(client, account, acme):
    put_invoice(account)
    post(client, paid())
    account.answer_next((200, '{"id": "acct_1NexaSystems"}'), *[(503, "{}")] * 4)
    tasks.process_stripe_events()
    row = StripeEvent.objects.get()
    assert (row.state, row.attempts) == ("waiting", 1)
    assert row.next_attempt_at > datetime.now(UTC) + timedelta(seconds=50)
    StripeEvent.objects.update(next_attempt_at=datetime.now(UTC))
    account.forbidden = {"invoices"}
    tasks.process_stripe_events()
    row.refresh_from_db()
    assert (row.state, "rak_invoice_read" in row.reason) == ("parked", True)


def test_a_charge_is_asked_for_its_invoice_before_it_could_count_as_one_without(client, account, acme):
    account.put(charge("ch_1", 100), payment("inpay_1", "in_1", "pi_1", 100))
    put_invoice(account)
    post(client, event("evt_1", "charge.succeeded", {"id": "ch_1", "object": "charge"}))
    tasks.process_stripe_events()
    assert StripeRecord.objects.get(stripe_id="ch_1").state == "evidence"


def test_what_the_console_does_not_read_is_of_no_interest(client, account, acme):
    post(client, event("evt_1", "product.created", {"id": "prod_1", "object": "product"}))
    tasks.process_stripe_events()
    assert StripeEvent.objects.get().state == "ignored"


def test_a_gap_in_the_webhooks_is_filled_by_the_poll(client, account, acme):
    fetch()
    put_invoice(account, created=1_000_000_000)
    account.put(paid(created=int(datetime.now(UTC).timestamp())))
    fetch()
    assert StripeEvent.objects.get().is_polled
    assert counted() == [("stripe_invoice", 1)]


def test_a_key_that_stripe_does_not_know_leaves_the_events_waiting(client, account, acme, settings):
    post(client, paid())
    settings.STRIPE_API_KEY = "rk_test_rolled"
    tasks.process_stripe_events()
    assert StripeEvent.objects.get().state == "waiting"
