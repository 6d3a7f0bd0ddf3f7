"""What a field of the stand-in's models is, and how its values are taken in, kept and answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .environment import Environment

Record = dict[str, Any]

DATETIME_FORMAT = "%Y-%m-%d %H:%M:%S"
DATETIME_LENGTH = len("2026-11-22 20:41:02")
DATE_LENGTH = len("2026-11-22")


class Kind(StrEnum):
    """The type of a field, as `fields_get` names it."""

    CHAR = "char"
    TEXT = "text"
    BOOLEAN = "boolean"
    INTEGER = "integer"
    FLOAT = "float"
    MONETARY = "monetary"
    DATE = "date"
    DATETIME = "datetime"
    SELECTION = "selection"
    MANY2ONE = "many2one"
    ONE2MANY = "one2many"
    MANY2MANY = "many2many"


NUMBERS = {Kind.FLOAT, Kind.MONETARY}
TO_MANY = {Kind.ONE2MANY, Kind.MANY2MANY}


@dataclass(frozen=True, slots=True)
class Field:
    """One field; `compute` makes it a value worked out when asked for, which nobody can write."""

    kind: Kind
    label: str
    relation: str = ""
    _: KW_ONLY
    inverse: str = ""
    only: tuple[str, str] | None = None
    required: bool = False
    digits: int | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    default: Any = None
    compute: Callable[[Environment, Record], Any] | None = None
    ondelete: str = "set null"
    indexed: bool = False

    @property
    def is_stored(self) -> bool:
        return self.compute is None and self.kind is not Kind.ONE2MANY

    @property
    def is_indexed(self) -> bool:
        return self.is_stored and (self.indexed or self.kind in {Kind.MANY2ONE, Kind.MANY2MANY})

    @property
    def empty(self) -> Any:
        """The stored value of a field nobody set."""
        return EMPTY.get(self.kind, False)


EMPTY: dict[Kind, Any] = {
    Kind.FLOAT: Decimal(0),
    Kind.MONETARY: Decimal(0),
    Kind.INTEGER: 0,
    Kind.MANY2MANY: [],
}

char = partial(Field, Kind.CHAR)
text = partial(Field, Kind.TEXT)
boolean = partial(Field, Kind.BOOLEAN)
integer = partial(Field, Kind.INTEGER)
floating = partial(Field, Kind.FLOAT)
quantity = partial(Field, Kind.FLOAT, digits=2)
monetary = partial(Field, Kind.MONETARY, digits=2)
date = partial(Field, Kind.DATE)
moment = partial(Field, Kind.DATETIME)
many2one = partial(Field, Kind.MANY2ONE)
one2many = partial(Field, Kind.ONE2MANY)
many2many = partial(Field, Kind.MANY2MANY)


def selection(label: str, *options: str, **attributes: Any) -> Field:
    """Return a field that takes one of the options; their labels are made from their keys."""
    labels = {option: option.replace("_", " ").capitalize() for option in options}
    return Field(Kind.SELECTION, label, options=labels, **attributes)


def take_value(definition: Field, value: Any) -> Any:
    """Return the value as it is stored; None, like False, means empty. Raises ValueError as Odoo does."""
    return TAKE[definition.kind](definition, value)


def read_datetime(value: Any) -> str:
    """Return 'YYYY-MM-DD HH:MM:SS', refusing a 'T', a zone or a fraction of a second."""
    written = str(value)
    if len(written) == DATE_LENGTH:
        written += " 00:00:00"
    try:
        datetime.strptime(written, DATETIME_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        if _has_zone(written):
            raise ValueError(f"expecting only datetimes with no timezone: {value!r}") from None
        raise
    return written


def read_date(value: Any) -> str:
    """Return 'YYYY-MM-DD'; what follows the tenth character is cut."""
    written = str(value)[:DATE_LENGTH]
    datetime.strptime(written, "%Y-%m-%d").replace(tzinfo=UTC)
    return written


def read_number(value: Any) -> Decimal:
    """Return a number, or a number in a string, as a Decimal; ValueError for anything that is not finite."""
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise ValueError(f"could not convert string to float: {value!r}") from None
    if not number.is_finite():
        raise ValueError(f"not a finite number: {value!r}")
    return number


def round_digits(value: Decimal, digits: int | None) -> Decimal:
    """Round half away from zero to that many digits; None keeps the value as it is."""
    return value if digits is None else value.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


def _has_zone(written: str) -> bool:
    try:
        return datetime.fromisoformat(written).tzinfo is not None
    except ValueError:
        return False


def _take_text(_definition: Field, value: Any) -> str | bool:
    return False if value is None or value is False else str(value)


def _take_boolean(_definition: Field, value: Any) -> bool:
    return bool(value)


def _take_integer(_definition: Field, value: Any) -> int:
    return int(value or 0)


def _take_number(definition: Field, value: Any) -> Decimal:
    return round_digits(read_number(value or 0), definition.digits)


def _take_date(_definition: Field, value: Any) -> str | bool:
    return read_date(value) if value else False


def _take_datetime(_definition: Field, value: Any) -> str | bool:
    return read_datetime(value) if value else False


def _take_option(definition: Field, value: Any) -> str | bool:
    if not value:
        return False
    if value not in definition.options:
        raise ValueError(f"Wrong value for {definition.label}: {value!r}")
    return str(value)


def _take_reference(definition: Field, value: Any) -> int | bool:
    if value is None or value is False:
        return False
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"Wrong value for {definition.label}: {value!r}")
    return value


TAKE: dict[Kind, Callable[[Field, Any], Any]] = {
    Kind.CHAR: _take_text,
    Kind.TEXT: _take_text,
    Kind.BOOLEAN: _take_boolean,
    Kind.INTEGER: _take_integer,
    Kind.FLOAT: _take_number,
    Kind.MONETARY: _take_number,
    Kind.DATE: _take_date,
    Kind.DATETIME: _take_datetime,
    Kind.SELECTION: _take_option,
    Kind.MANY2ONE: _take_reference,
}
