"""What the fields of a posted event may hold: each value becomes its exact typed form, or Lago's code for why not."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import ROUND_FLOOR, Decimal, InvalidOperation
from typing import Any

import msgspec

MAX_LENGTH = 255
# A day from the edge of what a date holds, so that every time zone can show it.
EARLIEST = -62_135_510_400  # 0001-01-02
# A later second, from the year 5138 on, can only be meant as milliseconds.
LATEST = 100_000_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = Decimal("0.000001")
# Lago keeps decimal(40,15); what is finer than that is kept here too, as far as forms can show it.
MAX_AMOUNT_DIGITS = 25
MAX_AMOUNT_SCALE = 100
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
EMPTY_OBJECT = msgspec.Raw(b"{}")


class FieldError(ValueError):
    """A value that a field cannot take; its only argument is Lago's code for it."""


def read_text(value: Any) -> str | None:
    """Text of up to 255 characters; a number or a boolean becomes text, as Rails casts it."""
    if value is None:
        return None
    text = value if isinstance(value, str) else _cast_to_text(value)
    if len(text) > MAX_LENGTH:
        raise FieldError("value_is_too_long")
    if "\x00" in text:
        raise FieldError("value_is_invalid")
    return text


def read_mandatory_text(value: Any) -> str:
    """As `read_text`, and not blank."""
    text = read_text(value)
    if text is None or not text or text.isspace():
        raise FieldError("value_is_mandatory")
    return text


def read_timestamp(value: Any) -> datetime | None:
    """Unix seconds as a number or as its text, exactly, cut to microseconds."""
    if value is None:
        return None
    seconds = _read_number(value, "invalid_format")
    if not EARLIEST <= seconds <= LATEST:
        raise FieldError("invalid_format")
    if isinstance(seconds, int):
        return EPOCH + timedelta(seconds=seconds)
    microseconds = seconds.quantize(MICROSECOND, rounding=ROUND_FLOOR).scaleb(6)
    return EPOCH + timedelta(microseconds=int(microseconds))


def read_properties(value: msgspec.Raw) -> msgspec.Raw:
    """An object, as it was sent; null is an empty one."""
    text = bytes(value)
    if text == b"null":
        return EMPTY_OBJECT
    if not text.startswith(b"{"):
        raise FieldError("value_is_invalid")
    return value


def read_amount(value: Any) -> Decimal | None:
    """A decimal number or its text, digit for digit, within what Lago's decimal(40,15) can hold before the point."""
    if value is None:
        return None
    amount = Decimal(_read_number(value, "value_is_not_valid_number"))
    exponent = amount.as_tuple().exponent
    if (
        amount.adjusted() >= MAX_AMOUNT_DIGITS
        or not isinstance(exponent, int)
        or exponent < -MAX_AMOUNT_SCALE
    ):
        raise FieldError("value_is_out_of_range")
    return amount


READERS: Mapping[str, Callable[[Any], Any]] = {
    "transaction_id": read_mandatory_text,
    "code": read_mandatory_text,
    "external_subscription_id": read_text,
    "timestamp": read_timestamp,
    "properties": read_properties,
    "precise_total_amount_cents": read_amount,
}


def _cast_to_text(value: Any) -> str:
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, int | Decimal):
        return str(value)
    raise FieldError("value_is_invalid")


def _read_number(value: Any, code: str) -> int | Decimal:
    """The exact number; int where it is whole and plain, which is quick."""
    if isinstance(value, str) and NUMBER.fullmatch(value):
        try:
            return Decimal(value)
        except InvalidOperation:  # an exponent of 20 digits
            raise FieldError(code) from None
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return value
    raise FieldError(code)
