"""An answer of Stripe's: from its text to the objects in it, whatever it turns out to be."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from reconciliation.connectors.stripe.records import Kind, Page, StripeItem, fail

LONGEST_ID = 255
# How JSON writes what `clean` replaces; looking for it is cheap, walking through every value is not.
_UNKEPT = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
# When an object says not when it was made.
UNDATED = datetime.fromtimestamp(0, UTC)
# Links and secrets that are made anew for each answer, and open a bill to whoever has them: no facts, and not kept.
PASSING = frozenset(
    {
        "confirmation_secret",
        "hosted_invoice_url",
        "invoice_pdf",
        "pdf",
        "receipt_url",
        "webhooks_delivered_at",
    }
)


def decode(where: str, body: str) -> Any:
    """The JSON value, its fractions as text: no float ever exists. Raises ConnectorError for what is none."""
    try:
        value = json.loads(body, parse_float=str)
    except (ValueError, RecursionError):
        raise fail("not_json", f"{where}: the answer is not JSON, or is cut off.", permanent=False) from None
    return clean(value) if _UNKEPT.search(body) else value


def read_page(where: str, kind: Kind, value: Any) -> Page:
    """A decoded list; raises ConnectorError when it is none, or would never end."""
    entries = value.get("data") if isinstance(value, dict) else None
    if not isinstance(entries, list) or not isinstance(value.get("has_more"), bool):
        raise fail("unexpected_answer", f"{where}: there is no list in the answer.")
    items = tuple(read_item(where, kind, entry) for entry in entries)
    if value["has_more"] and not items:
        raise fail("unexpected_answer", f"{where}: an empty page says that there is more.")
    return Page(items, items[-1].id if value["has_more"] else None)


def read_item(where: str, kind: Kind, value: Any) -> StripeItem:
    """One object of a list; raises ConnectorError for what has no id."""
    id_ = value.get("id") if isinstance(value, dict) else None
    if not isinstance(id_, str) or not 0 < len(id_) <= LONGEST_ID or not id_.isprintable():
        raise fail("unexpected_answer", f"{where}: an entry has no id.")
    facts = {name: member for name, member in value.items() if name not in PASSING}
    return StripeItem(kind, id_, read_instant(value.get("created")) or UNDATED, facts)


def read_instant(value: Any) -> datetime | None:
    """Seconds since 1970 as an instant; None for what is no such number."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 32_503_680_000:
        return None
    return datetime.fromtimestamp(value, UTC)


def clean(value: Any) -> Any:
    """The value with U+0000 and halves of characters replaced, which no database's text holds."""
    if isinstance(value, str):
        return "".join("\ufffd" if char == "\0" or "\ud800" <= char <= "\udfff" else char for char in value)
    if isinstance(value, Mapping):
        return {clean(name): clean(member) for name, member in value.items()}
    return [clean(member) for member in value] if isinstance(value, list) else value
