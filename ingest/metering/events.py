"""What metering needs to know of one usage event, and how it reads the event's properties."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

# As deep as a property may be nested, and as many digits as PostgreSQL keeps of a number on each side of the point.
DEEPEST = 200
MOST_DIGITS = (131_072, 16_383)


class UnreadablePropertyError(ValueError):
    """A property that has no text: nested too deeply, or a number of too many digits."""

    code = "unreadable_property"


@dataclass(frozen=True, slots=True)
class MeteredEvent:
    """One event; `sequence` is its order of arrival, which decides between equal timestamps."""

    timestamp: datetime
    sequence: int
    properties: Mapping[str, object]
    precise_total_amount_cents: Decimal | None = None


def truncate_to_millisecond(instant: datetime) -> datetime:
    """The instant with its microseconds cut to whole milliseconds."""
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


def property_text(properties: Mapping[str, object], key: str) -> str | None:
    """The property as text, as filters, groups and unique counts compare it; None for null or absent.

    It is what PostgreSQL's `properties ->> key` gives of the same event: `true`, plain decimals without an
    exponent, and objects as jsonb writes them. Numbers have to be decoded to Decimal or int before.
    Raises UnreadablePropertyError for what the database would not take either, TypeError for a float.
    """
    value = properties.get(key)
    return None if value is None else value if isinstance(value, str) else _write_json(value, DEEPEST)


def _write_json(value: object, levels: int) -> str:
    if not levels:
        raise UnreadablePropertyError("A property is nested too deeply.")
    if isinstance(value, float):
        raise TypeError("A float has lost digits already: decode JSON numbers as Decimal.")
    if isinstance(value, Decimal) or (isinstance(value, int) and not isinstance(value, bool)):
        return _write_number(Decimal(value))
    if isinstance(value, list | tuple):
        return f"[{', '.join(_write_json(item, levels - 1) for item in value)}]"
    if isinstance(value, Mapping):
        # jsonb keeps the shorter key first, then orders by bytes.
        keys = sorted(value, key=lambda key: (len(key.encode()), key.encode()))
        members = (
            f"{json.dumps(key, ensure_ascii=False)}: {_write_json(value[key], levels - 1)}" for key in keys
        )
        return f"{{{', '.join(members)}}}"
    return json.dumps(value, ensure_ascii=False)


def _write_number(number: Decimal) -> str:
    exponent = number.as_tuple().exponent
    before, after = MOST_DIGITS
    if not isinstance(exponent, int) or -exponent > after or (number and number.adjusted() >= before):
        raise UnreadablePropertyError("A number in a property has too many digits.")
    return format(number, "f")
