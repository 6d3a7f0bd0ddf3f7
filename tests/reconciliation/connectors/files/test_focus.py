"""FOCUS 1.0, on the sample of the FinOps Foundation that the demo uses."""

import csv
from collections import Counter, defaultdict
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

import billing_console.demo
from reconciliation.connectors.files.detect import parse_file
from reconciliation.connectors.files.focus import FORMAT, focus_metric_code
from reconciliation.connectors.files.records import LineKind, RowError

SAMPLE = Path(billing_console.demo.__file__).parent / "data" / "focus_sample.csv"
PUBLISHED = "e91e5ac7edf01ed2c9d926f37ef7dc1ae2aae97956fea8da6c9ee488b1c2839e"


@pytest.fixture(scope="module")
def lines():
    return list(parse_file(SAMPLE).rows)


@pytest.fixture(scope="module")
def source_rows():
    with SAMPLE.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def sum_by(rows, key, amount):
    sums = defaultdict(Fraction)
    for row in rows:
        sums[key(row)] += Fraction(amount(row))
    return sums


def test_the_sample_is_the_file_as_published():
    parsed = parse_file(SAMPLE)
    assert (parsed.format, parsed.digest) == ("focus 1.0", PUBLISHED)


def test_every_row_of_the_sample_becomes_a_line(lines):
    assert [line.row for line in lines] == list(range(2, 1002))
    assert Counter(line.kind for line in lines) == {
        LineKind.USAGE: 997,
        LineKind.ADJUSTMENT: 2,
        LineKind.CREDIT: 1,
    }


def test_totals_per_sub_account_equal_the_files_own_sums_to_the_last_digit(lines, source_rows):
    ours = sum_by(lines, lambda line: line.customer, lambda line: line.untaxed)
    assert ours == sum_by(source_rows, lambda row: row["SubAccountId"], lambda row: row["BilledCost"])
    assert len(ours) == 73
    assert sum(ours.values()) == Fraction("20.52022672899")


def test_the_billing_period_decides_and_not_the_day_of_the_usage(lines, source_rows):
    [october] = [line for line in lines if line.period_start == date(2024, 10, 1)]
    assert october.period_end == date(2024, 11, 1)
    assert source_rows[october.row - 2]["ChargePeriodStart"].startswith("2024-09-30")
    assert {line.period_start for line in lines} == {date(2024, 9, 1), date(2024, 10, 1)}


def test_the_whole_row_is_kept_with_a_line(lines, source_rows):
    assert [line.raw for line in lines] == source_rows


def test_a_line_states_no_tax(lines):
    assert {(line.tax, line.total) for line in lines} == {(None, None)}


def test_null_and_empty_cells_are_missing(lines):
    [credit] = [line for line in lines if line.kind is LineKind.CREDIT]
    assert (credit.unit_price, credit.untaxed, credit.code) == (
        None,
        Decimal("-2.6137"),
        "credit:S78KHHH96AJF23KZ",
    )
    adjustments = {line.code for line in lines if line.kind is LineKind.ADJUSTMENT}
    assert adjustments == {"adjustment:B93297", "adjustment:B93298"}


def test_a_metric_is_a_price_id_at_a_price(lines, source_rows):
    codes = {(row["SkuPriceId"], row["ListUnitPrice"]): focus_metric_code(row) for row in source_rows}
    metrics = [code for code in codes.values() if code is not None]
    assert len(metrics) == len(set(metrics)) == 263
    assert sum(focus_metric_code(row) is None for row in source_rows) == 8
    assert all(line.code == (focus_metric_code(line.raw) or line.code) for line in lines)


@pytest.mark.parametrize(
    ("price_id", "price", "code"),
    [
        ("A.B.C", "0.0000004", "A.B.C@0.0000004"),
        ("A.B.C", "0.001500000000", "A.B.C@0.0015"),
        ("A.B.C", "100", "A.B.C@100"),
        ("A.B.C", "100.00", "A.B.C@100"),
        ("A.B.C", "4E-7", "A.B.C@0.0000004"),
        ("A.B.C", "0.000", "A.B.C@0"),
        ("NULL", "0.1", None),
        ("", "0.1", None),
        ("A.B.C", "NULL", None),
        ("A.B.C", "", None),
    ],
)
def test_a_metrics_code_is_the_same_however_its_price_is_written(price_id, price, code):
    assert focus_metric_code({"SkuPriceId": price_id, "ListUnitPrice": price}) == code


def test_a_long_code_is_cut_and_stays_its_own():
    codes = {
        focus_metric_code({"SkuPriceId": "x" * 300 + end, "ListUnitPrice": "1"}) for end in ("a", "b", "a")
    }
    assert {len(code) for code in codes} == {255}
    assert len(codes) == 2


CELLS = {
    **dict.fromkeys(FORMAT.columns | FORMAT.optional, "NULL"),
    "BilledCost": "5.00",
    "BillingCurrency": "USD",
    "BillingPeriodStart": "2024-09-01T00:00:00Z",
    "BillingPeriodEnd": "2024-10-01T00:00:00Z",
    "ChargeCategory": "Usage",
    "ChargeDescription": "Compute",
    "SubAccountId": "acct-1",
}


def parse_one(path, **cells):
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, sorted(CELLS))
        writer.writeheader()
        writer.writerow({**CELLS, **cells})
    [item] = parse_file(path).rows
    return item


def test_a_tax_row_states_tax_and_nothing_untaxed(tmp_path):
    line = parse_one(tmp_path / "focus.csv", ChargeCategory="Tax")
    assert (line.kind, line.untaxed, line.tax, line.total) == (LineKind.TAX, 0, 5, 5)


def test_a_purchase_is_a_one_time_line(tmp_path):
    assert parse_one(tmp_path / "focus.csv", ChargeCategory="Purchase").kind is LineKind.ONE_TIME


def test_numbers_may_have_the_exponent_that_focus_allows(tmp_path):
    assert parse_one(tmp_path / "focus.csv", BilledCost="3.5E-05").untaxed == Decimal("0.000035")


def test_an_instant_is_taken_at_its_utc_day(tmp_path):
    line = parse_one(tmp_path / "focus.csv", BillingPeriodStart="2024-08-31T20:00:00-04:00")
    assert line.period_start == date(2024, 9, 1)


@pytest.mark.parametrize(
    ("column", "text", "code"),
    [
        ("BilledCost", "NULL", "missing"),
        ("BilledCost", "1e400", "not_a_number"),
        ("BilledCost", "1,204.10", "not_a_number"),
        ("BilledCost", "NaN", "not_a_number"),
        ("PricingQuantity", "many", "not_a_number"),
        ("ListUnitPrice", "$5", "not_a_number"),
        ("BillingCurrency", "", "missing"),
        ("BillingCurrency", "US Dollar", "not_a_currency"),
        ("BillingPeriodStart", "September", "not_a_date"),
        ("BillingPeriodEnd", "2024-09-01T00:00:00Z", "empty_period"),
        ("ChargeCategory", "NULL", "missing"),
        ("ChargeCategory", "Refund", "unknown_kind"),
        ("SubAccountId", "NULL", "missing"),
    ],
)
def test_a_bad_cell_is_refused_with_its_row_and_column(tmp_path, column, text, code):
    error = parse_one(tmp_path / "focus.csv", **{column: text})
    assert isinstance(error, RowError)
    assert (error.row, error.column, error.code) == (2, column, code)
