"""Events and spans as the tests of metering write them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from ingest.metering.aggregation.contract import MetricRule, Span
from ingest.metering.aggregation.registry import aggregate
from ingest.metering.events import MeteredEvent

TORONTO = ZoneInfo("America/Toronto")
UTC_ZONE = ZoneInfo("UTC")


def at(text):
    """An instant, such as `05-14 12:30`, of the year 2026."""
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=UTC)


MAY = Span(at("05-01"), at("06-01"), 31, UTC_ZONE)
# November has 30 days in Toronto, one of them of 25 hours.
NOVEMBER = Span(
    datetime(2026, 11, 1, tzinfo=TORONTO).astimezone(UTC),
    datetime(2026, 12, 1, tzinfo=TORONTO).astimezone(UTC),
    30,
    TORONTO,
)


def event(when, value=None, *, sequence=0, **properties):
    """An event at such a time, its value under `value`."""
    instant = at(when) if isinstance(when, str) else when
    return MeteredEvent(instant, sequence, {"value": value, **properties})


def history(*lines):
    """Events in order of arrival, each `(when, value)` or `(when, value, "remove")`."""
    return [
        event(when, value, sequence=place, **({"operation_type": how[0]} if how else {}))
        for place, (when, value, *how) in enumerate(lines)
    ]


def measure(aggregation, events, *, span=MAY, recurring=False, prorated=False, rounding=None, **options):
    rule = MetricRule(aggregation, "value", is_recurring=recurring, rounding=rounding)
    return aggregate(rule=rule, events=events, span=span, is_prorated=prorated, **options)


NUMBERS = st.decimals(-1000, 1000, places=3)
# Before, inside and after November, on its edges, and often at one instant.
INSTANTS = st.one_of(
    st.datetimes(datetime(2026, 10, 10), datetime(2026, 12, 5), timezones=st.just(UTC)),
    st.sampled_from(
        [NOVEMBER.start, NOVEMBER.end, at("11-08 05:00"), at("11-08 06:00"), at("11-09 04:59:59")]
    ),
)


def histories(values, operations=(None,), max_size=12):
    """Events in the order in which they arrive, which is not that of time."""
    line = st.tuples(INSTANTS, values, st.sampled_from(operations))
    return st.lists(line, max_size=max_size).map(
        lambda lines: [
            event(when, value, sequence=place, operation_type=operation)
            for place, (when, value, operation) in enumerate(lines)
        ]
    )
