"""What the fields of a posted event may hold: each value becomes its exact typed form, or Lago's code for why not."""

import re
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal, InvalidOperation
from math import floor
from typing import Any

import msgspec

MAX_LENGTH = 255
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# A day from the edge of what a date holds, so that every time zone can show it: 0001-01-02.
EARLIEST = Decimal(-62_135_510_400)
# A later second, from the year 5138 on, can only be meant as milliseconds.
LATEST = Decimal(100_000_000_000)
# Lago keeps decimal(40,15); what is finer is kept too, as far as a form can show it.
MAX_AMOUNT_DIGITS = 25
MAX_AMOUNT_SCALE = 100
# As deep as Lago's own parser goes.
MAX_LEVELS = 100
# Never rounds.
EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)
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
    return EPOCH + timedelta(microseconds=floor(EXACT.scaleb(seconds, 6)))


def read_properties(value: msgspec.Raw) -> msgspec.Raw:
    """An object, as it was sent; null is an empty one. What could not be read back is refused."""
    try:
        properties = _PROPERTIES.decode(value)
    except msgspec.ValidationError:
        raise FieldError("value_is_invalid") from None
    if properties is None:
        return EMPTY_OBJECT
    # Each level takes two characters: most events are too short to be looked through.
    if len(bytes(value)) > 2 * MAX_LEVELS and _is_deeper(properties, MAX_LEVELS):
        raise FieldError("value_is_invalid")
    return value


def read_amount(value: Any) -> Decimal | None:
    """A decimal number or its text, digit for digit, with up to 25 digits before the point."""
    if value is None:
        return None
    amount = _read_number(value, "value_is_not_valid_number")
    exponent = amount.as_tuple().exponent
    if amount.adjusted() >= MAX_AMOUNT_DIGITS or int(exponent) < -MAX_AMOUNT_SCALE:
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
    if isinstance(value, int):
        return str(value)
    raise FieldError("value_is_invalid")


def _check_fraction(text: str) -> str:
    """Refuses a number of more digits than Python reads; PostgreSQL writes 1e5000 out in full."""
    mantissa, _, exponent = text.lower().partition("e")
    if len(mantissa) + int(exponent or 0) > sys.int_info.default_max_str_digits:
        raise ValueError(text)
    return text


def _is_deeper(value: Any, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    members = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deeper(member, levels - 1) for member in members)


def _read_number(value: Any, code: str) -> Decimal:
    """The exact number that an integer or a text says."""
    if type(value) not in (int, str):  # a boolean is an int by isinstance()
        raise FieldError(code)
    # Decimal itself also takes underscores, spaces and the digits of other scripts.
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        raise FieldError(code)
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise FieldError(code) from None
    if not number.is_finite():
        raise FieldError(code)
    return number


_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


_PROPERTIES = msgspec.json.Decoder(dict[str, Any] | None, float_hook=_check_fraction)
