"""Opening a file: its format is told by its header or by a mapping, and its rows are read one by one."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from reconciliation.connectors.files import csv_amounts, csv_tables, focus, xlsx_tables
from reconciliation.connectors.files.cells import CellError, refuse_foreign, refuse_unreadable
from reconciliation.connectors.files.csv_tables import DELIMITERS
from reconciliation.connectors.files.mapping import TableMapping
from reconciliation.connectors.files.records import ExternalLine, FileFormat, LeftOut, ParsedFile, RowError
from reconciliation.connectors.files.tables import Table, check_header, refuse

FORMATS = (focus.FORMAT, csv_amounts.FORMAT)


def parse_file(path: Path, mapping: TableMapping | None = None) -> ParsedFile:
    """The lines of a file of billed amounts, in the order of its rows.

    Without a mapping the header must be of a known format. Raises ConnectorError, before any row is read, for a
    file that is no such table: `unreadable_file`, `empty_file`, `wrong_encoding`, `unknown_format`,
    `duplicate_column`, `too_many_columns`, `endless_header`, and what `xlsx_tables.read_table` adds. What is
    wrong further down comes as a RowError in the row's place.
    """
    try:
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        is_spreadsheet = xlsx_tables.is_spreadsheet(path)
    except OSError as error:
        raise refuse("unreadable_file", f"The file cannot be opened: {error.strerror}.") from error
    if is_spreadsheet:
        table, file_format = _open_spreadsheet(path, mapping)
    else:
        table, file_format = _open_text(path, mapping)
    name = file_format.name
    if file_format is focus.FORMAT:
        name = f"{name} {focus.find_version(table.header)}"
    encoding = mapping.encoding if mapping else "utf-8"
    return ParsedFile(name, digest, _parse_rows(table, file_format, encoding))


def detect_format(first_line: str) -> tuple[FileFormat, str]:
    """The format whose columns the header names, and the delimiter between them; raises as `parse_file`."""
    csv_tables.check_first_line(first_line)
    readings = {delimiter: csv_tables.split_header(first_line, delimiter) for delimiter in DELIMITERS}
    file_format, delimiter = _choose_format(readings, FORMATS)
    check_header(readings[delimiter])
    return file_format, delimiter


def _open_spreadsheet(path: Path, mapping: TableMapping | None) -> tuple[Table, FileFormat]:
    sheet, header_row = (mapping.sheet, mapping.header_row) if mapping else ("", 1)
    table = xlsx_tables.read_table(path, sheet=sheet, header_row=header_row)
    file_format, _ = _choose_format({"": table.header}, [mapping.format] if mapping else FORMATS)
    check_header(table.header)
    return table, file_format


def _open_text(path: Path, mapping: TableMapping | None) -> tuple[Table, FileFormat]:
    if mapping is None:
        file_format, delimiter = detect_format(csv_tables.read_first_line(path, "utf-8"))
        return csv_tables.read_table(path, encoding="utf-8", delimiter=delimiter), file_format
    first_line = csv_tables.read_first_line(path, mapping.encoding, mapping.header_row)
    delimiters = [mapping.delimiter] if mapping.delimiter else DELIMITERS
    readings = {delimiter: csv_tables.split_header(first_line, delimiter) for delimiter in delimiters}
    file_format, delimiter = _choose_format(readings, [mapping.format])
    check_header(readings[delimiter])
    table = csv_tables.read_table(
        path, encoding=mapping.encoding, delimiter=delimiter, header_row=mapping.header_row
    )
    return table, file_format


def _choose_format(
    readings: dict[str, Sequence[str]] | dict[str, list[str]], formats: Collection[FileFormat]
) -> tuple[FileFormat, str]:
    """The format and the delimiter by which the header has most of what it needs; raises `unknown_format`."""
    choices = [(each, delimiter) for delimiter in readings for each in formats]
    file_format, delimiter = min(choices, key=lambda choice: len(choice[0].columns - {*readings[choice[1]]}))
    missing = sorted(file_format.columns - {*readings[delimiter]})
    if missing:
        told = ", ".join(missing)
        closest = f"the closest is {file_format.name}, without {told}"
        if len(formats) == 1:
            raise refuse(
                "unknown_format", f"The header lacks what the mapping {file_format.name!r} names: {told}."
            )
        raise refuse("unknown_format", f"The header is of no known format; {closest}.")
    return file_format, delimiter


def _parse_rows(
    table: Table, file_format: FileFormat, encoding: str
) -> Iterator[ExternalLine | LeftOut | RowError]:
    for item in table.rows:
        if isinstance(item, RowError):
            yield item
        else:
            yield _parse_record(*item, table.header, file_format, encoding)


def _parse_record(
    row: int, record: Sequence[str], header: Sequence[str], file_format: FileFormat, encoding: str
) -> ExternalLine | LeftOut | RowError:
    if len(record) != len(header):
        message = f"has {len(record)} cells, the header has {len(header)}"
        return RowError(row, "", "wrong_cell_count", message)
    cells = dict(zip(header, record, strict=True))
    try:
        refuse_unreadable(cells)
        if encoding != "utf-8":
            refuse_foreign(cells, encoding)
        return file_format.parse_row(row, cells)
    except CellError as error:
        return RowError(row, error.column, error.code, error.message)
