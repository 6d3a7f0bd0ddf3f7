"""Cells that are safe to open in a spreadsheet, and tables that are sent while they are read."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from django.http import StreamingHttpResponse

# A spreadsheet runs a cell that begins with one of these.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def escape_formula(value: Any) -> Any:
    """A text that a spreadsheet would run, made plain by an apostrophe; numbers stay numbers."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value


def show_cell(value: Any) -> Any:
    """A cell of comma-separated values: a decimal as its digits, never in powers of ten."""
    return f"{value:f}" if isinstance(value, Decimal) else escape_formula(value)


class _Line:
    """Where the writer leaves each line for the response to take."""

    def write(self, text: str) -> str:
        return text


def stream_csv(*, name: str, headers: Sequence[str], rows: Iterable[Sequence[Any]]) -> StreamingHttpResponse:
    """A download of comma-separated values that holds one row in memory, however many there are."""

    def lines() -> Iterator[str]:
        writer = csv.writer(_Line())
        yield writer.writerow(headers)
        for row in rows:
            yield writer.writerow([show_cell(value) for value in row])

    response = StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
