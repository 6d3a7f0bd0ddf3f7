"""What Stripe billed becomes amounts of the periods that it was for; what is not certain is parked with a reason."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from reconciliation.models import (
    Amount,
    AmountLine,
    BillingKind,
    OdooTransaction,
    RecordState,
    SourceDocument,
    StripeRecord,
)
from reconciliation.triage import resolve
from tests import factories
from tests.reconciliation.sides import odoo, row_of
from tests.reconciliation.stripe.conftest import bill_by, claim, fetch
from tests.stripe_standin.objects import (
    DECEMBER,
    NOON,
    NOVEMBER,
    OCTOBER,
    at,
    charge,
    credit_line,
    credit_note,
    dispute,
    invoice,
    line,
    payment,
    refund,
)

pytestmark = pytest.mark.django_db


def counted(**wanted):
    """What counts, by period: untaxed, tax and total."""
    sums = {}
    for amount in Amount.objects.filter(is_current=True, **wanted).order_by("period_start", "pk"):
        old = sums.get(amount.period_label, (Decimal(0),) * 3)
        new = (amount.untaxed or 0, amount.tax or 0, amount.total or 0)
        sums[amount.period_label] = tuple(one + other for one, other in zip(old, new, strict=True))
    return sums


def money(*texts):
    return tuple(map(Decimal, texts))


def record(id_):
    return StripeRecord.objects.get(stripe_id=id_)


def test_an_invoice_counts_in_the_periods_that_its_lines_are_for(account, acme):
    lines = [
        line("il_plan", 9900, start=NOVEMBER, end=DECEMBER, tax=1287),
        line("il_usage", 3010, tax=391, description="API calls"),
        line("il_setup", 5000, start=NOVEMBER + NOON, end=NOVEMBER + NOON, one_time=True, tax=650),
    ]
    account.put(invoice("in_1", lines))

    run = fetch()

    assert run.status == "succeeded", run.message
    assert counted() == {
        "2026-10": money("30.10", "3.91", "34.01"),
        "2026-11": money("149.00", "19.37", "168.37"),
    }
    told = AmountLine.objects.order_by("amount__period_start", "position").values_list("kind", "timing")
    assert list(told) == [("usage", "arrears"), ("plan", "advance"), ("one_time", "advance")]
    assert record("in_1").state == RecordState.CLAIMED
    assert record("in_1").claimed_by == "metadata service = nexacloud (version 1)"
    assert "secret" not in str(SourceDocument.objects.get().content)


def test_a_line_that_spans_periods_is_split_by_days_and_sums_to_the_invoice(account, acme):
    halves = {"start": at("2026-10-15T16:00"), "end": at("2026-11-15T17:00")}
    account.put(invoice("in_1", [line("il_1", 10000, tax=1300, **halves)]))
    fetch()
    assert counted() == {
        "2026-10": money("54.84", "7.13", "61.97"),
        "2026-11": money("45.16", "5.87", "51.03"),
    }
    assert AmountLine.objects.order_by("pk").first().description == "Team plan (17 days of it)"


def test_a_subscription_here_lends_the_line_its_calendar(account, acme):
    factories.SubscriptionFactory(
        customer=acme,
        billing_time="anniversary",
        subscription_at="2026-09-15T16:00:00Z",
        started_at="2026-09-15T16:00:00Z",
    )
    halves = {"start": at("2026-10-15T16:00"), "end": at("2026-11-15T17:00")}
    account.put(invoice("in_1", [line("il_1", 10000, **halves)]))
    fetch()
    assert counted() == {"2026-10-15": money("100.00", "0", "100.00")}


def test_inclusive_tax_is_separated_and_discounts_come_off(account, acme):
    account.put(invoice("in_1", [line("il_1", 12300, inclusive=1300, discount=1000)]))
    fetch()
    assert counted() == {"2026-10": money("100.00", "13.00", "113.00")}


def test_drafts_and_voids_bill_nothing_and_uncollectible_is_billed(account, acme):
    account.put(
        invoice("in_draft", [line("il_1", 100)], status="draft"),
        invoice("in_void", [line("il_2", 200)], status="void"),
        invoice("in_lost", [line("il_3", 400)], status="uncollectible"),
    )
    fetch()
    assert counted() == {"2026-10": money("4.00", "0", "4.00")}
    assert record("in_draft").state == record("in_void").state == RecordState.UNBILLED


def test_an_invoice_that_is_voided_later_counts_no_more_and_its_document_stays(account, acme):
    account.put(invoice("in_1", [line("il_1", 100)], status="open"))
    fetch()
    account.put(invoice("in_1", [line("il_1", 100)], status="void"))
    fetch()
    assert counted() == {}
    assert SourceDocument.objects.get().is_current is False


def test_prorations_and_credit_notes_are_in_the_period_that_they_correct(account, acme):
    back = line(
        "il_back", -4950, start=at("2026-11-16T05:00"), end=DECEMBER, proration=True, description="Unused"
    )
    account.put(
        invoice(
            "in_1",
            [line("il_usage", 3010, tax=391), line("il_plan", 9900, start=NOVEMBER, end=DECEMBER), back],
        ),
        credit_note("cn_1", "in_1", [credit_line("cnli_1", 1000, of="il_usage", tax=130)]),
    )
    fetch()
    assert counted() == {
        "2026-10": money("20.10", "2.61", "22.71"),
        "2026-11": money("49.50", "0", "49.50"),
    }
    kinds = AmountLine.objects.exclude(untaxed__gt=0).order_by("untaxed").values_list("kind", "untaxed")
    assert list(kinds) == [("adjustment", Decimal("-49.50")), ("credit", Decimal("-10.00"))]


def test_a_credit_that_names_no_line_is_spread_as_its_invoice_is(account, acme):
    account.put(
        invoice("in_1", [line("il_1", 3000), line("il_2", 1000, start=NOVEMBER, end=DECEMBER)]),
        credit_note("cn_1", "in_1", [credit_line("cnli_1", 101)]),
    )
    fetch()
    assert counted(document__source="stripe_credit_note") == {
        "2026-10": money("-0.76", "0", "-0.76"),
        "2026-11": money("-0.25", "0", "-0.25"),
    }


def test_a_credit_note_waits_for_its_invoice_and_a_voided_one_takes_nothing_back(account, acme):
    account.put(credit_note("cn_1", "in_1", [credit_line("cnli_1", 500, of="il_1")]))
    fetch()
    assert record("cn_1").state == RecordState.PARKED
    assert "in_1 was not read" in record("cn_1").reason
    account.put(
        invoice("in_1", [line("il_1", 2000)]),
        credit_note("cn_2", "in_1", [credit_line("cnli_2", 700, of="il_1")], status="void"),
    )
    fetch()
    assert counted() == {"2026-10": money("15.00", "0", "15.00")}


def test_payments_refunds_disputes_and_balances_never_change_what_was_billed(account, acme):
    account.put(
        invoice("in_1", [line("il_1", 10000)], starting_balance=-4000, ending_balance=0, amount_due=6000),
        payment("inpay_1", "in_1", "pi_1", 6000),
        charge("ch_1", 6000, refunded=6000),
        refund("re_1", "ch_1", 6000),
        dispute("dp_1", "ch_1", 6000),
    )
    fetch()
    assert counted() == {"2026-10": money("100.00", "0", "100.00")}
    for id_ in ("ch_1", "re_1", "dp_1"):
        assert (record(id_).state, record(id_).service_id) == (RecordState.EVIDENCE, acme.service_id)
    assert record("ch_1").pays == "in_1"


class TestChargesWithoutInvoices:
    @pytest.fixture(autouse=True)
    def by_charges(self, service):
        bill_by(service, BillingKind.STRIPE_CHARGES)
        claim(service, {"fact": "descriptor", "key": "", "value": "nexa*"})

    def test_a_charge_is_billed_less_what_was_refunded_with_its_total_alone(self, account, acme):
        account.put(
            charge("ch_1", 10000, refunded=2500, created=OCTOBER + NOON), dispute("dp_1", "ch_1", 10000)
        )
        fetch()
        amount = Amount.objects.get()
        assert (amount.untaxed, amount.tax, amount.total) == (None, None, Decimal("75.00"))
        assert amount.period_label == "2026-10"

    def test_what_failed_or_was_not_captured_bills_nothing(self, account, acme):
        account.put(
            charge("ch_1", 100, status="failed"), charge("ch_2", 100, captured=False, amount_captured=0)
        )
        fetch()
        assert not Amount.objects.exists()

    def test_a_charge_that_paid_an_invoice_is_evidence_of_it_and_counts_nowhere(self, account, acme):
        account.put(
            invoice("in_1", [line("il_1", 100)]), payment("inpay_1", "in_1", "pi_1", 100), charge("ch_1", 100)
        )
        fetch()
        assert record("ch_1").state == RecordState.EVIDENCE
        assert not Amount.objects.filter(document__source="stripe_charge").exists()

    def test_a_refund_of_an_old_charge_reads_the_charge_again(self, account, acme):
        account.put(charge("ch_1", 10000, created=OCTOBER + NOON))
        fetch()
        account.put(
            charge("ch_1", 10000, refunded=10000, created=OCTOBER + NOON), refund("re_1", "ch_1", 10000)
        )
        fetch()
        assert counted() == {"2026-10": money("0", "0", "0")}
        assert SourceDocument.objects.get(is_current=True).version == 2

    def test_odoos_own_charge_is_odoos_by_its_transaction_and_never_counts(self, account, acme):
        OdooTransaction.objects.create(
            odoo_id=1,
            reference="INV/2026/00001",
            provider_reference="pi_1",
            state="done",
            amount=Decimal("113.00"),
            currency="CAD",
            mirrored_at=factories.SEEN_AT,
        )
        account.put(
            charge("ch_1", 11300, description="INV/2026/00001"),
            charge("ch_2", 11300, description="INV/2026/00001"),
            charge("ch_3", 99, description="INV/2026/00001"),
        )
        fetch()
        assert record("ch_1").state == record("ch_2").state == RecordState.ODOO
        assert record("ch_3").state == RecordState.CLAIMED

    def test_the_charge_that_paid_a_lago_invoice_is_evidence_of_that(self, account, acme):
        lago_id = "1a901a90-1a90-1a90-1a90-1a901a901a90"
        factories.SourceDocumentFactory(service=acme.service, source="lago_invoice", reference=lago_id)
        account.put(charge("ch_1", 100, metadata={"lago_invoice_id": lago_id}))
        fetch()
        assert (record("ch_1").state, record("ch_1").pays) == (RecordState.EVIDENCE, lago_id)
        assert record("ch_1").service_id == acme.service_id
        assert not Amount.objects.exists()


def test_what_no_rule_claims_is_work_to_do_and_no_silent_zero(account, acme):
    account.put(invoice("in_1", [line("il_1", 12345)], parent=None))
    run = fetch()
    assert run.summary["unclaimed"] == 1
    assert (record("in_1").state, record("in_1").amount) == (RecordState.UNCLAIMED, Decimal("123.45"))


def test_what_two_services_claim_is_an_error_that_names_both(account, acme):
    maps = factories.ServiceFactory(name="NexaMaps")
    claim(maps, {"fact": "product", "key": "", "value": "prod_cloud"})
    account.put(invoice("in_1", [line("il_1", 100)]))
    fetch()
    assert record("in_1").state == RecordState.CONFLICT
    assert record("in_1").reason == (
        "NexaCloud by metadata service = nexacloud; NexaMaps by product = prod_cloud"
    )
    assert counted() == {}


def test_a_customer_that_nobody_knows_parks_the_bill_until_it_is_linked(account, acme):
    account.put(invoice("in_1", [line("il_1", 100)], customer="cus_new"))
    fetch()
    assert record("in_1").state == RecordState.PARKED
    assert record("in_1").reason == "NexaCloud has none with the Stripe customer cus_new: link exactly one."
    factories.CustomerFactory(service=acme.service, stripe_customer_id="cus_new")
    fetch(only="settle")
    assert counted() == {"2026-10": money("1.00", "0", "1.00")}


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"total": 101}, "Its lines sum to 1.00 and 0 tax; it says 1.00 and 0.01 CAD."),
        ({"currency": "usd"}, "Line il_1 is not in USD, as its invoice is."),
        ({"currency": "dollars"}, "'dollars' is no ISO 4217 currency."),
        ({"status": "bartered"}, "An invoice of status 'bartered' is not known."),
        ({"lines": None}, "Not all of its lines are there."),
        ({"total": "1.00"}, "total is '1.00', not a whole number of minor units."),
    ],
)
def test_a_bill_that_cannot_be_read_is_parked_with_its_reason(account, acme, wrong, reason):
    account.put(invoice("in_1", [line("il_1", 100)]) | wrong)
    fetch()
    assert (record("in_1").state, record("in_1").reason) == (RecordState.PARKED, reason)
    assert counted() == {}


def test_currencies_never_mix(account, acme):
    account.put(
        invoice("in_1", [line("il_1", 100)]),
        invoice("in_2", [line("il_2", 100, currency="jpy")]),
        invoice("in_3", [line("il_3", 100, currency="kwd")]),
        invoice("in_4", [line("il_4", 100, currency="isk")]),
    )
    fetch()
    found = dict(Amount.objects.values_list("currency", "total"))
    assert found == {"CAD": Decimal("1.00"), "JPY": Decimal(100), "KWD": Decimal("0.100"), "ISK": Decimal(1)}


def test_a_rule_that_changes_hands_the_bill_and_its_credit_over(account, acme):
    account.put(
        invoice("in_1", [line("il_1", 1000)]),
        credit_note("cn_1", "in_1", [credit_line("cnli_1", 100, of="il_1")]),
    )
    fetch()
    maps = factories.ServiceFactory(name="NexaMaps", timezone="America/Toronto")
    factories.CustomerFactory(service=maps, stripe_customer_id="cus_acme")
    bill_by(maps, BillingKind.STRIPE_INVOICES)
    claim(maps, {"fact": "product", "key": "", "value": "prod_cloud"})
    claim(acme.service)
    StripeRecord.objects.filter(kind="invoices").update(state=RecordState.WAITING)

    fetch(only="settle")

    assert counted(service=acme.service) == {}
    assert counted(service=maps) == {"2026-10": money("9.00", "0", "9.00")}


def test_a_row_that_was_resolved_on_a_bill_reopens_when_stripe_says_something_else(account, acme, finance):
    acme.service.phase, acme.odoo_partner_id = "dual_run", 7
    acme.service.save()
    acme.save()
    period = {"period_start": OCTOBER, "period_end": NOVEMBER, "period_label": "2026-10"}
    instants = {
        name: datetime.fromtimestamp(at_, UTC) for name, at_ in period.items() if name != "period_label"
    }
    odoo(acme, "50.00", **instants, period_label="2026-10")
    account.put(invoice("in_1", [line("il_1", 4000)], status="open"))
    fetch()
    row = row_of(acme)
    assert (row.external_amount, row.status) == (40, "delta")
    resolve(reconciliation_ids=[row.pk], reason="A promised discount.", actor=finance)
    account.put(
        invoice("in_1", [line("il_1", 4000)], status="open"),
        credit_note("cn_1", "in_1", [credit_line("cnli_1", 500, of="il_1")]),
    )
    fetch()
    row.refresh_from_db()
    assert (row.external_amount, row.status) == (35, "delta")
    assert "external 40" in row.reopened_because
