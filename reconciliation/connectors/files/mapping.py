"""A mapping: which column of somebody else's table means what, and how its cells are written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from decimal import Context, Decimal, Inexact
from enum import StrEnum

from reconciliation.connectors.files.amounts import complete_amounts, complete_tax
from reconciliation.connectors.files.cells import CellError, DateCell, read_number, read_text
from reconciliation.connectors.files.records import ExternalLine, FileFormat, LeftOut, LineKind


class Field(StrEnum):
    """What a column can mean."""

    CUSTOMER = "customer"
    SUBSCRIPTION = "subscription"
    STRIPE_CUSTOMER = "stripe_customer"
    CUSTOMER_NAME = "customer_name"
    CURRENCY = "currency"
    PERIOD_START = "period_start"
    PERIOD_END = "period_end"
    USED_FROM = "used_from"
    USED_TO = "used_to"
    DOCUMENT = "document"
    STATUS = "status"
    KIND = "kind"
    CODE = "code"
    DESCRIPTION = "description"
    QUANTITY = "quantity"
    UNIT_PRICE = "unit_price"
    UNTAXED = "untaxed"
    TAX = "tax"
    TOTAL = "total"


class DateFormat(StrEnum):
    """How the days of a file are written, all of them alike."""

    ISO_DAY = "iso_day"
    ISO_INSTANT = "iso_instant"
    DAY_MONTH_YEAR = "dmy_slash"
    MONTH_DAY_YEAR = "mdy_slash"
    DAY_MONTH_YEAR_DOTS = "dmy_dot"
    COMPACT = "compact"


# What a day looks like, and how it is read.
_DAYS: Mapping[DateFormat, tuple[re.Pattern[str], str, str]] = {
    DateFormat.ISO_DAY: (re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}"), "%Y-%m-%d", "2026-10-31"),
    DateFormat.DAY_MONTH_YEAR: (re.compile("[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}"), "%d/%m/%Y", "31/10/2026"),
    DateFormat.MONTH_DAY_YEAR: (re.compile("[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}"), "%m/%d/%Y", "10/31/2026"),
    DateFormat.DAY_MONTH_YEAR_DOTS: (
        re.compile(r"[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{4}"),
        "%d.%m.%Y",
        "31.10.2026",
    ),
    DateFormat.COMPACT: (re.compile("[0-9]{8}"), "%Y%m%d", "20261031"),
}
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9:.]+(Z|[+-][0-9:]+| UTC)?)?")
_YEARS = range(1900, 3000)
_CURRENCY = re.compile("[A-Za-z]{3}")
_TOTAL_ROW = re.compile(r"\s*(grand\s+|sub\s*-?)?totals?\b.*|\s*sums?\b\s*:?", re.IGNORECASE)
# A number of at most sixty characters, in minor units of at most four digits.
_EXACT = Context(prec=80, traps=[Inexact])

WHO = (Field.CUSTOMER, Field.SUBSCRIPTION, Field.STRIPE_CUSTOMER)
_PAIRS = ((Field.PERIOD_START, Field.PERIOD_END), (Field.USED_FROM, Field.USED_TO))


@dataclass(frozen=True, slots=True)
class TableMapping:
    """How one source's files are read; `fixed` says what every row is where no column does.

    `exponents` are the digits of each currency's minor unit, for amounts that are counted in it (`is_minor`).
    An end is the day after the last one, or the last one itself (`is_end_inclusive`). `counted` and `left_out`
    are the words of the status column for what was billed and what was not; any other word is refused.
    """

    name: str
    columns: Mapping[Field, str]
    fixed: Mapping[Field, str] = field(default_factory=dict)
    date_format: DateFormat = DateFormat.ISO_DAY
    decimal_mark: str = "."
    thousands_mark: str = ""
    is_minor: bool = False
    is_end_inclusive: bool = False
    counted: frozenset[str] = frozenset()
    left_out: frozenset[str] = frozenset()
    kinds: Mapping[str, LineKind] = field(default_factory=dict)
    encoding: str = "utf-8"
    delimiter: str = ""
    sheet: str = ""
    header_row: int = 1
    exponents: Mapping[str, int] = field(default_factory=dict)

    @property
    def format(self) -> FileFormat:
        """The mapping as a format: the columns that it needs, and how it reads a row."""
        return FileFormat(self.name, frozenset(self.columns.values()), self._make_reader())

    def _make_reader(self) -> Callable[[int, Mapping[str, str]], ExternalLine | LeftOut]:
        pattern = _compile_number(self.decimal_mark, self.thousands_mark)
        return lambda row, cells: _Row(self, pattern, cells).read(row)


def find_faults(mapping: TableMapping) -> Iterator[tuple[str, str]]:
    """Why a mapping cannot read any file: the field that is at fault, and the reason."""
    known = {*mapping.columns, *mapping.fixed}
    if not known & {*WHO}:
        yield (
            Field.CUSTOMER,
            "One column must say who was billed: a customer, a subscription or a Stripe customer.",
        )
    if Field.CURRENCY not in known:
        yield Field.CURRENCY, "Name the column of the currency, or the one currency of the file."
    for start, end in _PAIRS:
        if (start in known) != (end in known):
            yield start, f"{start} and {end} go together."
    if not any(start in known for start, _ in _PAIRS):
        yield Field.PERIOD_START, "Name the billing period's columns, or those of what a line is for."
    if Field.PERIOD_START in known and mapping.date_format is DateFormat.ISO_INSTANT:
        yield (
            Field.PERIOD_START,
            "Instants are no days of a billing period: name them as what a line is for.",
        )
    if not known & {Field.UNTAXED, Field.TOTAL}:
        yield Field.UNTAXED, "Name the column of the untaxed amount, or of the total."
    if Field.STATUS in known and not mapping.counted:
        yield Field.STATUS, "Say which words of the status column mean that something was billed."
    if mapping.decimal_mark == mapping.thousands_mark:
        yield "thousands_mark", "The marks of decimals and of thousands must differ."


def _compile_number(decimal: str, thousands: str) -> re.Pattern[str]:
    whole = "[0-9]+"
    if thousands:
        whole = f"(?:[0-9]{{1,3}}(?:{re.escape(thousands)}[0-9]{{3}})+|[0-9]+)"
    return re.compile(f"-?{whole}(?:{re.escape(decimal)}[0-9]+)?")


@dataclass(frozen=True, slots=True)
class _Row:
    """One row as its mapping reads it."""

    mapping: TableMapping
    number: re.Pattern[str]
    cells: Mapping[str, str]

    def read(self, row: int) -> ExternalLine | LeftOut:
        status = self._text(Field.STATUS)
        if status in self.mapping.left_out:
            return LeftOut(row, status)
        self._refuse_total_row()
        if Field.STATUS in self.mapping.columns and status not in self.mapping.counted:
            words = ", ".join(sorted(self.mapping.counted | self.mapping.left_out))
            raise CellError(self._column(Field.STATUS), "unknown_status", f"must be one of {words}")
        currency, kind = self._currency(), self._kind()
        untaxed, tax, total = self._amounts(kind, currency)
        used = self._span(Field.USED_FROM, Field.USED_TO)
        period = self._span(Field.PERIOD_START, Field.PERIOD_END)
        return ExternalLine(
            row=row,
            customer=self._text(Field.CUSTOMER),
            customer_name=self._text(Field.CUSTOMER_NAME),
            currency=currency,
            period_start=period[0].date() if period else None,
            period_end=period[1].date() if period else None,
            document=self._text(Field.DOCUMENT),
            kind=kind,
            code=self._text(Field.CODE),
            description=self._text(Field.DESCRIPTION, longest=1024),
            quantity=self._decimal(Field.QUANTITY),
            unit_price=self._decimal(Field.UNIT_PRICE),
            untaxed=untaxed,
            tax=tax,
            total=total,
            raw=dict(self.cells),
            subscription=self._text(Field.SUBSCRIPTION),
            stripe_customer=self._text(Field.STRIPE_CUSTOMER),
            used_from=used[0] if used else None,
            used_to=used[1] if used else None,
        )

    def _refuse_total_row(self) -> None:
        """Raises CellError `missing`, or `total_row` where the row looks like the sum of those above it."""
        who = [name for name in WHO if name in self.mapping.columns or name in self.mapping.fixed]
        for column, text in self.cells.items():
            if _TOTAL_ROW.fullmatch(text) and not all(map(self._text, who)):
                raise CellError(column, "total_row", "is the sum of the rows above; leave it out of the file")
        if not any(map(self._text, who)):
            raise CellError(self._column(who[0]), "missing", "must not be empty")

    def _column(self, name: Field) -> str:
        return self.mapping.columns.get(name, name.value)

    def _text(self, name: Field, *, longest: int = 255) -> str:
        column = self.mapping.columns.get(name)
        text = read_text(self.cells, column, longest=longest) if column is not None else ""
        return text or self.mapping.fixed.get(name, "")

    def _currency(self) -> str:
        text = self._text(Field.CURRENCY)
        if not text:
            raise CellError(self._column(Field.CURRENCY), "missing", "must not be empty")
        if not _CURRENCY.fullmatch(text):
            message = f"must be a currency code such as CAD, not {text[:40]!r}"
            raise CellError(self._column(Field.CURRENCY), "not_a_currency", message)
        return text.upper()

    def _kind(self) -> LineKind:
        text = self._text(Field.KIND)
        found = self.mapping.kinds.get(text) if text else LineKind.USAGE
        if found is None and text in {*LineKind}:
            found = LineKind(text)
        if found is None:
            words = ", ".join(sorted({*self.mapping.kinds, *LineKind}))
            raise CellError(self._column(Field.KIND), "unknown_kind", f"must be one of {words}")
        return found

    def _decimal(self, name: Field) -> Decimal | None:
        column = self.mapping.columns.get(name)
        if column is None:
            return None
        marks = self.mapping.decimal_mark, self.mapping.thousands_mark
        return read_number(self.cells, column, pattern=self.number, marks=marks)

    def _money(self, name: Field, currency: str) -> Decimal | None:
        amount = self._decimal(name)
        if amount is None or not self.mapping.is_minor:
            return amount
        exponent = self.mapping.exponents.get(currency)
        if exponent is None:
            message = f"{currency} has no known minor unit, and the amounts are counted in it"
            raise CellError(self._column(Field.CURRENCY), "unknown_currency", message)
        return _EXACT.scaleb(amount, -exponent)

    def _amounts(
        self, kind: LineKind, currency: str
    ) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
        names = (Field.UNTAXED, Field.TAX, Field.TOTAL)
        columns = [self._column(name) for name in names]
        amounts = [self._money(name, currency) for name in names]
        complete = complete_tax if kind is LineKind.TAX else complete_amounts
        return complete(columns, amounts)

    def _span(self, start: Field, end: Field) -> tuple[datetime, datetime] | None:
        """Both ends, half-open: instants, or naive midnights of the customer's own days."""
        if start not in self.mapping.columns:
            return None
        first, last = self._instant(start), self._instant(end)
        if first is None and last is None and start is Field.USED_FROM and self._has(Field.PERIOD_START):
            return None
        for name, found in ((start, first), (end, last)):
            if found is None:
                raise CellError(self._column(name), "missing", "must not be empty")
        if first is None or last is None:
            return None
        if self.mapping.is_end_inclusive:
            last += timedelta(days=1) if last.tzinfo is None else timedelta(seconds=1)
        if last < first or (last == first and first.tzinfo is None):
            raise CellError(self._column(end), "empty_period", f"must lie after {self._column(start)}")
        return first, last

    def _has(self, name: Field) -> bool:
        return name in self.mapping.columns

    def _instant(self, name: Field) -> datetime | None:
        column = self._column(name)
        # A cell that a spreadsheet keeps as a date is one, however the file's texts are written.
        text = self.cells[column] if isinstance(self.cells[column], DateCell) else self._text(name)
        if not text:
            return None
        is_instant = self.mapping.date_format is DateFormat.ISO_INSTANT
        found = read_instant(text) if is_instant else _read_day(text, self.mapping.date_format)
        if found is None or found.year not in _YEARS:
            like = "2026-10-31T00:00:00Z" if is_instant else _DAYS[self.mapping.date_format][2]
            raise CellError(column, "not_a_date", f"must be written like {like}, not {text[:40]!r}")
        return found


def read_instant(text: str) -> datetime | None:
    """An ISO 8601 instant, UTC where it says no zone; None for anything else."""
    if not _INSTANT.fullmatch(text):
        return None
    try:
        instant = datetime.fromisoformat(text.removesuffix(" UTC"))
        return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _read_day(text: str, written: DateFormat) -> datetime | None:
    pattern, form, _ = _DAYS[DateFormat.ISO_DAY if isinstance(text, DateCell) else written]
    try:
        if pattern.fullmatch(text):
            return datetime.combine(datetime.strptime(text, form).date(), time.min)  # noqa: DTZ007
    except ValueError:
        pass
    return None


def list_columns(mapping: TableMapping, header: Sequence[str]) -> list[str]:
    """The mapping's columns that a header does not have."""
    return sorted({*mapping.columns.values()} - {*header})
