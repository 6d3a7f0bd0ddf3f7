"""Mappings: somebody else's table read as its source means it, and nothing guessed."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.files.detect import parse_file
from reconciliation.connectors.files.mapping import DateFormat, Field, TableMapping, find_faults
from reconciliation.connectors.files.ready import LAGO_FEES, STRIPE_INVOICES
from reconciliation.connectors.files.records import LeftOut, LineKind, RowError

COLUMNS = {
    Field.CUSTOMER: "Kunde",
    Field.PERIOD_START: "Von",
    Field.PERIOD_END: "Bis",
    Field.DESCRIPTION: "Text",
    Field.UNTAXED: "Betrag",
    Field.STATUS: "Stand",
    Field.KIND: "Art",
}
SHOP = TableMapping(
    "shop",
    COLUMNS,
    fixed={Field.CURRENCY: "EUR"},
    date_format=DateFormat.DAY_MONTH_YEAR_DOTS,
    decimal_mark=",",
    thousands_mark=".",
    is_end_inclusive=True,
    counted=frozenset({"bezahlt"}),
    left_out=frozenset({"Entwurf"}),
    kinds={"Abo": LineKind.PLAN},
    encoding="cp1252",
    delimiter=";",
)
ROW = {
    "Kunde": "Müller",
    "Von": "01.09.2026",
    "Bis": "30.09.2026",
    "Text": "Café",
    "Betrag": "1.204,10",
    "Stand": "bezahlt",
    "Art": "Abo",
}


@pytest.fixture
def read(tmp_path):
    """The rows of a text file of the shop, each `ROW` with other cells."""

    def read(*rows, mapping=SHOP, encoding="cp1252", end="\r\n", header=tuple(ROW)):
        lines = [";".join(header), *(";".join({**ROW, **row}.values()) for row in rows)]
        path = tmp_path / "shop.csv"
        path.write_bytes((end.join(lines) + end).encode(encoding))
        return list(parse_file(path, mapping).rows)

    return read


def test_a_row_is_read_as_its_mapping_says(read):
    [line] = read({})
    assert (line.customer, line.currency, line.description) == ("Müller", "EUR", "Café")
    assert (line.period_start, line.period_end) == (date(2026, 9, 1), date(2026, 10, 1))
    assert (line.untaxed, line.kind) == (Decimal("1204.10"), LineKind.PLAN)
    assert line.raw == ROW


@pytest.mark.parametrize(
    ("cells", "place"),
    [
        ({"Betrag": "1,204.10"}, ("Betrag", "not_a_number")),
        ({"Betrag": "12.04,10"}, ("Betrag", "not_a_number")),
        ({"Betrag": "=1+1"}, ("Betrag", "not_a_number")),
        ({"Betrag": "€ 5,00"}, ("Betrag", "not_a_number")),
        ({"Von": "2026-09-01"}, ("Von", "not_a_date")),
        ({"Von": "31.09.2026"}, ("Von", "not_a_date")),
        ({"Bis": "09/30/2026"}, ("Bis", "not_a_date")),
        ({"Bis": "31.08.2026"}, ("Bis", "empty_period")),
        ({"Stand": "offen"}, ("Stand", "unknown_status")),
        ({"Art": "Einmal"}, ("Art", "unknown_kind")),
        ({"Kunde": ""}, ("Kunde", "missing")),
        ({"Kunde": "", "Text": "Total"}, ("Text", "total_row")),
        ({"Kunde": "", "Text": "Grand total EUR"}, ("Text", "total_row")),
        ({"Text": "CafÃ©"}, ("Text", "wrong_encoding")),
        ({"Text": "=cmd"}, ("Text", "formula")),
    ],
)
def test_a_cell_that_is_written_otherwise_is_located_and_the_rest_goes_on(read, cells, place):
    error, good = read(cells, {})
    assert isinstance(error, RowError)
    assert (error.row, error.column, error.code) == (2, *place)
    assert good.row == 3


def test_rows_that_were_not_billed_are_left_out_and_counted(read):
    assert read({"Stand": "Entwurf", "Betrag": "?"}) == [LeftOut(2, "Entwurf")]


def test_a_total_of_somebody_who_is_called_so_is_a_line(read):
    [line] = read({"Kunde": "Total Energies"})
    assert line.customer == "Total Energies"


def test_another_encoding_is_refused(read):
    error = read({}, encoding="utf-8")[0]
    assert (error.column, error.code) == ("Kunde", "wrong_encoding")
    [line] = read({}, encoding="utf-16", mapping=changed(encoding="utf-16"))
    assert line.customer == "Müller"
    with pytest.raises(ConnectorError) as refused:
        read({}, encoding="cp1252", mapping=changed(encoding="utf-16"))
    assert refused.value.code == "wrong_encoding"


def test_a_column_that_the_file_lacks_is_named(read):
    with pytest.raises(ConnectorError) as refused:
        read({}, header=("Kunde", "Von", "Bis", "Text", "Summe", "Stand", "Art"))
    assert (refused.value.code, "Betrag" in refused.value.message) == ("unknown_format", True)


def test_quoted_line_breaks_and_byte_order_marks_change_nothing(tmp_path):
    path = tmp_path / "shop.csv"
    header = ";".join(ROW)
    row = 'x;01.09.2026;30.09.2026;"a\r\nb";1,5;bezahlt;Abo'
    path.write_bytes(b"\xef\xbb\xbf" + f"{header}\r\n{row}\r\n".encode())
    [line] = parse_file(path, changed(encoding="utf-8")).rows
    assert (line.description, line.untaxed) == ("a\r\nb", Decimal("1.5"))


@pytest.mark.parametrize(
    ("written", "text", "day"),
    [
        (DateFormat.ISO_DAY, "2026-09-01", date(2026, 9, 1)),
        (DateFormat.DAY_MONTH_YEAR, "01/09/2026", date(2026, 9, 1)),
        (DateFormat.MONTH_DAY_YEAR, "9/1/2026", date(2026, 9, 1)),
        (DateFormat.COMPACT, "20260901", date(2026, 9, 1)),
    ],
)
def test_each_way_to_write_days_is_read(read, written, text, day):
    mapping = changed(date_format=written, columns={**COLUMNS, Field.PERIOD_END: "Von"})
    [line] = read({"Von": text}, mapping=mapping)
    assert line.period_start == day


@pytest.mark.parametrize(("currency", "amount"), [("CAD", "123.45"), ("JPY", "12345"), ("BHD", "12.345")])
def test_minor_units_are_those_of_the_currency(read, currency, amount):
    mapping = changed(
        is_minor=True, fixed={Field.CURRENCY: currency}, exponents={"CAD": 2, "JPY": 0, "BHD": 3}
    )
    [line] = read({"Betrag": "12345"}, mapping=mapping)
    assert line.untaxed == Decimal(amount)


def test_minor_units_of_an_unknown_currency_are_no_amount(read):
    [error] = read({"Betrag": "12345"}, mapping=changed(is_minor=True))
    assert error.code == "unknown_currency"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"columns": {Field.UNTAXED: "a"}}, "customer"),
        ({"fixed": {}}, "currency"),
        ({"columns": {Field.CUSTOMER: "a", Field.UNTAXED: "b"}}, "period_start"),
        ({"columns": {**COLUMNS, Field.USED_FROM: "Von"}}, "used_from"),
        ({"date_format": DateFormat.ISO_INSTANT}, "period_start"),
        ({"columns": {name: text for name, text in COLUMNS.items() if name != Field.UNTAXED}}, "untaxed"),
        ({"counted": frozenset()}, "status"),
        ({"thousands_mark": ","}, "thousands_mark"),
    ],
)
def test_a_mapping_that_can_read_nothing_says_why(change, field):
    assert field in [name for name, _ in find_faults(changed(**change))]


def test_the_mappings_that_are_ready_and_the_shops_are_whole():
    assert [list(find_faults(mapping)) for mapping in (SHOP, STRIPE_INVOICES, LAGO_FEES)] == [[], [], []]


def test_stripes_own_export_is_read(tmp_path):
    path = tmp_path / "invoices.csv"
    path.write_text(
        "id,Customer,Currency,Number,Status,Subtotal,Tax,Total,Minimum Line Item Period Start (UTC),"
        "Maximum Line Item Period End (UTC)\n"
        "in_1,cus_1,cad,A-1,paid,100.00,13.00,113.00,2026-09-01 04:00,2026-10-01 04:00\n"
        "in_2,cus_1,cad,A-2,void,1.00,,1.00,2026-09-01 04:00,2026-10-01 04:00\n"
        "in_3,cus_1,cad,A-3,unpaid,1.00,,1.00,2026-09-01 04:00,2026-10-01 04:00\n"
    )
    line, left_out, error = parse_file(path, STRIPE_INVOICES).rows
    assert (line.stripe_customer, line.currency, line.document) == ("cus_1", "CAD", "A-1")
    assert (line.untaxed, line.tax, line.total) == (100, 13, 113)
    assert line.used_from == datetime(2026, 9, 1, 4, tzinfo=UTC)
    assert (left_out, error.code) == (LeftOut(3, "void"), "unknown_status")


def test_lagos_own_export_is_read(tmp_path):
    path = tmp_path / "fees.csv"
    path.write_text(
        "invoice_number,fee_item_type,fee_item_code,fee_item_name,subscription_external_id,fee_from_date_utc,"
        "fee_to_date_utc,fee_amount_currency,fee_units,fee_precise_unit_amount,fee_taxes_amount_cents,"
        "fee_total_amount_cents\n"
        "LAG-1,charge,api_calls,API calls,sub-1,2026-09-01T04:00:00Z,2026-10-01T03:59:59Z,CAD,20.0,0.05,13,113\n"
    )
    mapping = changed(LAGO_FEES, exponents={"CAD": 2})
    [line] = parse_file(path, mapping).rows
    assert (line.subscription, line.kind, line.code) == ("sub-1", LineKind.USAGE, "api_calls")
    assert (line.untaxed, line.total) == (Decimal("1.00"), Decimal("1.13"))
    assert line.used_to == datetime(2026, 10, 1, 4, tzinfo=UTC)


def changed(mapping=SHOP, **values):
    return replace(mapping, **values)
