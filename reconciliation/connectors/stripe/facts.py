"""What a bill says of whose it is: the facts that a service's rules ask for, by name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from reconciliation.connectors.stripe.lines import id_of, members

# Metadata is asked for by its key: `metadata:service`.
METADATA = "metadata:"
Facts = Mapping[str, frozenset[str]]


def read_facts(values: Mapping[str, Any]) -> Facts:
    """Each fact's name with all the values that the object or one of its lines has for it."""
    facts: dict[str, set[str]] = defaultdict(set)
    for name, value in _read(values):
        if isinstance(value, str) and value:
            facts[name].add(value)
    return {name: frozenset(found) for name, found in facts.items()}


def find_lago_invoice(values: Mapping[str, Any]) -> str:
    """The Lago invoice that a charge paid: Lago writes its id into the metadata of the intents that it makes."""
    found = members(values, "metadata", "lago_invoice_id") or members(values, "metadata", "lago_payable_id")
    return found if isinstance(found, str) else ""


def _read(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from _metadata(values, members(values, "parent", "subscription_details"))
    yield "subscription", id_of(members(values, "parent", "subscription_details", "subscription"))
    for name in ("statement_descriptor", "statement_descriptor_suffix", "calculated_statement_descriptor"):
        yield "descriptor", values.get(name)
    for path in (
        ("on_behalf_of",),
        ("application",),
        ("transfer_data", "destination"),
        ("issuer", "account"),
    ):
        yield "account", id_of(members(values, *path))
    lines = members(values, "lines", "data")
    for line in lines if isinstance(lines, list) else ():
        yield from _read_line(line)


def _read_line(line: Any) -> Iterator[tuple[str, Any]]:
    yield from _metadata(line)
    yield "product", id_of(members(line, "pricing", "price_details", "product"))
    yield "price", id_of(members(line, "pricing", "price_details", "price"))
    for parent in ("subscription_item_details", "invoice_item_details"):
        yield "subscription", id_of(members(line, "parent", parent, "subscription"))


def _metadata(*owners: Any) -> Iterable[tuple[str, Any]]:
    for owner in owners:
        metadata = members(owner, "metadata")
        if isinstance(metadata, Mapping):
            yield from ((f"{METADATA}{key}", value) for key, value in metadata.items())
