"""How the filter and the group that a quantity or a fee is of are named, for people and for keys."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from ingest.metering.events import property_text
from ingest.models import Fee, FeeKind, Usage


def describe_bucket(row: Usage | Fee) -> str:
    """The filter's values and the group's, such as `region eu · team a`; empty for what has neither."""
    return describe_parts(row.filter_values, row.grouped_by)


def describe_parts(
    filter_values: Mapping[str, Sequence[str]] | None, grouped_by: Mapping[str, str | None]
) -> str:
    """The filter's values and the group's, as a row has them."""
    parts = [f"{key} {' or '.join(values)}" for key, values in (filter_values or {}).items()]
    parts += [f"{key} {'–' if value is None else value}" for key, value in grouped_by.items()]
    return " · ".join(parts)


def describe_fee(fee: Fee) -> str:
    """What the fee is for, in a few words."""
    sold = str(fee.charge.metric) if fee.charge else str(fee.subscription.plan)
    words = {
        FeeKind.PLAN: ", the plan's base amount",
        FeeKind.USAGE: "",
        FeeKind.LATE: f", late usage of {fee.of_fee.period_label}" if fee.of_fee else "",
    }
    bucket = describe_bucket(fee)
    return sold + words.get(FeeKind(fee.kind), ", up to its minimum") + (f", {bucket}" if bucket else "")


def name_bucket(filter_values: Mapping[str, Any] | None, grouped_by: Mapping[str, Any]) -> str:
    """The one text of a filter and a group, as the measuring statement makes it; empty for neither."""
    if filter_values is None and not grouped_by:
        return ""
    text = property_text({"filter": filter_values}, "filter") or ""
    text += property_text({"group": grouped_by}, "group") or ""
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def canonical_group(values: Mapping[str, Any]) -> str:
    """One text for equal groups."""
    return "{}" if not values else json.dumps(values, sort_keys=True)


def canonical(text: str | None) -> str:
    """One text for equal JSON, however it was written; empty for none."""
    return canonical_group(json.loads(text)) if text else ""
