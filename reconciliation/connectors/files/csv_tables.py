"""Tables that are text: cells between commas, semicolons or tabs, in the encoding that is told."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

from reconciliation.connectors.files.cells import CellError, refuse_unreadable
from reconciliation.connectors.files.records import RowError
from reconciliation.connectors.files.tables import LONGEST_LINE, Table, refuse

DELIMITERS = (",", ";", "\t")
# Python's names of the encodings, each with its byte order mark, if any, left out.
ENCODINGS = {"utf-8": "utf-8-sig", "utf-16": "utf-16", "cp1252": "cp1252", "latin-1": "latin-1"}


def open_text(path: Path, encoding: str) -> TextIO:
    """The file as text; bytes that are none in its encoding become lone surrogates, so that their row can be told."""
    errors = "strict" if encoding == "utf-16" else "surrogateescape"
    return path.open(encoding=ENCODINGS[encoding], errors=errors, newline="")


def read_first_line(path: Path, encoding: str, place: int = 1) -> str:
    """The line of the header; raises ConnectorError `empty_file`, `endless_header` or `wrong_encoding`."""
    try:
        with open_text(path, encoding) as stream:
            line = ""
            for _ in range(place):
                line = stream.readline(LONGEST_LINE)
    except OSError as error:
        raise refuse("unreadable_file", f"The file cannot be opened: {error.strerror}.") from error
    except UnicodeError:
        raise refuse("wrong_encoding", f"The file is not {encoding.upper()} text.") from None
    check_first_line(line, encoding)
    return line


def check_first_line(line: str, encoding: str = "utf-8") -> None:
    """Raises ConnectorError for a line that can be no header."""
    if not line.strip():
        raise refuse("empty_file", "The file has no header.")
    if _is_endless(line):
        raise refuse("endless_header", f"The header is longer than {LONGEST_LINE} characters.")
    try:
        refuse_unreadable({"": line})
    except CellError:
        raise refuse("wrong_encoding", f"The file is not {encoding.upper()} text.") from None


def split_header(line: str, delimiter: str) -> list[str]:
    """The names in a header; none where the line does not end with it."""
    try:
        # Strict: a quoted name that goes on in the next line would hide the columns that follow it.
        return [column.strip() for column in next(csv.reader([line], delimiter=delimiter, strict=True))]
    except csv.Error:
        return []


def read_rows(
    path: Path, *, encoding: str, delimiter: str, header_row: int = 1
) -> Iterator[tuple[int, Sequence[str]] | RowError]:
    """The rows below the header, empty ones left out; an error ends the reading where nothing can follow it."""
    row = 0
    try:
        with open_text(path, encoding) as stream:
            records = csv.reader(_read_lines(stream), delimiter=delimiter, strict=True)
            for row, record in enumerate(records, start=1):
                if row > header_row and record:
                    yield row, record
    except csv.Error as error:
        message = f"cannot be split into cells ({error}); nothing after it was read"
        yield RowError(row + 1, "", "broken_row", message)
    except UnicodeError:
        message = f"is not {encoding.upper()} text; nothing after it was read"
        yield RowError(row + 1, "", "wrong_encoding", message)


def read_table(path: Path, *, encoding: str, delimiter: str, header_row: int = 1) -> Table:
    """The table with the delimiter that is told; raises ConnectorError as `read_first_line`."""
    header = split_header(read_first_line(path, encoding, header_row), delimiter)
    rows = read_rows(path, encoding=encoding, delimiter=delimiter, header_row=header_row)
    return Table(header, rows)


def _read_lines(stream: TextIO) -> Iterator[str]:
    while line := stream.readline(LONGEST_LINE):
        if _is_endless(line):
            raise csv.Error(f"a line is longer than {LONGEST_LINE} characters")
        yield line


def _is_endless(line: str) -> bool:
    return len(line) == LONGEST_LINE and not line.endswith(("\n", "\r"))
