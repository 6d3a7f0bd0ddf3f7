"""How a fee was computed, as a page shows it: the price that was used, and what each part of it gave."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ingest.models import Fee

# What a part is shown with, in this order, where it has it; anything else follows.
COLUMNS = (
    ("transaction", "Event"),
    ("from_value", "From"),
    ("to_value", "To"),
    ("from_level", "From level"),
    ("to_level", "To level"),
    ("units", "Units"),
    ("free_units", "Free units"),
    ("paid_units", "Paid units"),
    ("free_events", "Free events"),
    ("paid_events", "Paid events"),
    ("per_package_size", "Package of"),
    ("packages", "Packages"),
    ("per_package_unit_amount", "Per package"),
    ("rate", "Rate %"),
    ("per_unit_amount", "Per unit"),
    ("per_unit_total_amount", "For units"),
    ("flat_unit_amount", "Flat"),
    ("fixed_fee_unit_amount", "Per event"),
    ("fixed_fee_total_amount", "For events"),
    ("min_max_adjustment_total_amount", "Minimum and maximum"),
    ("total_with_flat_amount", "Total"),
    ("exact", "Unrounded"),
    ("amount", "Amount"),
)


# A step that has one of these says what was priced with; any other is a part of the amount.
FACTS = frozenset({"properties", "base_amount", "minimum", "late_usage_of"})


@dataclass(frozen=True, slots=True)
class Computed:
    """The price as facts, and a table of the parts."""

    facts: Sequence[tuple[str, Any]]
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]


def explain_fee(fee: Fee) -> Computed:
    """What is kept beside a fee, for reading."""
    price = [step for step in fee.details if FACTS & step.keys()]
    parts = [step for step in fee.details if step not in price]
    facts = [
        (name, value)
        for step in price
        for name, value in {**step, **step.get("properties", {})}.items()
        if not isinstance(value, dict | list)
    ]
    return tabulate(facts, parts)


def tabulate(facts: Sequence[tuple[str, Any]], parts: Sequence[Mapping[str, Any]]) -> Computed:
    """The parts as a table with the columns that any of them has."""
    names = [name for name, _ in COLUMNS if any(name in part for part in parts)]
    titles = dict(COLUMNS)
    rows = [[_show(part, name) for name in names] for part in parts]
    return Computed(facts, [titles[name] for name in names], rows)


def _show(part: Mapping[str, Any], name: str) -> Any:
    if name == "to_value" and name in part and part[name] is None:
        return "∞"
    return part.get(name, "")
