"""Lines find their periods by what they were for, and their parts sum to them."""

from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.metering.periods import BillingTime, Interval
from reconciliation.comparison.attribution import (
    AttributionError,
    Calendar,
    Days,
    Money,
    Timing,
    add_up,
    attribute,
    find_days,
    find_timing,
    separate_tax,
    split,
)

TORONTO = ZoneInfo("America/Toronto")
MONTHS = Calendar(TORONTO)
FIFTEENTHS = Calendar(
    TORONTO, Interval.MONTHLY, BillingTime.ANNIVERSARY, datetime(2026, 1, 15, 18, 22, tzinfo=UTC)
)
YEARS = Calendar(TORONTO, Interval.YEARLY)


def money(untaxed, tax="0"):
    return Money(Decimal(untaxed), Decimal(tax), Decimal(untaxed) + Decimal(tax))


def labels(parts):
    return [(part.period.label, part.days, part.money.untaxed) for part in parts]


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [
        # Local midnights in Toronto, on both sides of a clock change.
        ("2026-10-01T04:00:00Z", "2026-11-01T04:00:00Z", Days(date(2026, 10, 1), date(2026, 11, 1))),
        ("2026-11-01T04:00:00Z", "2026-12-01T05:00:00Z", Days(date(2026, 11, 1), date(2026, 12, 1))),
        # The last second of the last day.
        ("2026-10-01T04:00:00Z", "2026-11-01T03:59:59Z", Days(date(2026, 10, 1), date(2026, 11, 1))),
        # From one time of the day to the same.
        ("2026-10-15T18:22:05Z", "2026-11-15T19:22:05Z", Days(date(2026, 10, 15), date(2026, 11, 15))),
        # An instant.
        ("2026-10-15T18:22:05Z", "2026-10-15T18:22:05Z", Days(date(2026, 10, 15), date(2026, 10, 16))),
    ],
)
def test_a_line_is_for_the_local_days_that_its_source_states(start, end, days):
    assert find_days(datetime.fromisoformat(start), datetime.fromisoformat(end), TORONTO) == days


def test_a_line_that_ends_before_it_starts_is_refused():
    with pytest.raises(AttributionError) as refusal:
        find_days(datetime(2026, 10, 2, tzinfo=UTC), datetime(2026, 10, 1, tzinfo=UTC), TORONTO)
    assert refusal.value.code == "ends_before_it_starts"


def test_advance_and_arrears_are_told_apart_by_the_day_of_billing():
    october = Days(date(2026, 10, 1), date(2026, 11, 1))
    assert find_timing(october, date(2026, 10, 1)) is Timing.ADVANCE
    assert find_timing(october, date(2026, 10, 31)) is Timing.ADVANCE
    assert find_timing(october, date(2026, 11, 1)) is Timing.ARREARS


def test_a_line_for_one_period_is_that_periods_whole():
    parts = attribute(
        money("100.00", "13.00"), "CAD", Days(date(2026, 10, 1), date(2026, 11, 1)), [YEARS, MONTHS]
    )
    assert labels(parts) == [("2026-10", 31, Decimal("100.00"))]
    assert parts[0].money == money("100.00", "13.00")


def test_a_line_that_spans_periods_is_split_by_days():
    parts = attribute(money("100.00", "13.00"), "CAD", Days(date(2026, 10, 15), date(2026, 11, 15)), [MONTHS])
    assert labels(parts) == [("2026-10", 17, Decimal("54.84")), ("2026-11", 14, Decimal("45.16"))]
    assert [part.money.tax for part in parts] == [Decimal("7.13"), Decimal("5.87")]


def test_a_line_follows_the_calendar_whose_period_it_is_for():
    days = Days(date(2026, 10, 15), date(2026, 11, 15))
    assert labels(attribute(money("9.99"), "CAD", days, [MONTHS, YEARS, FIFTEENTHS])) == [
        ("2026-10-15", 31, Decimal("9.99"))
    ]
    a_proration = Days(date(2026, 10, 20), date(2026, 11, 15))
    assert labels(attribute(money("-3.00"), "CAD", a_proration, [YEARS, FIFTEENTHS])) == [
        ("2026-10-15", 26, Decimal("-3.00"))
    ]


def test_a_total_alone_stays_a_total_alone():
    parts = attribute(
        Money(None, None, Decimal(31)), "JPY", Days(date(2026, 10, 1), date(2026, 11, 2)), [MONTHS]
    )
    assert [part.money for part in parts] == [
        Money(None, None, Decimal(30)),
        Money(None, None, Decimal(1)),
    ]


def test_a_line_for_more_than_a_century_is_refused():
    with pytest.raises(AttributionError) as refusal:
        attribute(money("1"), "CAD", Days(date(1900, 1, 1), date(2026, 1, 1)), [MONTHS])
    assert refusal.value.code == "too_long"


def test_inclusive_tax_is_taken_out_of_the_price_and_exclusive_tax_put_on_top():
    inclusive = separate_tax(Decimal("113.00"), discounts=[], inclusive=[Decimal("13.00")], exclusive=[])
    assert inclusive == money("100.00", "13.00")
    exclusive = separate_tax(
        Decimal("120.00"), discounts=[Decimal("20.00")], inclusive=[], exclusive=[Decimal("5"), Decimal("8")]
    )
    assert exclusive == money("100.00", "13")


def test_a_sum_leaves_unsaid_what_one_line_leaves_unsaid():
    assert add_up([money("1", "2"), Money(Decimal(3), None, None)]) == Money(Decimal(4), None, None)


AMOUNTS = st.decimals(min_value=-(10**9), max_value=10**9, places=4)
CURRENCIES = st.sampled_from(["CAD", "JPY", "KWD", "ISK"])
DAYS = st.dates(date(2020, 1, 1), date(2030, 1, 1))
CALENDARS = st.builds(
    Calendar,
    st.sampled_from([TORONTO, ZoneInfo("Pacific/Auckland"), ZoneInfo("UTC")]),
    st.sampled_from(Interval),
    st.sampled_from(BillingTime),
    st.datetimes(datetime(2020, 1, 1), datetime(2026, 1, 1), timezones=st.just(UTC)),
)


@given(AMOUNTS, AMOUNTS, CURRENCIES, st.tuples(DAYS, DAYS).filter(lambda pair: pair[0] != pair[1]), CALENDARS)
def test_the_parts_of_a_line_sum_to_it_and_tile_its_days(untaxed, tax, currency, pair, calendar):
    days = Days(*sorted(pair))
    whole = Money(untaxed, tax, untaxed + tax)
    parts = attribute(whole, currency, days, [calendar])
    assert add_up(part.money for part in parts) == whole
    assert sum(part.days for part in parts) == days.count
    assert all(part.money.total == part.money.untaxed + part.money.tax for part in parts)
    for one, following in pairwise(parts):
        assert one.period.end == following.period.start


@given(st.integers(-(10**9), 10**9), st.lists(st.integers(0, 400), min_size=1).filter(any))
def test_no_part_is_further_than_a_minor_unit_from_its_share_or_has_the_other_sign(cents, weights):
    amount = Decimal(cents).scaleb(-2)
    parts = split(amount, weights, "CAD")
    assert sum(parts) == amount
    for part, weight in zip(parts, weights, strict=True):
        assert part * amount >= 0
        assert abs(part - amount * weight / sum(weights)) <= Decimal("0.01")


def test_nothing_to_split_over_is_refused():
    with pytest.raises(AttributionError) as refusal:
        split(Decimal(1), [0, 0], "CAD")
    assert refusal.value.code == "no_weight"
