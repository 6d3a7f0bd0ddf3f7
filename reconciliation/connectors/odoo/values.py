"""Odoo's wire values to Python's and back: no float leaves this connector and none is sent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

DATETIME_FORMAT = "%Y-%m-%d %H:%M:%S"


def read_decimal(value: float | int) -> Decimal:
    """The decimal that a JSON number was written as: `repr` of a float gives its shortest form back."""
    return Decimal(repr(value))


def read_money(value: float | int, rounding: Decimal) -> Decimal:
    """An amount at its currency's digits (`res.currency.rounding`: 0.01, 1, 0.001), half away from zero.

    Stored amounts arrive clean; computed ones such as a line's tax as 12.870000000000005.
    """
    amount = read_decimal(value).quantize(rounding, rounding=ROUND_HALF_UP)
    return amount.copy_abs() if amount.is_zero() else amount  # a computed tax may come as -0.0


def write_decimal(value: Decimal) -> str:
    """A plain decimal string, the same for equal values: "30.86", "4.1" for 4.10, "100"."""
    if not isinstance(value, Decimal) or not value.is_finite():
        raise TypeError(f"an amount for Odoo must be a finite Decimal, not {value!r}")
    digits = format(value, "f")
    plain = digits.rstrip("0").rstrip(".") if "." in digits else digits
    return "0" if plain == "-0" else plain


def read_text(value: str | bool | None) -> str | None:
    """False is how Odoo says that a text is empty."""
    return value if isinstance(value, str) and value else None


def read_datetime(value: str) -> datetime:
    """Odoo's datetimes are UTC without saying so."""
    return datetime.fromisoformat(value).replace(tzinfo=UTC)


def write_datetime(value: datetime) -> str:
    """An aware datetime as Odoo wants it: UTC, whole seconds, no offset; a naive one is refused."""
    if value.tzinfo is None:
        raise ValueError("a datetime for Odoo must be aware")
    return value.astimezone(UTC).strftime(DATETIME_FORMAT)


def read_date(value: str | bool | None) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) and value else None


def read_id(value: list[Any] | bool) -> int | None:
    """The id of a many2one, `[id, display name]` on the wire."""
    return value[0] if isinstance(value, list) else None


def read_name(value: list[Any] | bool) -> str | None:
    """The display name of a many2one."""
    return value[1] if isinstance(value, list) else None


def keep_raw(record: Mapping[str, Any]) -> dict[str, Any]:
    """The record as it came, fit to be kept as JSON: each float as the text that it was sent as."""
    return {name: _without_float(value) for name, value in record.items()}


def _without_float(value: Any) -> Any:
    return repr(value) if isinstance(value, float) else value
