"""Spreadsheets: read as they show, and refused where they are calculated, damaged or made to burst."""

import io
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from openpyxl import Workbook

from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.files import xlsx_tables
from reconciliation.connectors.files.detect import parse_file
from reconciliation.connectors.files.mapping import Field, TableMapping
from reconciliation.connectors.files.records import RowError

HEADER = ["customer", "currency", "period_start", "period_end", "description", "untaxed"]
ROW = ["acme", "CAD", "2026-09-01", "2026-10-01", "API calls", "100.10"]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "bills.xlsx"


def write(path, *rows, header=HEADER, sheets=("Bills",)):
    book = Workbook()
    book.remove(book.active)
    for name in sheets:
        sheet = book.create_sheet(name)
        for row in (header, *rows):
            sheet.append(row)
    book.save(path)
    return path


def changed(**cells):
    return [cells.get(name, text) for name, text in zip(HEADER, ROW, strict=True)]


def read(path, mapping=None):
    return list(parse_file(path, mapping).rows)


def refusal(path, mapping=None):
    with pytest.raises(ConnectorError) as refused:
        read(path, mapping)
    return refused.value


def test_texts_numbers_and_dates_are_read_as_they_show(path):
    of_types = changed(period_start=date(2026, 9, 1), period_end=datetime(2026, 10, 1), untaxed=1204.1)
    write(path, ROW, [], of_types, changed(untaxed=-5), changed(untaxed=0.00001, customer=4711))
    first, second, third, fourth = read(path)
    assert (first.row, first.untaxed, first.period_end) == (2, Decimal("100.10"), date(2026, 10, 1))
    assert (second.row, second.untaxed, second.period_start) == (4, Decimal("1204.1"), date(2026, 9, 1))
    assert (third.untaxed, fourth.untaxed, fourth.customer) == (Decimal(-5), Decimal("0.00001"), "4711")


@pytest.mark.parametrize(
    ("cells", "place"),
    [
        ({"untaxed": "=1+1"}, ("untaxed", "not_a_number")),
        ({"description": "=HYPERLINK(A1)"}, ("description", "formula")),
        ({"description": "#REF!"}, ("description", "sheet_error")),
        ({"untaxed": 1 / 3}, ("untaxed", "not_a_number")),
        ({"untaxed": True}, ("untaxed", "not_a_number")),
        ({"currency": None}, ("currency", "missing")),
    ],
)
def test_a_cell_that_is_calculated_or_says_too_much_is_located(path, cells, place):
    good, error = read(write(path, ROW, changed(**cells)))
    assert good.customer == "acme"
    assert (error.row, error.column, error.code) == (3, *place)


def test_a_cell_beyond_the_header_is_located(path):
    [error] = read(write(path, [*ROW, None, "note"]))
    assert error == RowError(2, "H", "no_column", "is filled, and the header has no name there")


def test_a_merged_header_is_refused_at_its_column(path):
    error = refusal(write(path, ROW, header=[*HEADER[:2], None, *HEADER[3:]]))
    assert (error.code, "column C" in error.message) == ("merged_header", True)


def test_of_several_sheets_the_mapping_names_one(path):
    write(path, ROW, sheets=("Notes", "Bills"))
    assert refusal(path).code == "which_sheet"
    columns = {name: name.value for name in Field if name.value in HEADER}
    mapping = TableMapping("shop", columns, sheet="Bills")
    assert [line.customer for line in read(path, mapping)] == ["acme"]
    assert refusal(path, TableMapping("shop", columns, sheet="Bill")).code == "unknown_sheet"


def test_a_header_further_down_is_found_by_the_mapping(path):
    columns = {name: name.value for name in Field if name.value in HEADER}
    write(path, HEADER, ROW, header=["Exported by the shop", None])
    [line] = read(path, TableMapping("shop", columns, header_row=2))
    assert (line.row, line.customer) == (3, "acme")


def test_an_empty_or_a_damaged_spreadsheet_is_refused(path):
    assert refusal(write(path, header=[])).code == "empty_file"
    content = write(path, ROW).read_bytes()
    path.write_bytes(content[: len(content) // 2])
    assert refusal(path).code == "broken_spreadsheet"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("hello.txt", "no sheet at all")
    assert refusal(path).code == "broken_spreadsheet"


def test_a_sheet_that_breaks_off_is_told_at_its_row(path):
    write(path, ROW, changed(customer="other"))
    spoil(path, lambda text: text[: text.index(b'r="A3"')])
    lines = read(path)
    assert (lines[0].customer, lines[-1].code) == ("acme", "broken_row")


def test_what_would_burst_is_refused_before_it_is_unpacked(path, monkeypatch):
    write(path, ROW)
    spoil(path, lambda text: text + b" " * 20_000_000)
    error = refusal(path)
    assert (error.code, "sheet1.xml" in error.message) == ("too_large", True)
    write(path, ROW)
    monkeypatch.setattr(xlsx_tables, "LARGEST_OTHER", 100)
    error = refusal(path)
    assert (error.code, "sheet1.xml" in error.message) == ("too_large", False)
    monkeypatch.undo()
    monkeypatch.setattr(xlsx_tables, "LARGEST_PART", 100)
    assert refusal(write(path, ROW)).code == "too_large"
    monkeypatch.setattr(xlsx_tables, "MOST_PARTS", 2)
    assert refusal(path).code == "too_large"


def test_an_entity_that_multiplies_is_not_expanded(path):
    write(path, ROW)
    entities = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + b"".join(
        b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 100) for n in range(8)
    )
    spoil(path, lambda text: entities + b"]>" + text.replace(b"API calls", b"&i;"))
    items = read(path)
    assert all(isinstance(item, RowError) for item in items) or len(items[0].description) < 2_000


def test_the_sheets_own_word_on_its_size_is_not_believed(path):
    write(path, ROW)
    spoil(path, lambda text: text.replace(b'ref="A1:F2"', b'ref="A1:XFD1048576"'))
    assert len(read(path)) == 1


def spoil(path, change):
    """Rewrites the sheet inside of a spreadsheet."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, change(content) if name.endswith("sheet1.xml") else content)
    path.write_bytes(packed.getvalue())


def test_a_day_and_an_instant_of_a_spreadsheet_are_what_the_line_is_for(path):
    columns = {name: name.value for name in (Field.CUSTOMER, Field.CURRENCY, Field.UNTAXED)}
    mapping = TableMapping(
        "shop",
        {**columns, Field.USED_FROM: "period_start", Field.USED_TO: "period_end"},
        is_end_inclusive=True,
    )
    write(path, changed(period_start=date(2026, 9, 1), period_end=date(2026, 9, 30)))
    [line] = read(path, mapping)
    assert (line.used_from, line.used_to) == (datetime(2026, 9, 1), datetime(2026, 10, 1))
    assert (line.used_from.tzinfo, UTC) == (None, UTC)
