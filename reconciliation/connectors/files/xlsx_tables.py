"""Tables that are a spreadsheet's sheet: streamed, never calculated, and not unpacked when that would not end."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

from openpyxl import load_workbook
from openpyxl.utils import get_column_letter

from reconciliation.connectors.files.cells import DateCell, NumberCell
from reconciliation.connectors.files.records import RowError
from reconciliation.connectors.files.tables import MOST_COLUMNS, Table, refuse

MARK = b"PK\x03\x04"
# Of one sheet, in bytes, which is streamed: a million rows of thirty columns are about this.
LARGEST_PART = 2 * 1024**3
SHEETS = "xl/worksheets/"
# Every other part is held in memory as a whole: the texts of all cells, and what is much smaller, such as styles.
LARGEST_TEXTS = 256 * 1024**2
LARGEST_OTHER = 32 * 1024**2
# Sheets of bills pack to a tenth, the same row a million times to a hundredth; what packs better is made to burst.
MOST_PACKED = 400
PACKED_FROM = 16 * 1024**2
MOST_PARTS = 10_000
# A double holds fifteen digits of any number; what has more was calculated, and is not what anybody billed.
MOST_DIGITS = 15


def is_spreadsheet(path: Path) -> bool:
    """Whether the file begins as a spreadsheet does."""
    with path.open("rb") as stream:
        return stream.read(len(MARK)) == MARK


def read_table(path: Path, *, sheet: str = "", header_row: int = 1) -> Table:
    """The named sheet, or the only one; raises ConnectorError.

    `broken_spreadsheet`, `too_large` before anything is unpacked, `unknown_sheet`, `which_sheet` when there are
    several and none is named, `empty_file`, `merged_header` for a column without a name between named ones.
    """
    _check_size(path)
    rows = _read_values(path, sheet)
    header = [_show(cell) for cell in next(islice(rows, header_row - 1, None), ())]
    while header and not header[-1]:
        header.pop()
    if not header:
        raise refuse("empty_file", f"Row {header_row}, which should name the columns, is empty.")
    if "" in header:
        letter = get_column_letter(header.index("") + 1)
        message = f"Row {header_row}, column {letter} has no name: cells of the header may be merged."
        raise refuse("merged_header", message)
    return Table(header, _read_rows(rows, len(header), header_row))


def _check_size(path: Path) -> None:
    """The sizes that the archive declares; the unpacking ends at them, so that they cannot be understated."""
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise refuse("broken_spreadsheet", "The file begins like a spreadsheet and is none.") from None
    if len(parts) > MOST_PARTS:
        raise refuse("too_large", f"The spreadsheet has {len(parts):,} parts.")
    for part in parts:
        size, packed = part.file_size, max(part.compress_size, 1)
        if size > _find_largest(part.filename) or (size > PACKED_FROM and size > packed * MOST_PACKED):
            message = f"The spreadsheet's part {part.filename[:80]!r} would unpack to {size:,} bytes."
            raise refuse("too_large", message)


def _find_largest(part: str) -> int:
    name = part.lower()
    if name.endswith("sharedstrings.xml"):
        return LARGEST_TEXTS
    return LARGEST_PART if name.startswith(SHEETS) else LARGEST_OTHER


def _read_values(path: Path, sheet: str) -> Iterator[Sequence[Any]]:
    try:
        book = load_workbook(path, read_only=True, data_only=False, keep_links=False)
        names = [each.title for each in book.worksheets]
        if sheet and sheet not in names:
            raise refuse("unknown_sheet", f"There is no sheet {sheet!r}; there are {', '.join(names)}.")
        if not sheet and len(names) != 1:
            raise refuse(
                "which_sheet", f"Name the sheet in the mapping; there are {', '.join(names) or 'none'}."
            )
        chosen: Any = book[sheet or names[0]]
        # What a sheet says of its own size is often wrong, and could be a million empty columns.
        chosen.reset_dimensions()
        return iter(chosen.iter_rows(values_only=True, max_col=MOST_COLUMNS))
    except (KeyError, ValueError, TypeError, AttributeError, OSError, SyntaxError, zipfile.BadZipFile):
        raise refuse("broken_spreadsheet", "The spreadsheet cannot be read: it is damaged.") from None


def _read_rows(
    rows: Iterator[Sequence[Any]], width: int, row: int
) -> Iterator[tuple[int, Sequence[str]] | RowError]:
    while True:
        try:
            values = next(rows, None)
        except Exception as error:
            # The library passes on whatever its parsers raise at a damaged part.
            message = f"cannot be read ({type(error).__name__}); nothing after it was read"
            yield RowError(row + 1, "", "broken_row", message)
            return
        if values is None:
            return
        row += 1
        cells = [_show(value) for value in values[:width]]
        beyond = next(
            (place for place, value in enumerate(values[width:], width + 1) if value is not None), 0
        )
        if beyond:
            message = "is filled, and the header has no name there"
            yield RowError(row, get_column_letter(beyond), "no_column", message)
        elif any(cells):
            yield row, cells + [""] * (width - len(cells))


def _show(value: Any) -> str:
    """A cell as text: a number written plainly, a date as ISO 8601; a formula as it is, which no cell may be."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, datetime):
        is_day = value.time() == time.min
        return DateCell(value.date().isoformat() if is_day else value.isoformat())
    if isinstance(value, date):
        return DateCell(value.isoformat())
    if isinstance(value, int | float):
        return _show_number(value)
    return str(value)


def _show_number(value: float) -> str:
    """The number as the spreadsheet shows it to fifteen digits; one with more is marked, and refused as a number."""
    number = Decimal(repr(value))
    if not number.is_finite() or len(number.normalize().as_tuple().digits) > MOST_DIGITS:
        return f"{value!r} (more than {MOST_DIGITS} digits)"
    text = f"{number:f}"
    return NumberCell(text.rstrip("0").rstrip(".") if "." in text else text)
