"""Tables: a file as a header and its rows, whatever holds them, read one by one in constant memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.files.records import RowError

# A sheet has no more, and a text file with more is none of bills.
MOST_COLUMNS = 16_384
# A line that never ends must not fill the memory; the csv module itself bounds each cell.
LONGEST_LINE = 1_000_000


@dataclass(frozen=True, slots=True)
class Table:
    """The names of its columns, and its rows with their numbers; what cannot be split is an error in its place.

    After an error that ends the reading (`is_last`) nothing more comes.
    """

    header: Sequence[str]
    rows: Iterator[tuple[int, Sequence[str]] | RowError]


def refuse(code: str, message: str) -> ConnectorError:
    """The error of a file that is no table at all."""
    return ConnectorError(code=code, message=message, system="files")


def check_header(header: Sequence[str]) -> None:
    """Raises ConnectorError `duplicate_column` or `too_many_columns`."""
    repeated = sorted(column for column, count in Counter(header).items() if column and count > 1)
    if repeated:
        raise refuse("duplicate_column", f"The header names twice: {', '.join(repeated[:10])}.")
    if len(header) > MOST_COLUMNS:
        raise refuse("too_many_columns", f"The header has {len(header):,} columns; {MOST_COLUMNS:,} at most.")
