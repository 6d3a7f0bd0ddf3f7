"""Groups of events by their properties: one fee for each pricing group (Lago: pricing_group_keys), and one line of a
fee's breakdown for each presentation group (Lago: presentation_group_keys)."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from ingest.metering.aggregation.contract import MetricRule, Span
from ingest.metering.aggregation.registry import aggregate
from ingest.metering.arithmetic import ZERO
from ingest.metering.events import MeteredEvent, property_text
from ingest.metering.usage import MeteredUsage

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


def measure_groups(
    *,
    rule: MetricRule,
    events: Iterable[MeteredEvent],
    span: Span,
    keys: Sequence[str],
    is_prorated: bool = False,
    initial_level: Decimal = ZERO,
) -> dict[Group, MeteredUsage]:
    """The usage of each group that has any, each measured and rounded for itself, in order of appearance.

    The units of a presentation breakdown are those of the groups by the pricing keys and the presentation keys
    together. A level that stands from before is usage too. Where there is none there is one group, of what is
    missing. Raises AggregationError.
    """

    def measure(members: Iterable[MeteredEvent]) -> MeteredUsage:
        return aggregate(
            rule=rule, events=members, span=span, is_prorated=is_prorated, initial_level=initial_level
        )

    usages = {group: measure(members) for group, members in split_by_group(events, keys).items()}
    used = {
        group: usage
        for group, usage in usages.items()
        if usage.events_count or usage.quantity or usage.whole_quantity
    }
    return used or {(None,) * len(keys): measure(())}
