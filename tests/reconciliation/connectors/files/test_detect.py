"""Opening a file: which format it is, and files that are none."""

import tracemalloc

import pytest

from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.files.csv_amounts import FORMAT as CSV
from reconciliation.connectors.files.detect import detect_format, parse_file
from reconciliation.connectors.files.focus import FORMAT as FOCUS

CSV_HEADER = ",".join(sorted(CSV.columns))


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (CSV_HEADER, (CSV, ",")),
        (CSV_HEADER.replace(",", ";"), (CSV, ";")),
        (CSV_HEADER.replace(",", "\t") + "\tuntaxed\r\n", (CSV, "\t")),
        ('"' + CSV_HEADER.replace(",", '","') + '"', (CSV, ",")),
        (CSV_HEADER.replace(",", " , "), (CSV, ",")),
        (CSV_HEADER.replace(",", ";") + ';"a, b"', (CSV, ";")),
        (",".join(FOCUS.columns), (FOCUS, ",")),
        (",".join([*FOCUS.columns, *CSV.columns]), (FOCUS, ",")),
    ],
)
def test_the_header_tells_the_format_and_the_delimiter(header, expected):
    assert detect_format(header) == expected


@pytest.mark.parametrize(
    ("content", "code", "told"),
    [
        (b"", "empty_file", "header"),
        (b"\r\n\r\n", "empty_file", "header"),
        (b"name,price\r\nAcme,5\r\n", "unknown_format", "customer"),
        (CSV_HEADER.replace("currency,", "").encode(), "unknown_format", "csv, without currency"),
        ((CSV_HEADER + ",currency").encode(), "duplicate_column", "currency"),
        (CSV_HEADER.encode("utf-16"), "wrong_encoding", "UTF-8"),
        (CSV_HEADER.encode("utf-16-le"), "wrong_encoding", "UTF-8"),
        (b"PK\x03\x04\x14\x00\x06\x00", "broken_spreadsheet", "begins like"),
    ],
)
def test_a_file_that_is_no_table_of_amounts_is_refused_before_any_row(tmp_path, content, code, told):
    path = tmp_path / "amounts.csv"
    path.write_bytes(content)
    with pytest.raises(ConnectorError) as refusal:
        parse_file(path)
    assert (refusal.value.code, refusal.value.system, refusal.value.permanent) == (code, "files", True)
    assert told in refusal.value.message


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ConnectorError) as refusal:
        parse_file(tmp_path / "nothing.csv")
    assert refusal.value.code == "unreadable_file"


def test_the_digest_is_of_the_bytes(tmp_path):
    digests = set()
    for name, ending in (("a.csv", "\r\n"), ("b.csv", "\r\n"), ("c.csv", "\n")):
        (tmp_path / name).write_bytes((CSV_HEADER + ending).encode())
        digests.add(parse_file(tmp_path / name).digest)
    assert len(digests) == 2


def peak_memory(path, rows):
    assert sorted(CSV.columns) == ["currency", "customer", "description", "period_end", "period_start"]
    path.write_text(f"{CSV_HEADER},untaxed\n" + "CAD,acme,API calls,2026-11-01,2026-10-01,5.00\n" * rows)
    tracemalloc.start()
    try:
        assert sum(1 for _ in parse_file(path).rows) == rows
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_file_of_any_length_is_read_in_the_same_memory(tmp_path):
    peak_memory(tmp_path / "first.csv", 10)  # what the first reading of any file caches
    short, long = peak_memory(tmp_path / "short.csv", 2_000), peak_memory(tmp_path / "long.csv", 20_000)
    assert long < short * 1.5
