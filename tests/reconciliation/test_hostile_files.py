"""Files that somebody or something spoiled: a located error and nothing half-written, or read as meant."""

from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command

from ingest.models import AuditRecord, Customer
from reconciliation.connectors.errors import ConnectorError
from reconciliation.imports import ImportRefused, import_amounts
from reconciliation.models import Amount, Run, SourceDocument
from tests import factories
from tests.reconciliation.files import csv_text, write_csv, write_focus

pytestmark = pytest.mark.django_db

GOOD = csv_text({"customer": "good"}).encode()
HEADER, GOOD_ROW = GOOD.splitlines(keepends=True)


@pytest.fixture
def service():
    return factories.ServiceFactory()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "bills.csv"


def refuse(service, path, content=None):
    """Why a file is refused; nothing of it, not even of its good rows, is kept."""
    if content is not None:
        path.write_bytes(content)
    with pytest.raises((ImportRefused, ConnectorError)) as refusal:
        import_amounts(service=service, path=path)
    assert [model.objects.count() for model in (Customer, SourceDocument, Amount, AuditRecord)] == [0] * 4
    return refusal.value


def places(refusal):
    return [(error.row, error.column, error.code) for error in refusal.errors]


@pytest.mark.parametrize(
    ("cells", "place"),
    [
        ({"description": "=cmd|' /C calc'!A0"}, (3, "description", "formula")),
        ({"customer": "@SUM(A1)"}, (3, "customer", "formula")),
        ({"untaxed": "=1+1"}, (3, "untaxed", "not_a_number")),
        ({"untaxed": "1,204.10"}, (3, "untaxed", "not_a_number")),
        ({"untaxed": "1204,10"}, (3, "untaxed", "not_a_number")),
        ({"currency": "cad"}, (3, "currency", "not_a_currency")),
        ({"description": "API\x00calls"}, (3, "description", "wrong_encoding")),
        ({"customer_name": "x" * 200_000}, (3, "", "broken_row")),
        ({"kind": "tax", "untaxed": "13"}, (3, "untaxed", "tax_is_untaxed")),
        ({"kind": "tax", "untaxed": ""}, (3, "tax", "missing")),
        ({"kind": "tax", "untaxed": "0", "tax": "13", "total": "14"}, (3, "total", "amounts_disagree")),
    ],
)
def test_a_bad_cell_refuses_the_whole_file_at_its_place(service, path, cells, place):
    assert places(refuse(service, write_csv(path, {"customer": "good"}, cells))) == [place]


def test_another_encoding_is_located(service, path):
    text = csv_text({"customer": "good"}, {"description": "Café"})
    assert places(refuse(service, path, text.encode("latin-1"))) == [(3, "description", "wrong_encoding")]
    assert refuse(service, path, text.encode("utf-16")).code == "wrong_encoding"


def test_a_header_that_stands_twice_is_no_row(service, path):
    assert places(refuse(service, path, GOOD + HEADER)) == [(3, "period_start", "not_a_date")]


def test_a_line_that_stands_twice_is_refused_as_it_may_count_twice(service, path):
    assert places(refuse(service, path, GOOD + GOOD_ROW)) == [(3, "", "duplicate_line")]


@pytest.mark.parametrize("text", [b"x", b'"', b"x,"])
def test_a_line_of_ten_megabytes_is_refused(service, path, text):
    ten_megabytes = text * (10_000_000 // len(text))
    assert places(refuse(service, path, GOOD + ten_megabytes)) == [(3, "", "broken_row")]
    assert refuse(service, path, HEADER.strip() + b"," + ten_megabytes).code == "endless_header"


def test_a_header_of_very_many_columns_is_told_in_no_time(service, path):
    columns = ",".join(f"c{number}" for number in range(120_000)).encode()
    content = HEADER.strip() + b"," + columns + b",c7\r\n"
    assert len(content) < 1_000_000
    assert refuse(service, path, content).code == "duplicate_column"


def test_a_column_hidden_behind_a_line_break_in_the_header_does_not_win(service, path):
    content = HEADER.strip() + b',"a\r\nb",untaxed\r\n' + GOOD_ROW.strip() + b",,7\r\n"
    assert refuse(service, path, content).code == "unknown_format"


@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_of_all_kinds_and_a_byte_order_mark_change_nothing(service, path, end, mark):
    rows = [csv_text({"customer": name}).encode().splitlines()[1] for name in ("one", "two", "three")]
    path.write_bytes(mark + HEADER.strip() + b"\n" + rows[0] + end + rows[1] + b"\r\n" + rows[2])
    assert import_amounts(service=service, path=path).bills == 3
    assert sorted(Customer.objects.values_list("external_id", flat=True)) == ["one", "three", "two"]


@pytest.mark.parametrize("zero", ["-0", "-0.00", "0.000"])
def test_a_negative_zero_is_zero(service, path, zero):
    import_amounts(service=service, path=write_csv(path, {"untaxed": zero, "tax": zero}))
    amount = Amount.objects.get()
    assert [f"{figure:f}".strip("0.") for figure in (amount.untaxed, amount.tax, amount.total)] == [""] * 3
    assert not amount.untaxed.is_signed()


def test_a_price_of_negative_zero_is_the_metric_of_zero(service, path):
    prices = [{"SkuPriceId": "A", "ListUnitPrice": price} for price in ("0", "-0.0", "0.00")]
    import_amounts(service=service, path=write_focus(path, *prices))
    assert set(Amount.objects.get().lines.values_list("code", flat=True)) == {"A@0"}


@pytest.mark.parametrize(
    "instant",
    ["0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00Z", "9999-12-31T23:00:00-12:00", "1899-12-31"],
)
def test_a_day_at_the_end_of_time_is_located(service, path, instant):
    write_focus(path, {}, {"BillingPeriodStart": instant})
    assert places(refuse(service, path)) == [(3, "BillingPeriodStart", "not_a_date")]


def test_the_largest_numbers_are_kept_to_the_last_digit(service, path):
    write_csv(path, {"untaxed": "9" * 60, "tax": "0." + "1" * 58})
    import_amounts(service=service, path=path)
    assert Amount.objects.get().total == Decimal("9" * 60 + "." + "1" * 58)


def test_the_command_tells_each_place_and_its_run_failed(service, path):
    write_csv(path, {}, {"currency": "cad"}, {"untaxed": "1,5"})
    with pytest.raises(CommandError) as failed:
        call_command("import_amounts", str(path), "--service", service.code)
    first, *lines = str(failed.value).splitlines()
    assert first == "2 rows cannot be read; nothing was imported."
    assert [line.split(":")[0] for line in lines] == [
        "bills.csv, row 3, currency",
        "bills.csv, row 4, untaxed",
    ]
    assert Run.objects.get().status == "failed"
    assert not Customer.objects.exists()


def test_the_command_replaces_when_asked_to(service, path, capsys):
    call_command("import_amounts", str(write_csv(path, {"document": ""})), "--service", service.code)
    write_csv(path, {"document": "INV-7"})
    with pytest.raises(CommandError, match="--replace"):
        call_command("import_amounts", str(path), "--service", service.code)
    capsys.readouterr()
    call_command("import_amounts", str(path), "--service", service.code, "--replace")
    assert "replaced 1" in capsys.readouterr().out
    assert list(Amount.objects.filter(is_current=True).values_list("document__number", flat=True)) == [
        "INV-7"
    ]
