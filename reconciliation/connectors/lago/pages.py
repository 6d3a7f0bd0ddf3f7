"""A page of Lago's lists: from its bytes to its entries, whatever it turns out to be."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from reconciliation.connectors.lago.records import Bills, Collection, fail

# Neither a database's text nor UTF-8 holds these.
_UNKEPT = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Page:
    """The entries of one page and what it says of the others."""

    entries: Sequence[Any]
    meta: Mapping[str, Any] | None


def decode(place: str, content: bytes) -> Any:
    """The JSON value, its fractions as text; raises ConnectorError that names the place of what is none."""
    try:
        return _JSON.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise fail("not_json", f"{place} is not JSON, or is cut off: {error}.", permanent=False) from None
    except (RecursionError, ValueError):
        raise fail(
            "not_json", f"{place} is nested too deeply, or holds a number of too many digits."
        ) from None


def read_page(place: str, collection: Collection | Bills, value: Any) -> Page:
    """A decoded answer as a page; raises ConnectorError when it is none."""
    entries = value.get(collection.value) if isinstance(value, dict) else None
    if not isinstance(entries, list):
        raise fail("unexpected_answer", f"{place} has no list {collection.value!r}.")
    meta = value.get("meta")
    return Page(entries, meta if isinstance(meta, dict) else None)


def find_next(place: str, page: Page, number: int) -> int | None:
    """The number of the next page, None after the last; raises ConnectorError for what would never end."""
    if page.meta is None:
        raise fail("unexpected_answer", f"{place} does not say in `meta` whether there is another page.")
    following = page.meta.get("next_page")
    if following is None:
        return None
    if not isinstance(following, int) or isinstance(following, bool) or following <= number:
        raise fail("unexpected_answer", f"{place} names {following!r} as the page after {number}.")
    return following


def holds_unkept(value: Any) -> bool:
    """Whether any text in a JSON value is one that cannot be kept: U+0000, half a surrogate pair."""
    if isinstance(value, str):
        return bool(_UNKEPT.search(value))
    if isinstance(value, Mapping):
        return any(holds_unkept(name) or holds_unkept(member) for name, member in value.items())
    return isinstance(value, list) and any(map(holds_unkept, value))


_JSON = msgspec.json.Decoder(float_hook=str)
