"""Files by what their lines are for: in the customer's time zone, split by days, each sum kept."""

import csv
from collections import defaultdict
from decimal import Decimal

import pytest
from django.db.models import Sum

from billing_console.demo import focus_sample
from ingest.metering.arithmetic import exact_sum
from reconciliation.connectors.files.mapping import Field, TableMapping
from reconciliation.file_mappings import get_ready
from reconciliation.imports import ImportRefused, import_amounts
from reconciliation.models import Amount, AmountLine, SourceDocument
from tests import factories
from tests.reconciliation.files import write_focus

pytestmark = pytest.mark.django_db

USED = TableMapping(
    "shop",
    {
        Field.CUSTOMER: "who",
        Field.USED_FROM: "from",
        Field.USED_TO: "to",
        Field.UNTAXED: "amount",
        Field.DOCUMENT: "number",
    },
    fixed={Field.CURRENCY: "CAD"},
)


@pytest.fixture
def service():
    return factories.ServiceFactory(timezone="America/Toronto")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "file.csv"


def amounts(**of):
    rows = Amount.objects.filter(is_current=True, **of).order_by("customer__external_id", "period_start")
    return [
        (row.customer.external_id, row.period_label, row.untaxed) for row in rows.select_related("customer")
    ]


def test_the_focus_samples_sums_are_the_files_own_to_the_last_digit(service):
    imported = import_amounts(service=service, path=focus_sample.PATH)
    with focus_sample.PATH.open(encoding="utf-8", newline="") as stream:
        costs = defaultdict(list)
        for row in csv.DictReader(stream):
            costs[row["SubAccountId"]].append(Decimal(row["BilledCost"]))
    stated = (
        Amount.objects.filter(is_current=True).values_list("customer__external_id").annotate(Sum("untaxed"))
    )
    assert dict(stated) == {account: exact_sum(of_account) for account, of_account in costs.items()}
    assert (imported.lines, len(costs), AmountLine.objects.count()) == (1000, 73, 1000)
    lines = AmountLine.objects.values_list("amount__customer__external_id").annotate(Sum("untaxed"))
    assert dict(lines) == dict(stated)
    assert import_amounts(service=service, path=focus_sample.PATH).changed == 0


def test_a_charge_is_of_the_month_in_which_it_was_where_the_customer_is(service, path):
    factories.SubscriptionFactory(
        customer__service=service, customer__external_id="acme", plan__service=service, service=service
    )
    night = {"ChargePeriodStart": "2026-09-01T00:00:00Z", "ChargePeriodEnd": "2026-09-01T01:00:00Z"}
    day = {"ChargePeriodStart": "2026-09-09T00:00:00Z", "ChargePeriodEnd": "2026-09-10T00:00:00Z"}
    write_focus(path, {**night, "BilledCost": "1"}, {**day, "BilledCost": "2"})
    import_amounts(service=service, path=path)
    assert amounts() == [("acme", "2026-08", 1), ("acme", "2026-09", 2)]
    assert SourceDocument.objects.count() == 1


def test_a_straggler_on_the_next_bill_adds_to_its_month_and_replaces_nothing(service, path):
    august = {"BillingPeriodStart": "2026-08-01T00:00:00Z", "BillingPeriodEnd": "2026-09-01T00:00:00Z"}
    import_amounts(service=service, path=write_focus(path, {**august, "BilledCost": "10"}))
    late = {"ChargePeriodStart": "2026-08-20T10:00:00Z", "ChargePeriodEnd": "2026-08-20T11:00:00Z"}
    import_amounts(service=service, path=write_focus(path, {}, {**late, "BilledCost": "3"}))
    assert amounts() == [("acme", "2026-08", 10), ("acme", "2026-08", 3), ("acme", "2026-09", 100)]


def test_a_line_over_two_periods_is_split_by_days_and_its_parts_sum_to_it(service, path):
    path.write_text("who,from,to,amount,number\nacme,2026-09-16,2026-10-16,100.01,INV-1\n")
    import_amounts(service=service, path=path, mapping=USED)
    assert amounts() == [("acme", "2026-09", Decimal("50.01")), ("acme", "2026-10", Decimal("50.00"))]
    lines = AmountLine.objects.order_by("amount__period_start").values_list("untaxed", "quantity", "detail")
    assert list(lines) == [
        (Decimal("50.01"), None, {"is_part": True}),
        (Decimal("50.00"), None, {"is_part": True}),
    ]
    assert SourceDocument.objects.get().title == "INV-1 acme CAD"


def test_an_anniversary_is_the_period_of_its_subscription(service, path):
    factories.SubscriptionFactory(
        customer__service=service,
        customer__external_id="acme",
        plan__service=service,
        service=service,
        billing_time="anniversary",
        started_at="2026-01-15T17:00:00Z",
    )
    path.write_text("who,from,to,amount,number\nacme,2026-09-15,2026-10-15,9,INV-1\n")
    import_amounts(service=service, path=path, mapping=USED)
    assert amounts() == [("acme", "2026-09-15", 9)]


def test_stripes_export_counts_for_the_customer_that_stripe_knows(service, path):
    factories.CustomerFactory(service=service, external_id="acme", stripe_customer_id="cus_1")
    head = (
        "Customer,Currency,Number,Status,Tax,Total,Minimum Line Item Period Start (UTC),"
        "Maximum Line Item Period End (UTC)\n"
    )
    row = "cus_1,cad,A-1,paid,13.00,113.00,2026-09-01 04:00,2026-10-01 04:00\n"
    path.write_text(head + row)
    import_amounts(service=service, path=path, mapping=get_ready("stripe_invoices"))
    assert amounts(total=113) == [("acme", "2026-09", 100)]
    path.write_text(head + row.replace("cus_1", "cus_2"))
    with pytest.raises(ImportRefused) as refused:
        import_amounts(service=service, path=path, mapping=get_ready("stripe_invoices"))
    [error] = refused.value.errors
    assert (error.row, error.column, error.code) == (2, "Customer", "unknown_stripe_customer")


def test_a_line_for_a_century_is_refused_at_its_row(service, path):
    path.write_text("who,from,to,amount,number\nacme,1900-01-01,2026-10-16,100,INV-1\n")
    with pytest.raises(ImportRefused) as refused:
        import_amounts(service=service, path=path, mapping=USED)
    assert [(error.row, error.code) for error in refused.value.errors] == [(2, "too_long")]
    assert not SourceDocument.objects.exists()


def test_a_bill_of_very_many_lines_is_written_in_pieces(service, path, monkeypatch):
    monkeypatch.setattr("reconciliation.file_writing.PIECE_ROWS", 10)
    monkeypatch.setattr("reconciliation.file_writing.MOST_ROWS", 10)
    rows = "".join(f"{who},2026-09-01,2026-10-01,{number},INV\n" for who in "ab" for number in range(25))
    path.write_text("who,from,to,amount,number\n" + rows)
    assert import_amounts(service=service, path=path, mapping=USED).lines == 50
    assert amounts() == [("a", "2026-09", 300), ("b", "2026-09", 300)]
    lines = AmountLine.objects.filter(amount__customer__external_id="a").order_by("position")
    assert list(lines.values_list("position", "untaxed")) == [(n + 1, n) for n in range(25)]
    content = SourceDocument.objects.first().content
    assert (len(content["rows"]), content["rows_left"]) == (10, 15)
    assert import_amounts(service=service, path=path, mapping=USED).changed == 0


def test_lagos_export_counts_for_the_customer_of_the_subscription_in_minor_units(service, path):
    factories.SubscriptionFactory(
        customer__service=service,
        customer__external_id="acme",
        plan__service=service,
        service=service,
        external_id="sub-1",
    )
    path.write_text(
        "invoice_number,fee_item_type,fee_item_code,fee_item_name,subscription_external_id,fee_from_date_utc,"
        "fee_to_date_utc,fee_amount_currency,fee_units,fee_precise_unit_amount,fee_taxes_amount_cents,"
        "fee_total_amount_cents\n"
        "LAG-1,charge,api_calls,API calls,sub-1,2026-09-01T04:00:00Z,2026-10-01T03:59:59Z,CAD,20.0,0.05,13,113\n"
    )
    import_amounts(service=service, path=path, mapping=get_ready("lago_fees"))
    assert amounts(total=Decimal("1.13")) == [("acme", "2026-09", 1)]


def test_the_same_rows_are_for_another_period_once_the_customer_is_elsewhere(service, path):
    night = {"ChargePeriodStart": "2026-09-01T00:00:00Z", "ChargePeriodEnd": "2026-09-01T01:00:00Z"}
    customer = factories.CustomerFactory(service=service, external_id="acme", timezone="UTC")
    import_amounts(service=service, path=write_focus(path, night))
    assert amounts() == [("acme", "2026-09", 100)]
    customer.timezone = "America/Toronto"
    customer.save()
    assert import_amounts(service=service, path=path).changed == 1
    assert amounts() == [("acme", "2026-08", 100)]
    assert import_amounts(service=service, path=path).changed == 0
