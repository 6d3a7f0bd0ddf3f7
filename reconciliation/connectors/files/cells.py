"""Reading single cells, each refusal with its column."""

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal

_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_DAY = re.compile(r"(19|2[0-9])[0-9]{2}-[0-9]{2}-[0-9]{2}")
_CURRENCY = re.compile(r"[A-Z]{3}")
# Bytes that were no UTF-8 arrive as lone surrogates; the database stores neither them nor U+0000.
_UNREADABLE = re.compile("[\x00\ud800-\udfff]")

_SHEET_ERRORS = frozenset({"#REF!", "#N/A", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!"})

_LONGEST_TEXT = 255
_LONGEST_NUMBER = 60


class DateCell(str):
    """A text that a spreadsheet kept as a date, written as ISO 8601."""

    __slots__ = ()


class NumberCell(str):
    """A text that a spreadsheet kept as a number, written plainly."""

    __slots__ = ()


class CellError(Exception):
    """A cell that cannot be read, and why."""

    def __init__(self, column: str, code: str, message: str) -> None:
        super().__init__(column, code, message)
        self.column = column
        self.code = code
        self.message = message


def refuse_unreadable(cells: Mapping[str, str]) -> None:
    """Raises CellError `wrong_encoding` for a cell that is not UTF-8 text."""
    if not _UNREADABLE.search("".join(cells.values())):
        return
    for column, text in cells.items():
        if _UNREADABLE.search(text):
            raise CellError(column, "wrong_encoding", "is not UTF-8 text")


def refuse_foreign(cells: Mapping[str, str], encoding: str) -> None:
    """Raises CellError `wrong_encoding` for a text that is UTF-8 read as something else: "CafÃ©" for "Café"."""
    for column, text in cells.items():
        if not text.isascii():
            try:
                text.encode(encoding).decode("utf-8")
            except UnicodeError:
                continue
            message = f"is UTF-8 text, and the mapping reads it as {encoding.upper()}"
            raise CellError(column, "wrong_encoding", message)


def read_text(
    cells: Mapping[str, str], column: str, *, is_required: bool = False, longest: int = _LONGEST_TEXT
) -> str:
    """The cell without the space around it; empty when the column is not there.

    Raises CellError: `missing`, `too_long`, `formula` for a text that a spreadsheet would calculate, or
    `sheet_error` for one that it could not.
    """
    text = cells.get(column, "").strip()
    if is_required and not text:
        raise CellError(column, "missing", "must not be empty")
    if len(text) > longest:
        raise CellError(column, "too_long", f"must not be longer than {longest} characters")
    if text.startswith(("=", "@")):
        raise CellError(column, "formula", "starts like a formula; write it as plain text")
    if text in _SHEET_ERRORS:
        raise CellError(column, "sheet_error", "is an error of the spreadsheet")
    return text


def read_number(
    cells: Mapping[str, str], column: str, *, pattern: re.Pattern[str], marks: tuple[str, str]
) -> Decimal | None:
    """The number in the cell as `read_decimal` gives it, written with other marks of decimals and thousands.

    A cell that is a number to its spreadsheet is written plainly and read so.
    """
    text = cells.get(column, "").strip()
    if isinstance(cells.get(column, ""), NumberCell):
        return read_decimal(cells, column)
    if not text:
        return None
    if len(text) > _LONGEST_NUMBER or not pattern.fullmatch(text):
        like = f"-1{marks[1]}204{marks[0]}10"
        raise CellError(column, "not_a_number", f"must be a number such as {like}, not {text[:40]!r}")
    plain = text.replace(marks[1], "") if marks[1] else text
    number = Decimal(plain.replace(marks[0], "."))
    return number if number else number.copy_abs()


def read_decimal(
    cells: Mapping[str, str], column: str, *, pattern: re.Pattern[str] = _DECIMAL
) -> Decimal | None:
    """The number in the cell, exact, a zero without a sign; None when it is empty.

    Raises CellError `not_a_number` for anything but a plain decimal: no thousands separator, currency sign,
    exponent, NaN or formula.
    """
    text = cells.get(column, "").strip()
    if not text:
        return None
    if len(text) > _LONGEST_NUMBER or not pattern.fullmatch(text):
        raise CellError(
            column, "not_a_number", f"must be a plain decimal such as -1204.10, not {text[:40]!r}"
        )
    number = Decimal(text)
    return number if number else number.copy_abs()


def read_day(cells: Mapping[str, str], column: str) -> date:
    """The day in the cell, written 2026-10-01; raises CellError `missing` or `not_a_date`."""
    text = read_text(cells, column, is_required=True)
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise CellError(column, "not_a_date", f"must be a day such as 2026-10-01, not {text[:40]!r}")


def read_currency(cells: Mapping[str, str], column: str) -> str:
    """The ISO 4217 code in the cell; raises CellError `missing` or `not_a_currency`."""
    text = read_text(cells, column, is_required=True)
    if not _CURRENCY.fullmatch(text):
        raise CellError(column, "not_a_currency", f"must be a currency code such as CAD, not {text[:40]!r}")
    return text
