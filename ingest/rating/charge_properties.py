"""A charge's properties in one spelling: what its model knows and nothing else, amounts as text, sizes as numbers."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from ingest.metering.numeric import read_number

AMOUNTS = frozenset(
    {
        "amount",
        "fixed_amount",
        "flat_amount",
        "free_units_per_total_aggregation",
        "per_transaction_max_amount",
        "per_transaction_min_amount",
        "per_unit_amount",
        "rate",
    }
)
# More digits than a size can need stay as they were written.
LONGEST_SIZE = 18
RANGES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "graduated_ranges": ("from_value", "to_value", "per_unit_amount", "flat_amount"),
        "graduated_percentage_ranges": ("from_value", "to_value", "rate", "flat_amount"),
        "volume_ranges": ("from_value", "to_value", "per_unit_amount", "flat_amount"),
    }
)
# Lago: charge models. What is no property of the model is not kept.
KNOWN: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "standard": ("amount",),
        "graduated": ("graduated_ranges",),
        "graduated_percentage": ("graduated_percentage_ranges",),
        "volume": ("volume_ranges",),
        "package": ("amount", "package_size", "free_units"),
        "percentage": (
            "rate",
            "fixed_amount",
            "free_units_per_events",
            "free_units_per_total_aggregation",
            "per_transaction_min_amount",
            "per_transaction_max_amount",
        ),
        "dynamic": (),
    }
)
_FREE_RANGE = {"from_value": 0, "to_value": None, "per_unit_amount": "0", "flat_amount": "0"}
# What a new charge is priced with that says nothing of its price (Lago: default properties): it costs nothing.
DEFAULTS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "standard": {"amount": "0"},
        "graduated": {"graduated_ranges": [_FREE_RANGE]},
        "graduated_percentage": {
            "graduated_percentage_ranges": [
                {"from_value": 0, "to_value": None, "rate": "0", "flat_amount": "0"}
            ]
        },
        "volume": {"volume_ranges": [_FREE_RANGE]},
        "package": {"amount": "0", "package_size": 1, "free_units": 0},
        "percentage": {"rate": "0"},
        "dynamic": {},
    }
)


def normalize(model: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """The properties of a known model in one spelling, so that equal prices are equal.

    What is of a wrong type stays as it is, for `check_charge` to refuse.
    """
    named = {name: properties[name] for name in KNOWN[model] if properties.get(name) is not None}
    found = {name: _read_property(name, value) for name, value in named.items()}
    return {**found, **dict(_read_groups(properties))}


def _read_property(name: str, value: Any) -> Any:
    if name in RANGES and isinstance(value, list):
        return [_read_range(item, RANGES[name]) for item in value]
    return _read_figure(name, value)


def _read_range(item: Any, names: tuple[str, ...]) -> Any:
    if not isinstance(item, Mapping):
        return item
    figures = {name: _read_figure(name, item[name]) for name in names if item.get(name) is not None}
    return {"to_value": None, **figures}


def _read_figure(name: str, value: Any) -> Any:
    """An amount as text, a whole size as a number."""
    if name in AMOUNTS:
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    number = read_number(value) if isinstance(value, str) and len(value) <= LONGEST_SIZE else None
    return int(number) if number is not None and number == number.to_integral_value() else value


def _read_groups(properties: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The groups under their present name; a list of none asks for none (Lago: grouped_by is the older name)."""
    groups = properties.get("pricing_group_keys") or properties.get("grouped_by")
    if groups:
        yield "pricing_group_keys", groups
    shown = properties.get("presentation_group_keys")
    if isinstance(shown, list):
        shown = [{"value": key.get("value")} if isinstance(key, Mapping) else key for key in shown]
    if shown:
        yield "presentation_group_keys", shown
