"""Opening a file: its format is told by its header, and its rows are read one by one in constant memory."""

import csv
import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.files import csv_amounts, focus
from reconciliation.connectors.files.cells import CellError, refuse_unreadable
from reconciliation.connectors.files.records import ExternalLine, FileFormat, ParsedFile, RowError

FORMATS = (focus.FORMAT, csv_amounts.FORMAT)
DELIMITERS = (",", ";", "\t")

# A line that never ends must not fill the memory; the csv module itself bounds each cell.
_LONGEST_LINE = 1_000_000


def parse_file(path: Path) -> ParsedFile:
    """The lines of a file of billed amounts, in the order of its rows.

    Raises ConnectorError, before any row is read, for a file that is no such table: `unreadable_file`,
    `empty_file`, `wrong_encoding`, `unknown_format`, `duplicate_column`, `endless_header`. What is
    wrong further down comes as a RowError in the row's place.
    """
    try:
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        with _open_text(path) as stream:
            first_line = stream.readline(_LONGEST_LINE)
    except OSError as error:
        raise _refuse("unreadable_file", f"The file cannot be opened: {error.strerror}.") from error
    file_format, delimiter = detect_format(first_line)
    return ParsedFile(file_format.name, digest, _parse_rows(path, file_format, delimiter))


def detect_format(first_line: str) -> tuple[FileFormat, str]:
    """The format whose columns the header names, and the delimiter between them; raises as `parse_file`."""
    if not first_line.strip():
        raise _refuse("empty_file", "The file has no header.")
    if _is_endless(first_line):
        raise _refuse("endless_header", f"The header is longer than {_LONGEST_LINE} characters.")
    try:
        refuse_unreadable({"": first_line})
    except CellError:
        raise _refuse("wrong_encoding", "The file is not UTF-8 text.") from None
    readings = [
        (file_format, delimiter, _split_header(first_line, delimiter))
        for delimiter in DELIMITERS
        for file_format in FORMATS
    ]
    file_format, delimiter, header = min(
        readings, key=lambda reading: len(reading[0].columns - {*reading[2]})
    )
    missing = sorted(file_format.columns - {*header})
    if missing:
        closest = f"the closest is {file_format.name}, without {', '.join(missing)}"
        raise _refuse("unknown_format", f"The header is of no known format; {closest}.")
    repeated = sorted(column for column, count in Counter(header).items() if column and count > 1)
    if repeated:
        raise _refuse("duplicate_column", f"The header names twice: {', '.join(repeated)}.")
    return file_format, delimiter


def _parse_rows(path: Path, file_format: FileFormat, delimiter: str) -> Iterator[ExternalLine | RowError]:
    row = 0
    with _open_text(path) as stream:
        records = csv.reader(_read_lines(stream), delimiter=delimiter, strict=True)
        try:
            header: list[str] = []
            for row, record in enumerate(records, start=1):
                if not header:
                    header = [column.strip() for column in record]
                elif record:
                    yield _parse_record(row, header, record, file_format)
        except csv.Error as error:
            message = f"cannot be split into cells ({error}); nothing after it was read"
            yield RowError(row + 1, "", "broken_row", message)


def _parse_record(
    row: int, header: Sequence[str], record: Sequence[str], file_format: FileFormat
) -> ExternalLine | RowError:
    if len(record) != len(header):
        message = f"has {len(record)} cells, the header has {len(header)}"
        return RowError(row, "", "wrong_cell_count", message)
    cells = dict(zip(header, record, strict=True))
    try:
        refuse_unreadable(cells)
        return file_format.parse_row(row, cells)
    except CellError as error:
        return RowError(row, error.column, error.code, error.message)


def _open_text(path: Path) -> TextIO:
    # Bytes that are no UTF-8 become lone surrogates, so that their own row can be told.
    return path.open(encoding="utf-8-sig", errors="surrogateescape", newline="")


def _read_lines(stream: TextIO) -> Iterator[str]:
    while line := stream.readline(_LONGEST_LINE):
        if _is_endless(line):
            raise csv.Error(f"a line is longer than {_LONGEST_LINE} characters")
        yield line


def _is_endless(line: str) -> bool:
    return len(line) == _LONGEST_LINE and not line.endswith(("\n", "\r"))


def _split_header(first_line: str, delimiter: str) -> list[str]:
    try:
        # Strict: a quoted name that goes on in the next line would hide the columns that follow it.
        return [column.strip() for column in next(csv.reader([first_line], delimiter=delimiter, strict=True))]
    except csv.Error:
        return []


def _refuse(code: str, message: str) -> ConnectorError:
    return ConnectorError(code=code, message=message, system="files")
