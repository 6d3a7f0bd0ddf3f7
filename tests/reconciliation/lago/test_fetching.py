"""Fetching what Lago billed: each fee in its period, each sum Lago's own, and nothing that settles a bill."""

from datetime import date
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command
from lago_python_client import Client

from ingest.errors import DomainError
from ingest.models import AuditRecord, Customer
from reconciliation import lago_connections as connections
from reconciliation import runs
from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.lago.bills import LagoBills
from reconciliation.connectors.lago.records import Bills
from reconciliation.models import (
    Amount,
    AmountLine,
    BillingKind,
    LagoConnection,
    Run,
    SourceDocument,
)
from reconciliation.work import do_work
from tests import factories
from tests.lago_standin import objects
from tests.lago_standin.objects import credit_note, fee, invoice
from tests.lago_standin.server import KEY, serve_lago

OCTOBER = {"from_date": "2026-10-01T00:00:00Z", "to_date": "2026-10-31T23:59:59Z"}


@pytest.fixture
def lago():
    with serve_lago({"invoices": [], "credit_notes": []}) as running:
        yield running


@pytest.fixture
def service(db, clock, lago):
    """A service that Lago bills, and that says so."""
    service = factories.ServiceFactory(code="nexacloud", timezone="UTC")
    factories.BillingSourceFactory(service=service, kind=BillingKind.LAGO, starts_on=date(2026, 1, 1))
    connections.save_connection(service=service, url=lago.url, key=KEY, actor=None)
    return service


@pytest.fixture
def fetch(service):
    """Fetches as a run does, and returns it."""

    def fetch(**parameters):
        run = runs.start_run(kind="fetch_lago", service=service, parameters=parameters)
        return runs.perform(run, do_work)

    return fetch


def amounts(*figures):
    figures = figures or ("period_label", "untaxed", "tax", "total")
    rows = Amount.objects.filter(is_current=True).order_by("period_start", "pk")
    return list(rows.values_list(*figures))


def lines(*figures):
    rows = AmountLine.objects.filter(amount__is_current=True).order_by("amount__period_start", "position")
    return list(rows.values_list(*figures))


def test_the_stand_in_gives_what_lagos_own_client_accepts(lago):
    lago.world["invoices"] = [invoice("LAG-001", fee(item={"grouped_by": {"team": "a"}}))]
    lago.world["credit_notes"] = [credit_note("CN", (fee(), 100))]
    client = Client(api_key=KEY, api_url=lago.url)
    whole = client.invoices.find(objects.lago_id("invoice", "LAG-001"))
    assert whole.fees.__root__[0].item.grouped_by == {"team": "a"}
    assert client.invoices.find_all()["invoices"][0].fees is None
    assert client.credit_notes.find_all()["credit_notes"][0].items.__root__[0].fee.units == "200.0"


def test_each_fee_is_a_line_of_the_period_that_it_is_for(fetch, lago):
    base = fee("pro", 4900, tax=637, item={"type": "subscription"}, pay_in_advance=True, **OCTOBER)
    filtered = fee("storage", 250, tax=33, item={"filters": {"region": ["eu"]}, "grouped_by": {"team": "a"}})
    lago.world["invoices"] = [invoice("LAG-001", fee(), filtered, base)]
    run = fetch()
    assert (run.status, run.summary["changed"]) == ("succeeded", 1)
    assert amounts() == [
        ("2026-09", Decimal("12.50"), Decimal("1.63"), Decimal("14.13")),
        ("2026-10", 49, Decimal("6.37"), Decimal("55.37")),
    ]
    assert lines("code", "kind", "quantity", "untaxed", "timing") == [
        ("api_calls", "usage", 200, 10, "arrears"),
        ("storage", "usage", 200, Decimal("2.50"), "arrears"),
        ("pro", "plan", 200, 49, "advance"),
    ]
    detail = AmountLine.objects.get(code="storage").detail
    assert (detail["filters"], detail["grouped_by"]) == ({"region": ["eu"]}, {"team": "a"})
    assert (detail["precise_amount"], detail["subscription"], detail["events"]) == ("2.50", "sub-1", 4)
    document = SourceDocument.objects.get()
    assert (document.source, document.number, document.run) == ("lago_invoice", "LAG-001", run)
    # Fractions are kept as they were written, which JSON's own numbers would not be.
    assert document.content["fees"][0]["taxes_rate"] == "13.0"
    assert document.content["fees"][1]["item"] == filtered["item"]
    customer = Customer.objects.get()
    assert (customer.external_id, customer.is_linked) == ("acme", False)
    assert AuditRecord.objects.filter(action="customer.create").count() == 1


def test_coupons_and_progressive_credit_come_off_and_what_settles_does_not(fetch, lago):
    one = fee(cents=1000, tax=104, precise_coupons_amount_cents="150.0")
    other = fee("storage", 500, tax=52, precise_coupons_amount_cents="50.0", **OCTOBER)
    lago.world["invoices"] = [
        invoice(
            "LAG-001",
            one,
            other,
            coupons_amount_cents=200,
            progressive_billing_credit_amount_cents=300,
            prepaid_credit_amount_cents=500,
            credit_notes_amount_cents=100,
            taxes_amount_cents=157,
        )
    ]
    fetch()
    assert lines("kind", "description", "untaxed", "tax") == [
        ("usage", "Api calls", 10, Decimal("1.04")),
        ("discount", "Coupons", Decimal("-1.50"), 0),
        ("credit", "Billed progressively before", -2, 0),
        ("tax", "Taxes, as rounded on the whole", 0, Decimal("0.01")),
        ("usage", "Storage", 5, Decimal("0.52")),
        ("discount", "Coupons", Decimal("-0.50"), 0),
        ("credit", "Billed progressively before", -1, 0),
    ]
    assert sum(total for *_, total in amounts()) == Decimal("11.57")


def test_a_credit_note_counts_against_the_period_that_it_corrects(fetch, lago):
    billed = fee()
    lago.world["invoices"] = [invoice("LAG-001", billed)]
    lago.world["credit_notes"] = [credit_note("CN-1", (billed, 400), taxes_amount_cents=52)]
    fetch()
    assert amounts("period_label", "document__source", "untaxed", "total") == [
        ("2026-09", "lago_invoice", 10, Decimal("11.30")),
        ("2026-09", "lago_credit_note", -4, Decimal("-4.52")),
    ]


def test_what_was_not_billed_does_not_count(fetch, lago):
    lago.world["invoices"] = [
        invoice("DRAFT", fee(), status="draft"),
        invoice("FAILED", fee(), status="failed"),
        invoice("PENDING", fee(), status="pending"),
        invoice("VOID", fee(), status="voided"),
        invoice("TOP-UP", fee(item={"type": "credit"}), invoice_type="credit"),
    ]
    fetch()
    assert amounts() == []
    assert set(SourceDocument.objects.values_list("number", flat=True)) == {"VOID", "TOP-UP"}


def test_a_second_fetch_asks_for_no_invoice_again_and_changes_nothing(fetch, lago):
    lago.world["invoices"] = [invoice(f"LAG-{n}", fee()) for n in range(3)]
    fetch()
    kept = list(SourceDocument.objects.values_list("pk", "digest"))
    lago.asked.clear()
    assert fetch().summary["changed"] == 0
    assert [path for path, _ in lago.asked] == ["/api/v1/invoices", "/api/v1/credit_notes"]
    assert list(SourceDocument.objects.values_list("pk", "digest")) == kept


def test_one_that_is_voided_later_is_a_new_version_without_amounts(fetch, lago):
    lago.world["invoices"] = [invoice("LAG-001", fee())]
    fetch()
    lago.world["invoices"][0] |= {"status": "voided", "updated_at": "2026-11-20T10:00:00Z"}
    assert fetch().summary["changed"] == 1
    assert amounts() == []
    assert list(SourceDocument.objects.order_by("version").values_list("version", "is_current")) == [
        (1, False),
        (2, True),
    ]


def test_an_earlier_issue_is_not_asked_for_again_unless_told(fetch, lago):
    lago.world["invoices"] = [invoice("NEW", fee()), invoice("OLD", fee(), issuing_date="2026-01-01")]
    fetch()
    lago.asked.clear()
    fetch()
    assert lago.asked[0][1]["issuing_date_from"] == ["2026-09-24"]
    fetch(all=True)
    assert "issuing_date_from" not in lago.asked[2][1]
    fetch(since="2026-11-01")
    assert LagoConnection.objects.get().read_at is not None


def test_a_fetch_that_breaks_off_keeps_what_it_has_and_goes_on(fetch, lago, monkeypatch):
    lago.world["invoices"] = [invoice(f"LAG-{n}", fee()) for n in range(3)]
    read, asked = LagoBills.read_invoice, []

    def break_off(api, lago_id, echo):
        asked.append(lago_id)
        if len(asked) == 2:
            raise ConnectorError("unreachable", "Lago did not answer.", "lago", permanent=False)
        return read(api, lago_id, echo)

    monkeypatch.setattr(LagoBills, "read_invoice", break_off)
    assert fetch().status == "failed"
    assert SourceDocument.objects.count() == 1
    assert LagoConnection.objects.get().read_at is None
    assert fetch().summary["changed"] == 2
    assert len(asked) == 4


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"sub_total_excluding_taxes_amount_cents": 999}, "its lines come to 10.00"),
        ({"currency": "XYZ"}, "its currency is 'XYZ'"),
        ({"fees": [fee(item={"type": "mystery"})]}, "which the console does not know"),
        ({"fees": [fee(amount_cents="10")]}, "no number of minor units"),
        ({"fees": [fee(from_date="soon")]}, "'soon' is no date"),
        ({"fees": None}, "no list of fees"),
        ({"customer": {}, "fees": []}, "does not say whose it is"),
        ({"fees": [fee(amount_currency="USD")]}, "a fee is in USD"),
    ],
)
def test_an_invoice_that_cannot_be_told_is_a_problem_and_the_others_count(fetch, lago, change, reason):
    lago.world["invoices"] = [invoice("BAD", fee()) | change, invoice("GOOD", fee())]
    run = fetch()
    assert (run.status, run.summary["refused"]) == ("partial", 1)
    assert f"BAD: {reason}" in run.message or reason in run.message
    assert [number for (number,) in SourceDocument.objects.values_list("number")] == ["GOOD"]


def test_without_credit_notes_the_run_says_that_it_is_not_whole(fetch, lago):
    lago.world["invoices"] = [invoice("LAG-001", fee())]
    lago.forbidden = frozenset({"credit_notes"})
    run = fetch()
    assert (run.status, "credit_notes" in run.message) == ("partial", True)
    assert len(amounts()) == 1


def test_days_are_those_of_the_customer(fetch, lago, service):
    factories.CustomerFactory(service=service, external_id="acme", timezone="America/Toronto")
    local = {"from_date": "2026-09-01T04:00:00Z", "to_date": "2026-10-01T03:59:59Z"}
    lago.world["invoices"] = [invoice("LAG-001", fee(**local))]
    fetch()
    [(label, start)] = amounts("period_label", "period_start")
    assert (label, start.isoformat()) == ("2026-09", "2026-09-01T04:00:00+00:00")


def test_lago_counts_only_where_it_is_the_billing_source(fetch, lago, service):
    service.billing_sources.update(kind=BillingKind.FILE)
    lago.world["invoices"] = [invoice("LAG-001", fee())]
    fetch()
    assert amounts() == []
    assert Amount.objects.get().document.is_current


class TestConnection:
    def test_it_says_what_the_key_may_not_read(self, service, lago):
        lago.forbidden = frozenset({"credit_notes"})
        row = LagoConnection.objects.get()
        found = connections.check_connection(connection=row)
        assert (found["invoices"], "may not read" in found["credit_notes"]) == ("", True)
        row.refresh_from_db()
        assert row.check_result == found
        lago.key = "another"
        with pytest.raises(ConnectorError) as refused:
            connections.check_connection(connection=row)
        assert refused.value.code == "authentication"

    def test_the_key_is_kept_encrypted_and_told_nowhere(self, service, operator, lago):
        row = LagoConnection.objects.get()
        assert KEY.encode() not in bytes(row.key)
        assert KEY not in str(list(AuditRecord.objects.values()))
        connections.save_connection(service=service, url=lago.url + "/", key="", actor=operator)
        assert connections.decrypt_key(LagoConnection.objects.get()) == KEY

    def test_the_kept_key_is_not_sent_to_another_address(self, service, operator, lago):
        with pytest.raises(DomainError) as refused:
            connections.save_connection(
                service=service, url="https://elsewhere.example", key="", actor=operator
            )
        assert (refused.value.code, LagoConnection.objects.get().url) == ("no_key", lago.url)

    def test_who_may_not_connects_nothing(self, service, finance):
        with pytest.raises(DomainError, match="may not"):
            connections.save_connection(service=service, url="https://other.example", key="x", actor=finance)

    def test_a_key_of_another_secret_is_asked_for_again(self, service, settings, fetch):
        settings.SECRETS_KEY = "another-secret-that-is-long-enough-for-it"
        assert "give it again" in fetch().message

    def test_a_service_without_one_fetches_nothing(self, service):
        other = factories.ServiceFactory()
        run = runs.perform(runs.start_run(kind="fetch_lago", service=other), do_work)
        assert (run.status, "no connection" in run.message) == ("failed", True)

    def test_the_commands_connect_check_and_fetch(self, service, lago, capsys, tmp_path, monkeypatch):
        LagoConnection.objects.all().delete()
        monkeypatch.setenv("LAGO_API_KEY", KEY)
        call_command("connect_lago", "--service", service.code, "--url", lago.url)
        assert "credit_notes: can be read" in capsys.readouterr().out
        lago.world["invoices"] = [invoice("LAG-001", fee())]
        call_command("fetch_lago")
        assert "changed 1" in capsys.readouterr().out
        assert Run.objects.filter(kind="fetch_lago").count() == 1
        with pytest.raises(CommandError, match="no day"):
            call_command("fetch_lago", "--since", "soon")
        lago.forbidden = frozenset({"invoices"})
        with pytest.raises(CommandError, match="may not read"):
            call_command("connect_lago", "--service", service.code, "--check")


def test_pages_of_invoices_are_gone_through_one_by_one(lago):
    lago.world["invoices"] = [invoice(f"LAG-{n}", fee()) for n in range(7)]
    lago.largest_page = 3
    listed = list(LagoBills(lago.url, KEY).list_bills(Bills.INVOICES, lambda _: None))
    assert len({entry["lago_id"] for entry in listed}) == 7
