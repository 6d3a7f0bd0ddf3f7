"""Reading goes on where it was, whatever happened in between, and comes to the same in any order."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciliation.connectors.stripe.pages import read_item
from reconciliation.connectors.stripe.records import KIND_OF_OBJECT
from reconciliation.models import Amount, SourceDocument, StripeCursor, StripeRecord
from reconciliation.stripe.keeping import keep_items
from reconciliation.stripe.settling import settle
from tests import factories
from tests.reconciliation.stripe.conftest import claim, fetch
from tests.stripe_standin import server
from tests.stripe_standin.objects import (
    ACCOUNT,
    DECEMBER,
    NOVEMBER,
    charge,
    credit_line,
    credit_note,
    event,
    invoice,
    line,
    payment,
    refund,
)

pytestmark = pytest.mark.django_db

WORLD = [
    invoice("in_1", [line("il_1", 3000), line("il_2", 9900, start=NOVEMBER, end=DECEMBER, tax=1287)]),
    invoice("in_2", [line("il_3", 500, currency="usd")], status="open"),
    credit_note("cn_1", "in_1", [credit_line("cnli_1", 1000, of="il_1"), credit_line("cnli_2", 99)]),
    payment("inpay_1", "in_1", "pi_1", 14187),
    charge("ch_1", 14187),
    charge("ch_2", 700),
    refund("re_1", "ch_1", 1099),
]


def amounts():
    rows = Amount.objects.filter(is_current=True).order_by("document__reference", "period_start")
    return list(
        rows.values_list("document__reference", "period_label", "currency", "untaxed", "tax", "total")
    )


def test_the_same_again_changes_nothing(account, acme):
    account.put(*WORLD)
    fetch()
    before, records = amounts(), list(StripeRecord.objects.order_by("pk").values_list("stripe_id", "state"))
    run = fetch()
    assert run.summary["changed"] == 0
    assert amounts() == before
    assert list(StripeRecord.objects.order_by("pk").values_list("stripe_id", "state")) == records
    assert SourceDocument.objects.count() == 3


def test_a_second_pass_asks_for_what_is_new_with_an_overlap(account, acme):
    account.put(*WORLD)
    fetch()
    invoices = StripeCursor.objects.get(kind="invoices")
    assert invoices.reached_at == max(
        StripeRecord.objects.filter(kind="invoices").values_list("created", flat=True)
    )
    account.put(invoice("in_3", [line("il_9", 100)], created=int(invoices.reached_at.timestamp()) - 1800))
    assert fetch().summary["read_invoices"] == 3
    assert StripeRecord.objects.filter(stripe_id="in_3", state="claimed").exists()


def test_a_pass_that_was_interrupted_goes_on_from_its_page(account, acme, monkeypatch):
    account.put(*(invoice(f"in_{n}", [line(f"il_{n}", 100)], created=NOVEMBER + n) for n in range(250)))
    answered = []
    real = account.answer

    def answer(path, query, key):
        if path == "/v1/invoices":
            answered.append(query.get("starting_after", ""))
            if len(answered) == 3:
                return 401, '{"error": {"message": "expired"}}'
        return real(path, query, key)

    monkeypatch.setattr(account, "answer", answer)
    assert fetch().status == "failed"
    stopped_at = StripeCursor.objects.get(kind="invoices").reading_after
    assert stopped_at
    assert StripeRecord.objects.count() > 0
    answered.append("again")
    assert fetch().status == "succeeded"
    assert answered[answered.index("again") + 1] == stopped_at
    assert StripeRecord.objects.filter(kind="invoices").count() == 250


def test_a_change_is_found_by_its_event_and_read_anew_whatever_the_event_shows(account, acme):
    account.put(invoice("in_1", [line("il_1", 100)], status="open"))
    fetch()
    account.put(
        invoice("in_1", [line("il_1", 100)], status="void"),
        event("evt_1", "invoice.voided", {"id": "in_1", "object": "invoice", "total": 777}, created=_now()),
    )
    StripeCursor.objects.filter(kind="invoices").update(reached_at=datetime.now(UTC) + timedelta(days=9))
    fetch()
    assert amounts() == []


def test_after_a_gap_longer_than_events_are_kept_everything_is_read_once_more(account, acme):
    account.put(invoice("in_1", [line("il_1", 100)], status="open"))
    fetch()
    account.put(invoice("in_1", [line("il_1", 100)], status="void"))
    with time_machine.travel(datetime.now(UTC) + timedelta(days=31)):
        fetch()
    assert amounts() == []


def test_a_key_without_a_right_fails_the_run_and_keeps_what_was_read(account, acme):
    account.put(*WORLD)
    account.forbidden = {"charges"}
    run = fetch()
    assert run.status == "failed"
    assert "rak_charge_read" in run.message
    account.forbidden = set()
    assert fetch().status == "succeeded"
    assert len(amounts()) == 5


def test_a_storm_of_429_is_sat_out(account, acme):
    account.put(*WORLD)
    account.answer_next(*[server.throttle()] * 10)
    assert fetch().status == "succeeded"


def test_charges_wait_while_nobody_knows_which_of_them_are_odoos_own(account, acme, settings):
    settings.ODOO_URL, settings.ODOO_DB, settings.ODOO_LOGIN, settings.ODOO_API_KEY = (
        "http://127.0.0.1:1",
        *"odb",
    )
    account.put(*WORLD)
    run = fetch()
    assert (run.status, run.summary["bills"]) == ("partial", 3)
    assert "Odoo's payments could not be read" in run.message
    # Nobody knows yet which of them are Odoo's own.
    assert set(StripeRecord.objects.filter(kind="charges").values_list("state", flat=True)) == {"waiting"}
    settings.ODOO_URL = ""
    fetch()
    assert not StripeRecord.objects.filter(state="waiting").exists()


def test_another_accounts_key_is_refused_before_anything_is_read(account, acme, settings):
    settings.STRIPE_ACCOUNT = "acct_other"
    run = fetch()
    assert (run.status, ACCOUNT in run.message) == ("failed", True)
    assert not StripeRecord.objects.exists()


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.randoms(use_true_random=False))
def test_any_order_and_repetition_of_what_is_read_comes_to_the_same_amounts(db, chance):
    expected = _play(list(enumerate(WORLD)), [len(WORLD)])
    told = [*enumerate(WORLD), *chance.choices(list(enumerate(WORLD)), k=4)]
    chance.shuffle(told)
    assert _play(told, sorted(chance.sample(range(1, len(told)), 3))) == expected


def test_what_was_read_before_the_version_that_is_kept_changes_nothing(acme):
    newer, older = invoice("in_1", [line("il_1", 200)]), invoice("in_1", [line("il_1", 100)])
    for values, minute in ((newer, 2), (older, 1), (newer, 2)):
        _keep([values], datetime(2026, 11, 2, 0, minute, tzinfo=UTC))
        settle(account=ACCOUNT)
    assert [row[3] for row in amounts()] == [2]


def _play(told, stops):
    """What counts after everything was kept in that order, attributed at these places and at the end."""
    StripeRecord.objects.all().delete()
    for model in (Amount.lines.rel.related_model, Amount, SourceDocument):
        model.objects.all().delete()
    service = factories.ServiceFactory(timezone="America/Toronto")
    factories.CustomerFactory(service=service, stripe_customer_id="cus_acme")
    factories.BillingSourceFactory(service=service)
    claim(service, {"fact": "metadata", "key": "service", "value": "nexacloud"})
    for place, (number, values) in enumerate(told):
        _keep([values], datetime(2026, 11, 2, 0, 0, number, tzinfo=UTC))
        if place in stops:
            settle(account=ACCOUNT)
    StripeRecord.objects.filter(state="parked").update(state="waiting")
    settle(account=ACCOUNT)
    found = amounts()
    service.claim_rules.update(is_current=False)
    return found


def _keep(objects, at):
    items = [read_item("test", KIND_OF_OBJECT[values["object"]], values) for values in objects]
    keep_items(account=ACCOUNT, items=items, fetched_at=at)


def _now():
    return int(datetime.now(UTC).timestamp())
