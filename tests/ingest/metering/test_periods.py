"""Billing periods on the calendar and from an anniversary, in any time zone."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingest.metering.periods import (
    BillingTime,
    Interval,
    ParsedLabel,
    Period,
    PeriodLabelError,
    active_window,
    billed_days,
    billing_period,
    is_closed,
    next_period,
    parse_label,
    period_by_label,
    previous_period,
)

TORONTO = ZoneInfo("America/Toronto")
UTC_ZONE = ZoneInfo("UTC")
ANCHOR = datetime(2026, 5, 15, 13, 30, tzinfo=UTC)


def grid(interval=Interval.MONTHLY, billing_time=BillingTime.CALENDAR, anchor=ANCHOR, timezone=UTC_ZONE):
    return {
        "interval": interval,
        "billing_time": billing_time,
        "anchor": anchor,
        "timezone": timezone,
    }


def starts_from(anchor, interval, count):
    rules = grid(interval, BillingTime.ANNIVERSARY, anchor)
    period = billing_period(at=anchor, **rules)
    starts = []
    for _ in range(count):
        starts.append(period.start.date().isoformat())
        period = next_period(period=period, **rules)
    return starts


@pytest.mark.parametrize(
    ("interval", "label", "start", "end"),
    [
        (Interval.WEEKLY, "2026-W21", date(2026, 5, 18), date(2026, 5, 25)),
        (Interval.MONTHLY, "2026-05", date(2026, 5, 1), date(2026, 6, 1)),
        (Interval.QUARTERLY, "2026-Q2", date(2026, 4, 1), date(2026, 7, 1)),
        (Interval.SEMIANNUAL, "2026-H1", date(2026, 1, 1), date(2026, 7, 1)),
        (Interval.YEARLY, "2026", date(2026, 1, 1), date(2027, 1, 1)),
    ],
)
def test_a_calendar_period_is_a_whole_unit_of_the_calendar(interval, label, start, end):
    period = billing_period(at=datetime(2026, 5, 20, 9, tzinfo=UTC), **grid(interval))
    assert (period.start.date(), period.end.date(), period.label) == (start, end, label)


def test_a_week_belongs_to_the_year_that_holds_its_thursday():
    period = billing_period(at=datetime(2024, 12, 31, tzinfo=UTC), **grid(Interval.WEEKLY))
    assert (period.label, period.start.date()) == ("2025-W01", date(2024, 12, 30))


def test_a_monthly_anniversary_is_clamped_from_its_own_day_every_time():
    starts = starts_from(datetime(2023, 12, 31, tzinfo=UTC), Interval.MONTHLY, 6)
    assert starts == ["2023-12-31", "2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30", "2024-05-31"]


def test_a_quarterly_anniversary_recovers_its_day_after_a_short_month():
    starts = starts_from(datetime(2022, 1, 31, tzinfo=UTC), Interval.QUARTERLY, 4)
    assert starts == ["2022-01-31", "2022-04-30", "2022-07-31", "2022-10-31"]


def test_a_yearly_anniversary_of_29_february_waits_for_the_leap_year():
    starts = starts_from(datetime(2024, 2, 29, tzinfo=UTC), Interval.YEARLY, 5)
    assert starts == ["2024-02-29", "2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"]


def test_a_weekly_anniversary_keeps_its_weekday():
    starts = starts_from(ANCHOR, Interval.WEEKLY, 3)
    assert starts == ["2026-05-15", "2026-05-22", "2026-05-29"]


def test_an_anniversary_period_is_labelled_by_its_start():
    period = billing_period(at=ANCHOR, **grid(Interval.QUARTERLY, BillingTime.ANNIVERSARY))
    assert period == Period(
        datetime(2026, 5, 15, tzinfo=UTC), datetime(2026, 8, 15, tzinfo=UTC), "2026-05-15"
    )


def test_the_anniversary_is_the_local_day_of_the_start():
    anchor = datetime(2026, 5, 16, 2, tzinfo=UTC)  # still the 15th in Toronto
    rules = grid(Interval.MONTHLY, BillingTime.ANNIVERSARY, anchor, TORONTO)
    assert billing_period(at=anchor, **rules).label == "2026-05-15"


def test_boundaries_are_local_midnights_across_a_clock_change():
    period = billing_period(at=datetime(2026, 3, 20, tzinfo=UTC), **grid(timezone=TORONTO))
    assert period.start == datetime(2026, 3, 1, 5, tzinfo=UTC)
    assert period.end == datetime(2026, 4, 1, 4, tzinfo=UTC)


def test_a_day_whose_midnight_is_skipped_begins_when_the_clock_moves_on():
    cairo = ZoneInfo("Africa/Cairo")  # on 24 April 2026 the clock goes from 00:00 to 01:00
    anchor = datetime(2026, 4, 24, 12, tzinfo=cairo)
    period = billing_period(at=anchor, **grid(Interval.WEEKLY, BillingTime.ANNIVERSARY, anchor, cairo))
    assert period.start == datetime(2026, 4, 23, 22, tzinfo=UTC)
    assert period.start.astimezone(cairo).isoformat() == "2026-04-24T01:00:00+03:00"


def test_an_instant_at_the_end_belongs_to_the_next_period():
    period = billing_period(at=ANCHOR, **grid())
    assert not period.covers(period.end)
    assert next_period(period=period, **grid()).covers(period.end)


def test_naive_datetimes_are_refused():
    with pytest.raises(ValueError, match="aware"):
        billing_period(at=datetime(2026, 5, 20), **grid())


ZONES = st.sampled_from(sorted(available_timezones())).map(ZoneInfo)
INSTANTS = st.datetimes(datetime(1920, 1, 1), datetime(2150, 1, 1), timezones=st.just(UTC))


@given(st.sampled_from(Interval), st.sampled_from(BillingTime), INSTANTS, INSTANTS, ZONES)
# The hour before midnight comes twice, half of it after the first midnight.
@example(
    Interval.WEEKLY,
    BillingTime.ANNIVERSARY,
    datetime(2009, 11, 1, 12, tzinfo=UTC),
    datetime(2009, 11, 1, 2, 45, tzinfo=UTC),
    ZoneInfo("America/St_Johns"),
)
# A whole day is missing.
@example(
    Interval.MONTHLY,
    BillingTime.ANNIVERSARY,
    datetime(2011, 1, 30, 20, tzinfo=UTC),
    datetime(2011, 12, 30, 9, 59, tzinfo=UTC),
    ZoneInfo("Pacific/Apia"),
)
def test_periods_tile_time_without_gap_or_overlap(interval, billing_time, anchor, at, timezone):
    rules = grid(interval, billing_time, anchor, timezone)
    period = billing_period(at=at, **rules)
    following = next_period(period=period, **rules)
    assert period.covers(at)
    assert following.start == period.end
    assert previous_period(period=period, **rules).end == period.start
    assert previous_period(period=following, **rules) == period


@given(st.sampled_from(Interval), st.sampled_from(BillingTime), INSTANTS, INSTANTS, ZONES)
def test_a_label_leads_back_to_its_period(interval, billing_time, anchor, at, timezone):
    rules = grid(interval, billing_time, anchor, timezone)
    period = billing_period(at=at, **rules)
    assert period_by_label(label=period.label, **rules) == period


@given(st.sampled_from(Interval), st.sampled_from(BillingTime), INSTANTS, INSTANTS, ZONES)
def test_every_instant_of_a_period_finds_the_same_period(interval, billing_time, anchor, at, timezone):
    rules = grid(interval, billing_time, anchor, timezone)
    period = billing_period(at=at, **rules)
    for instant in (
        period.start,
        period.start + (period.end - period.start) / 3,
        period.end - timedelta.resolution,
    ):
        assert billing_period(at=instant, **rules) == period


@pytest.mark.parametrize(
    ("label", "start", "interval"),
    [
        ("2026-W53", date(2026, 12, 28), Interval.WEEKLY),
        ("2026-05", date(2026, 5, 1), Interval.MONTHLY),
        ("2026-Q4", date(2026, 10, 1), Interval.QUARTERLY),
        ("2026-H2", date(2026, 7, 1), Interval.SEMIANNUAL),
        ("2026", date(2026, 1, 1), Interval.YEARLY),
        ("2026-05-15", date(2026, 5, 15), None),
    ],
)
def test_a_label_names_its_first_day_and_interval(label, start, interval):
    assert parse_label(label) == ParsedLabel(start, interval)


@pytest.mark.parametrize(
    "label",
    ["", "2026-13", "2026-00", "2025-W53", "2026-W00", "2026-Q5", "2026-H3", "2026-02-30", "2026-5", "26-05",
     "2026-05\n", " 2026-05", "٢٠٢٦-٠٥", "9999", "0000-01", "2026-05-15-01", "latest"],
)  # fmt: skip
def test_a_text_that_is_no_label_is_refused_with_a_code(label):
    with pytest.raises(PeriodLabelError) as refusal:
        parse_label(label)
    assert refusal.value.code == "invalid_period_label"


@pytest.mark.parametrize(
    ("billing_time", "label"),
    [
        (BillingTime.CALENDAR, "2026-Q2"),
        (BillingTime.CALENDAR, "2026-05-01"),
        (BillingTime.ANNIVERSARY, "2026-05"),
        (BillingTime.ANNIVERSARY, "2026-05-14"),
    ],
)
def test_a_label_of_another_grid_gives_no_period(billing_time, label):
    assert period_by_label(label=label, **grid(Interval.MONTHLY, billing_time)) is None


def test_a_period_is_closed_once_its_grace_is_over():
    end = datetime(2026, 6, 1, tzinfo=UTC)
    day = timedelta(hours=24)
    assert not is_closed(period_end=end, grace=day, now=end + day - timedelta.resolution)
    assert is_closed(period_end=end, grace=day, now=end + day)


MAY = billing_period(at=ANCHOR, **grid())


def test_a_subscription_that_ran_all_along_is_active_for_the_whole_period():
    window = active_window(period=MAY, started_at=datetime(2020, 1, 1, tzinfo=UTC), ended_at=None)
    assert window == (MAY.start, MAY.end)


def test_events_count_from_the_instant_of_the_start_to_the_instant_of_the_end():
    ended = datetime(2026, 5, 20, 8, tzinfo=UTC)
    assert active_window(period=MAY, started_at=ANCHOR, ended_at=ended) == (ANCHOR, ended)


@pytest.mark.parametrize(
    ("started_at", "ended_at"),
    [(MAY.end, None), (datetime(2026, 1, 1, tzinfo=UTC), MAY.start)],
)
def test_a_subscription_outside_the_period_has_no_window(started_at, ended_at):
    assert active_window(period=MAY, started_at=started_at, ended_at=ended_at) is None


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [
        (datetime(2026, 3, 1, tzinfo=TORONTO), datetime(2026, 4, 1, tzinfo=TORONTO), 31),
        (datetime(2026, 3, 8, 23, 59, tzinfo=TORONTO), datetime(2026, 4, 1, tzinfo=TORONTO), 24),
        (datetime(2026, 3, 8, tzinfo=TORONTO), datetime(2026, 3, 9, tzinfo=TORONTO), 1),
        (datetime(2026, 3, 8, tzinfo=TORONTO), datetime(2026, 3, 9, 0, 0, 1, tzinfo=TORONTO), 2),
    ],
)
def test_a_touched_local_day_is_billed_whole(start, end, days):
    assert billed_days(start=start, end=end, timezone=TORONTO) == days


@given(st.sampled_from(Interval), INSTANTS, ZONES, st.fractions(0, 1))
def test_days_before_and_after_a_midnight_add_up_to_the_period(interval, at, timezone, share):
    period = billing_period(at=at, **grid(interval, timezone=timezone))
    whole = billed_days(start=period.start, end=period.end, timezone=timezone)
    first = period.start.astimezone(timezone).date()
    day = first + timedelta(days=1 + int((whole - 2) * share))
    midnight = datetime(day.year, day.month, day.day, tzinfo=timezone)
    before = billed_days(start=period.start, end=midnight, timezone=timezone)
    after = billed_days(start=midnight, end=period.end, timezone=timezone)
    assert before + after == whole


@given(
    st.sampled_from(list(Interval)),
    st.datetimes(datetime(2000, 1, 1), datetime(2030, 1, 1)),
    st.datetimes(datetime(2000, 1, 1), datetime(2030, 1, 1)),
    st.sampled_from(["UTC", "America/Toronto", "Asia/Kolkata"]),
)
def test_equal_periods_have_one_label_however_they_came_about(interval, anchor, at, zone):
    """Two labels for one bill would be judged twice, and pushed under one key."""
    timezone = ZoneInfo(zone)
    given = {"interval": interval, "anchor": anchor.replace(tzinfo=timezone), "timezone": timezone}
    at = at.replace(tzinfo=timezone)
    calendar, anniversary = (billing_period(billing_time=each, at=at, **given) for each in BillingTime)
    same_days = (calendar.start, calendar.end) == (anniversary.start, anniversary.end)
    assert (calendar.label == anniversary.label) is same_days


def test_an_anniversary_on_a_first_is_called_like_the_month():
    anchor = datetime(2026, 1, 1, tzinfo=ZoneInfo("UTC"))
    period = billing_period(
        interval=Interval.MONTHLY,
        billing_time=BillingTime.ANNIVERSARY,
        anchor=anchor,
        at=anchor.replace(month=9, day=20),
        timezone=ZoneInfo("UTC"),
    )
    assert period.label == "2026-09"
