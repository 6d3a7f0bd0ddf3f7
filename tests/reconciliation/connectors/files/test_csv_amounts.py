"""Our own CSV: what it accepts, and where it says what is wrong."""

import csv
import io
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciliation.connectors.files.csv_amounts import FORMAT, parse_row
from reconciliation.connectors.files.detect import DELIMITERS, parse_file
from reconciliation.connectors.files.records import LineKind, RowError

ROW = {
    "customer": "acme",
    "currency": "CAD",
    "period_start": "2026-10-01",
    "period_end": "2026-11-01",
    "description": "API calls",
    "untaxed": "1204.10",
}


def write(path, *rows, delimiter=",", encoding="utf-8", header=None):
    """A file of the given rows; each is `ROW` with other cells."""
    rows = [{**ROW, **row} for row in rows]
    columns = header or list(dict.fromkeys(column for row in rows for column in row)) or list(ROW)
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    path.write_bytes(text.getvalue().encode(encoding))
    return path


@pytest.fixture
def path(tmp_path):
    return tmp_path / "amounts.csv"


def parse(path):
    return list(parse_file(path).rows)


def test_a_row_becomes_a_line(path):
    cells = {
        "code": "api_calls",
        "kind": "plan",
        "quantity": "12",
        "unit_price": "0.0025",
        "document": "INV-7",
    }
    [line] = parse(write(path, {**cells, "customer_name": "Acme Inc", "cost_centre": "42"}))
    assert (line.row, line.customer, line.customer_name, line.currency) == (2, "acme", "Acme Inc", "CAD")
    assert (line.period_start, line.period_end) == (date(2026, 10, 1), date(2026, 11, 1))
    assert (line.kind, line.code, line.document) == (LineKind.PLAN, "api_calls", "INV-7")
    assert (line.quantity, line.unit_price, line.untaxed) == (
        Decimal(12),
        Decimal("0.0025"),
        Decimal("1204.10"),
    )
    assert (line.tax, line.total) == (None, None)
    assert line.raw["cost_centre"] == "42"


def test_a_line_is_usage_unless_it_says_otherwise(path):
    [line] = parse(write(path, {}))
    assert (line.kind, line.code, line.document, line.quantity) == (LineKind.USAGE, "", "", None)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("delimiter", DELIMITERS)
def test_the_delimiter_and_a_byte_order_mark_are_told_from_the_header(path, delimiter, encoding):
    description = "Müller, König; 東京\tand “more”"
    parsed = parse_file(write(path, {"description": description}, delimiter=delimiter, encoding=encoding))
    assert parsed.format == FORMAT.name
    assert [line.description for line in parsed.rows] == [description]


@pytest.mark.parametrize(
    ("stated", "amounts"),
    [
        ({"untaxed": "100"}, ("100", None, None)),
        ({"untaxed": "", "total": "113"}, (None, None, "113")),
        ({"untaxed": "100", "tax": "13"}, ("100", "13", "113")),
        ({"untaxed": "", "tax": "13", "total": "113"}, ("100", "13", "113")),
        ({"untaxed": "100", "total": "113"}, ("100", "13", "113")),
        ({"untaxed": "100", "tax": "13", "total": "113.00"}, ("100", "13", "113")),
        ({"untaxed": "-0.005", "tax": "0"}, ("-0.005", "0", "-0.005")),
        (
            {"untaxed": "9" * 59, "tax": "0." + "1" * 57},
            ("9" * 59, "0." + "1" * 57, "9" * 59 + "." + "1" * 57),
        ),
    ],
)
def test_two_amounts_give_the_third_exactly(path, stated, amounts):
    [line] = parse(write(path, stated))
    expected = tuple(None if amount is None else Decimal(amount) for amount in amounts)
    assert (line.untaxed, line.tax, line.total) == expected


BAD_CELLS = [
    ("customer", "", "missing"),
    ("customer", "   ", "missing"),
    ("customer", "c" * 256, "too_long"),
    ("currency", "", "missing"),
    ("currency", "cad", "not_a_currency"),
    ("currency", "$", "not_a_currency"),
    ("period_start", "", "missing"),
    ("period_start", "01/10/2026", "not_a_date"),
    ("period_start", "2026-10-32", "not_a_date"),
    ("period_start", "20261001", "not_a_date"),
    ("period_start", "0001-01-01", "not_a_date"),
    ("period_end", "2026-10-01", "empty_period"),
    ("period_end", "2026-09-01", "empty_period"),
    ("untaxed", "1,204.10", "not_a_number"),
    ("untaxed", "1204,10", "not_a_number"),
    ("untaxed", "1e400", "not_a_number"),
    ("untaxed", "1e2", "not_a_number"),
    ("untaxed", "NaN", "not_a_number"),
    ("untaxed", "Infinity", "not_a_number"),
    ("untaxed", "=1+1", "not_a_number"),
    ("untaxed", "+5", "not_a_number"),
    ("untaxed", "$5.00", "not_a_number"),
    ("untaxed", "(5.00)", "not_a_number"),
    ("untaxed", "٥", "not_a_number"),
    ("untaxed", "9" * 61, "not_a_number"),
    ("untaxed", "", "missing"),
    ("tax", "13 %", "not_a_number"),
    ("total", "0x10", "not_a_number"),
    ("total", "1", "amounts_disagree"),
    ("quantity", "two", "not_a_number"),
    ("unit_price", ".5", "not_a_number"),
    ("kind", "subscription", "unknown_kind"),
    ("description", '=HYPERLINK("http://example.com")', "formula"),
    ("description", "d" * 1025, "too_long"),
    ("customer_name", "@SUM(A1:A9)", "formula"),
    ("code", "api\x00calls", "wrong_encoding"),
]


@pytest.mark.parametrize(("column", "text", "code"), BAD_CELLS)
def test_a_bad_cell_is_refused_with_its_row_and_column_and_the_rest_goes_on(path, column, text, code):
    bad = {column: text, **({"tax": "0"} if code == "amounts_disagree" else {})}
    before, error, after = parse(write(path, {}, bad, {"untaxed": "7"}))
    assert isinstance(error, RowError)
    assert (error.row, error.column, error.code) == (3, column, code)
    assert error.message
    assert (before.untaxed, after.untaxed) == (Decimal("1204.10"), Decimal(7))


def test_a_cell_that_is_not_utf_8_is_refused_at_its_row(path):
    write(path, {}, {"description": "Café"}, {})
    path.write_bytes(path.read_bytes().replace("é".encode(), b"\xe9"))
    _, error, after = parse(path)
    assert (error.row, error.column, error.code) == (3, "description", "wrong_encoding")
    assert after.row == 4


@pytest.mark.parametrize("record", ["acme,CAD", "acme,CAD,2026-10-01,2026-11-01,x,1,204.10"])
def test_a_row_with_too_few_or_too_many_cells_is_refused(path, record):
    write(path, {})
    path.write_text(path.read_text() + record + "\r\n")
    line, error = parse(path)
    assert (line.row, error.row, error.column, error.code) == (2, 3, "", "wrong_cell_count")


def test_a_quote_that_never_closes_is_told_where_it_begins_to_break(path):
    write(path, {}, {})
    path.write_text(path.read_text() + 'acme,CAD,2026-10-01,2026-11-01,"never,1\r\n' + "more\r\n" * 10)
    *lines, error = parse(path)
    assert [line.row for line in lines] == [2, 3]
    assert (error.row, error.code) == (4, "broken_row")


def test_a_line_that_never_ends_does_not_fill_the_memory(path):
    write(path, {})
    path.write_text(path.read_text() + "x" * 1_000_001)
    assert parse(path)[-1].code == "broken_row"


def test_blank_lines_are_passed_over_and_counted(path):
    write(path, {}, {})
    path.write_bytes(path.read_bytes().replace(b"\r\nacme", b"\r\n\r\nacme"))
    assert [line.row for line in parse(path)] == [3, 5]


def test_a_file_without_rows_has_no_lines(path):
    assert parse(write(path)) == []


TEXTS = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=20).filter(
    lambda text: not text.strip().startswith(("=", "@"))
)
AMOUNTS = st.decimals(-(10**12), 10**12, places=11)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "customer": TEXTS.filter(str.strip),
            "description": TEXTS,
            "code": TEXTS,
            "untaxed": AMOUNTS.map(lambda amount: f"{amount:f}"),
        }
    ),
    min_size=1,
    max_size=5,
)


@given(ROWS, st.sampled_from(DELIMITERS))
def test_what_a_csv_writer_writes_is_read_back_as_it_was(tmp_path_factory, rows, delimiter):
    path = write(tmp_path_factory.mktemp("amounts") / "amounts.csv", *rows, delimiter=delimiter)
    lines = parse(path)
    assert [(line.customer, line.description, line.code) for line in lines] == [
        (row["customer"].strip(), row["description"].strip(), row["code"].strip()) for row in rows
    ]
    assert [line.untaxed for line in lines] == [Decimal(row["untaxed"]) for row in rows]


@given(st.dictionaries(st.sampled_from([*ROW, "tax", "total", "kind", "quantity"]), st.text(max_size=12)))
def test_any_text_in_any_cell_is_a_line_or_a_located_refusal(tmp_path_factory, cells):
    row = {column: text.encode("utf-8", "replace").decode() for column, text in cells.items()}
    path = write(tmp_path_factory.mktemp("amounts") / "amounts.csv", row)
    for item in parse(path):
        assert item.row == 2
        assert not isinstance(item, RowError) or item.column in {*ROW, "tax", "total", "kind", "quantity"}


def test_a_row_is_parsed_alone_as_it_is_within_a_file(path):
    [line] = parse(write(path, {}))
    assert parse_row(2, ROW) == line
