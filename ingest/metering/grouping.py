"""Pricing groups: one fee for each combination of the named properties' values (Lago: pricing_group_keys)."""

from collections.abc import Iterable, Mapping, Sequence

from ingest.metering.events import MeteredEvent, property_text

Group = tuple[str | None, ...]


def group_of(properties: Mapping[str, object], keys: Sequence[str]) -> Group:
    """The values of the group's properties, as text; None for what the event lacks."""
    return tuple(property_text(properties, key) for key in keys)


def split_by_group(events: Iterable[MeteredEvent], keys: Sequence[str]) -> dict[Group, list[MeteredEvent]]:
    """The events of each group, groups in the order in which they first appear."""
    groups: dict[Group, list[MeteredEvent]] = {}
    for event in events:
        groups.setdefault(group_of(event.properties, keys), []).append(event)
    return groups
