"""Charge filters: which price takes an event (Lago: filters and grouping)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from ingest.metering.events import property_text

# Stands in a filter for every value that the metric allows of the property.
ALL_VALUES = "__ALL_FILTER_VALUES__"

Values = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class ChargeFilter:
    """A price of its own for events whose every named property has one of the values listed for it."""

    key: str
    values: Values


@dataclass(frozen=True, slots=True)
class Bucket:
    """The events that one price takes: those that match, and that none of the ignored filters matches.

    The bucket without a filter is the rest: it matches all, and ignores every filter there is.
    """

    filter: ChargeFilter | None
    matching: Values
    ignored: tuple[Values, ...]

    def takes(self, properties: Mapping[str, object]) -> bool:
        """Whether an event with these properties is this bucket's."""
        return matches(self.matching, properties) and not any(
            matches(values, properties) for values in self.ignored
        )


def matches(wanted: Values, properties: Mapping[str, object]) -> bool:
    """Whether each named property, as text, is one of its values; properties that are not named do not matter."""
    return all(property_text(properties, key) in values for key, values in wanted.items())


def buckets_of(filters: Sequence[ChargeFilter], allowed: Values) -> tuple[Bucket, ...]:
    """A bucket for each filter, in the order they were made, and the rest; `allowed` are the metric's values.

    A filter yields to those that carry all of its properties with overlapping values and say more: by more
    properties, or by a strict subset of its values. Of identical ones the oldest takes all.
    """
    resolved = [(item, resolve(item.values, allowed)) for item in filters]
    buckets = [
        Bucket(
            item,
            values,
            tuple(
                other
                for there, (_, other) in enumerate(resolved)
                if there != here and _yields(values, other, is_older=here < there)
            ),
        )
        for here, (item, values) in enumerate(resolved)
    ]
    return (*buckets, Bucket(None, {}, tuple(values for _, values in resolved)))


def resolve(values: Values, allowed: Values) -> Values:
    """The filter's values with the sentinel for all of them written out."""
    return {
        key: allowed.get(key, ()) if ALL_VALUES in options else tuple(options)
        for key, options in values.items()
    }


def list_values(values: Values) -> dict[str, list[str]]:
    """A filter's values as JSON has them."""
    return {key: list(options) for key, options in values.items()}


def pick_filter(
    filters: Sequence[ChargeFilter], properties: Mapping[str, object], allowed: Values
) -> ChargeFilter | None:
    """The one filter that prices an event on arrival: of those that match, the first with the most properties."""
    found = [item for item in filters if matches(resolve(item.values, allowed), properties)]
    return max(found, key=lambda item: len(item.values), default=None)


def find_overlaps(filters: Sequence[ChargeFilter], allowed: Values) -> list[tuple[str, str]]:
    """The pairs of filters that one event can match without either yielding: it would be counted in both."""
    resolved = [(item.key, resolve(item.values, allowed)) for item in filters]
    return [
        (one, other)
        for (one, left), (other, right) in combinations(resolved, 2)
        if _can_meet(left, right)
        and not _yields(left, right, is_older=True)
        and not _yields(right, left, is_older=False)
    ]


def has_unknown_value(properties: Mapping[str, object], allowed: Values) -> bool:
    """Whether a property that prices may depend on has a value that the metric does not allow."""
    texts = ((property_text(properties, key), values) for key, values in allowed.items())
    return any(text is not None and text not in values for text, values in texts)


def _can_meet(left: Values, right: Values) -> bool:
    """Whether some event matches both; nothing matches a filter that lists no value."""
    return all((*left.values(), *right.values())) and all(
        set(left[key]) & set(right[key]) for key in left.keys() & right.keys()
    )


def _yields(values: Values, other: Values, *, is_older: bool) -> bool:
    """Whether a filter leaves to the other what both match."""
    if not values.keys() <= other.keys() or not all(set(values[key]) & set(other[key]) for key in values):
        return False
    if len(other) > len(values):
        return True
    if all(set(values[key]) == set(other[key]) for key in values):
        return not is_older
    return all(set(other[key]) <= set(values[key]) for key in values)
