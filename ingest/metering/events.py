"""What metering needs to know of one usage event, and how it reads the event's properties."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


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
    """
    value = properties.get(key)
    return None if value is None else value if isinstance(value, str) else _write_json(value)


def _write_json(value: object) -> str:
    if isinstance(value, float):
        raise TypeError("A float has lost digits already: decode JSON numbers as Decimal.")
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_write_json, value))}]"
    if isinstance(value, Mapping):
        # jsonb keeps the shorter key first, then orders by bytes.
        keys = sorted(value, key=lambda key: (len(key.encode()), key.encode()))
        return f"{{{', '.join(f'{_write_json(key)}: {_write_json(value[key])}' for key in keys)}}}"
    return json.dumps(value, ensure_ascii=False)
