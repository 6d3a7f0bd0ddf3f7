"""The pure calendar on rows: which windows a label gives, which periods are closed, where a switch falls."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ingest.calendar import closed_labels, first_period_from, first_period_on, start_bounds
from ingest.metering.periods import PeriodLabelError
from ingest.windows import windows_of
from tests import factories
from tests.ingest.selling import make_subscription

pytestmark = pytest.mark.django_db


def at(*parts):
    return datetime(*parts, tzinfo=UTC)


def bounds(service, label, **values):
    return [
        (window.counts_from, window.counts_to)
        for window in windows_of(service=service, period_label=label, **values)
    ]


class TestWindows:
    def test_a_full_period_counts_from_its_start_to_its_end(self):
        subscription = make_subscription()
        (window,) = windows_of(service=subscription.service, period_label="2026-09")
        assert list(window.subscriptions) == [subscription.pk]
        assert (window.counts_from, window.counts_to) == (at(2026, 9, 1), at(2026, 10, 1))
        assert (window.period.start, window.period.end) == (window.counts_from, window.counts_to)

    def test_a_period_is_cut_where_the_subscription_starts_and_ends(self):
        subscription = make_subscription(started_at=at(2026, 9, 10, 8), terminated_at=at(2026, 9, 20, 17, 30))
        assert bounds(subscription.service, "2026-09") == [(at(2026, 9, 10, 8), at(2026, 9, 20, 17, 30))]

    @pytest.mark.parametrize("label", ["2025-12", "2026-11"])
    def test_a_period_in_which_the_subscription_did_not_run_has_no_window(self, label):
        subscription = make_subscription(terminated_at=at(2026, 10, 15))
        assert bounds(subscription.service, label) == []

    def test_a_label_of_another_interval_has_no_window(self):
        subscription = make_subscription(interval="quarterly")
        assert bounds(subscription.service, "2026-09") == []
        assert bounds(subscription.service, "2026-Q3") == [(at(2026, 7, 1), at(2026, 10, 1))]

    def test_the_customers_time_zone_decides_and_else_the_services(self):
        service = factories.ServiceFactory(timezone="America/Toronto")
        there = factories.CustomerFactory(service=service, timezone="Asia/Tokyo")
        make_subscription(service=service)
        make_subscription(service=service, customer=there)
        assert sorted(bounds(service, "2026-09")) == [
            (at(2026, 8, 31, 15), at(2026, 9, 30, 15)),
            (at(2026, 9, 1, 4), at(2026, 10, 1, 4)),
        ]

    def test_only_the_chosen_customers_and_the_services_own_have_windows(self):
        subscription = make_subscription()
        make_subscription(service=subscription.service)
        make_subscription()
        assert len(bounds(subscription.service, "2026-09")) == 2
        assert len(bounds(subscription.service, "2026-09", customers=[subscription.customer_id])) == 1
        assert bounds(subscription.service, "2026-09", customers=[]) == []

    def test_a_replaced_subscription_ends_on_the_millisecond_on_which_the_next_one_starts(self):
        service, moment = factories.ServiceFactory(), at(2026, 9, 10, 8, 0, 0, 500)
        old = make_subscription(service=service, external_id="s", terminated_at=moment)
        make_subscription(service=service, external_id="s", customer=old.customer, started_at=moment)
        whole = at(2026, 9, 10, 8)
        assert sorted(bounds(service, "2026-09")) == [(at(2026, 9, 1), whole), (whole, at(2026, 10, 1))]

    def test_an_anniversary_period_is_found_by_its_first_day(self):
        subscription = make_subscription(started_at=at(2026, 1, 15), billing_time="anniversary")
        assert bounds(subscription.service, "2026-09") == []
        assert bounds(subscription.service, "2026-09-15") == [(at(2026, 9, 15), at(2026, 10, 15))]

    def test_a_text_that_is_no_label_is_refused(self):
        with pytest.raises(PeriodLabelError):
            windows_of(service=make_subscription().service, period_label="last month")

    @pytest.mark.parametrize(
        ("label", "zone"),
        [("2026-09", "Pacific/Kiritimati"), ("2026-09", "Pacific/Pago_Pago"), ("2026-W40", "Asia/Kathmandu")],
    )
    def test_every_zones_period_starts_within_the_bounds_of_its_label(self, label, zone):
        interval = "weekly" if "W" in label else "monthly"
        service = factories.ServiceFactory(timezone=zone)
        make_subscription(service=service, interval=interval)
        (window,) = windows_of(service=service, period_label=label)
        earliest, latest = start_bounds(label)
        assert earliest <= window.period.start <= latest


class TestClosedLabels:
    def test_periods_close_when_their_grace_is_over(self):
        service = make_subscription(started_at=at(2026, 7, 20)).service
        assert closed_labels(service=service, now=at(2026, 10, 1, 23, 59)) == ["2026-07", "2026-08"]
        assert closed_labels(service=service, now=at(2026, 10, 2)) == ["2026-07", "2026-08", "2026-09"]

    def test_no_period_is_listed_after_the_last_subscription_ended(self):
        service = make_subscription(started_at=at(2026, 6, 1), terminated_at=at(2026, 8, 1)).service
        assert closed_labels(service=service, now=at(2026, 12, 1)) == ["2026-06", "2026-07"]

    def test_labels_of_all_calendars_come_in_the_order_of_their_starts(self):
        service = factories.ServiceFactory()
        make_subscription(service=service, started_at=at(2026, 9, 1))
        make_subscription(service=service, started_at=at(2026, 9, 8), interval="weekly")
        make_subscription(service=service, started_at=at(2026, 8, 20), billing_time="anniversary")
        assert closed_labels(service=service, now=at(2026, 10, 3)) == [
            "2026-08-20",
            "2026-09",
            "2026-W37",
            "2026-W38",
            "2026-W39",
        ]

    @pytest.mark.parametrize(
        ("zone", "label"), [("UTC", "2026-08-20"), ("Asia/Tokyo", "2026-08-21"), ("", "2026-08-19")]
    )
    def test_an_anniversary_is_the_day_where_its_customer_is(self, zone, label):
        service = factories.ServiceFactory(timezone="Pacific/Honolulu")
        customer = factories.CustomerFactory(service=service, timezone=zone)
        start = {"UTC": at(2026, 8, 20, 23), "Asia/Tokyo": at(2026, 8, 20, 23), "": at(2026, 8, 20, 3)}[zone]
        make_subscription(service=service, customer=customer, started_at=start, billing_time="anniversary")
        assert closed_labels(service=service, now=at(2026, 10, 3)) == [label]

    def test_anniversaries_of_one_day_are_walked_once(self, monkeypatch):
        service = factories.ServiceFactory()
        for hour in range(6):
            make_subscription(service=service, started_at=at(2026, 8, 20, hour), billing_time="anniversary")
        steps = []
        from ingest import calendar

        following = calendar.next_period
        monkeypatch.setattr(calendar, "next_period", lambda **values: steps.append(1) or following(**values))
        assert closed_labels(service=service, now=at(2026, 10, 3)) == ["2026-08-20"]
        assert len(steps) == 1

    def test_a_service_without_subscriptions_has_none(self):
        assert closed_labels(service=factories.ServiceFactory(), now=at(2026, 10, 3)) == []

    def test_a_thousand_subscriptions_of_one_calendar_are_walked_once(self, monkeypatch):
        subscription = make_subscription(started_at=at(2020, 1, 1))
        make = factories.SubscriptionFactory.build_batch
        rows = make(
            1000, customer=subscription.customer, plan=subscription.plan, service=subscription.service
        )
        type(subscription).objects.bulk_create(rows)
        steps = []
        from ingest import calendar

        following = calendar.next_period
        monkeypatch.setattr(calendar, "next_period", lambda **values: steps.append(1) or following(**values))
        with CaptureQueriesContext(connection) as queries:
            assert len(closed_labels(service=subscription.service, now=at(2026, 10, 3))) == 81
        assert (len(steps), len(queries)) == (81, 1)


class TestSwitchingPeriods:
    def test_a_period_that_starts_on_the_instant_is_the_first(self):
        subscription = make_subscription()
        assert first_period_from(subscription, at(2026, 10, 1)).label == "2026-10"
        assert first_period_from(subscription, at(2026, 10, 1) + timedelta.resolution).label == "2026-11"

    @pytest.mark.parametrize(
        ("zone", "start"),
        [
            ("America/Vancouver", at(2026, 11, 1, 7)),
            ("America/Toronto", at(2026, 11, 1, 4)),
            ("America/Halifax", at(2026, 11, 1, 3)),
            ("Pacific/Auckland", at(2026, 10, 31, 11)),
        ],
    )
    def test_a_date_is_the_customers_own_midnight(self, zone, start):
        service = factories.ServiceFactory(timezone="America/Toronto")
        customer = factories.CustomerFactory(service=service, timezone=zone)
        subscription = make_subscription(service=service, customer=customer)
        assert first_period_on(subscription, date(2026, 11, 1)).start == start

    @pytest.mark.parametrize(
        ("values", "label"),
        [
            ({}, "2026-12"),
            ({"interval": "weekly"}, "2026-W46"),
            ({"interval": "yearly"}, "2027"),
            ({"billing_time": "anniversary", "started_at": at(2026, 1, 31)}, "2026-11-30"),
        ],
    )
    def test_it_is_the_first_start_on_or_after_the_date_for_each_interval(self, values, label):
        assert first_period_on(make_subscription(**values), date(2026, 11, 5)).label == label
