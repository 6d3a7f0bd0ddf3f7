"""Metering in the database: it agrees with the pure room, writes only what changed, and loses no digit."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from threading import Event, Thread
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest import usage
from ingest.metering.aggregation.contract import MetricRule, Span
from ingest.metering.aggregation.registry import aggregate
from ingest.metering.events import MeteredEvent
from ingest.metering.periods import PeriodLabelError
from ingest.models import Aggregation, Usage
from ingest.usage import meter_period
from ingest.windows import windows_of
from tests import factories
from tests.ingest.selling import NOW, add_charge, make_subscription, post

pytestmark = pytest.mark.django_db

START, END = factories.PERIOD_START, factories.PERIOD_END
MICROSECOND = timedelta.resolution
LABEL = factories.PERIOD_LABEL


def at(day, hour=0, *rest):
    return datetime(2026, 9, day, hour, *rest, tzinfo=UTC)


def meter(subscription, now=NOW, **values):
    return meter_period(service=subscription.service, period_label=LABEL, now=now, **values)


def usage_of(subscription):
    """Quantity and count of events by the metric's code."""
    rows = Usage.objects.filter(subscription=subscription).select_related("charge__metric")
    return {row.charge.metric.code: (row.quantity, row.events_count) for row in rows}


class TestAgreementWithThePureRoom:
    EVENT = """
        INSERT INTO ingest_usageevent
            (service_id, external_subscription_id, transaction_id, code, timestamp, properties, quantity)
        VALUES (%s, %s, %s, %s, %s, %s::jsonb,
            CASE WHEN %s THEN numeric_property(%s::jsonb, 'value') END)
    """
    VALUES = st.one_of(
        st.integers(-(10**30), 10**30).map(str),
        st.decimals(allow_nan=False, allow_infinity=False, places=12).map(lambda number: f"{number:f}"),
        st.sampled_from(["1e5", "1.50", "-0.0", "2E-7", "1e999", "1e1001", "true", "null", "{}", "[3]"]),
        st.sampled_from(
            [
                "7",
                "007",
                "-2.50",
                "5e3",
                "+5",
                ".5",
                "5.",
                " 5",
                "5\n",
                "٣",
                "1,5",
                "",
                "Infinity",
                "9" * 1001,
            ]
        ).map(json.dumps),
        st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=4).map(
            json.dumps
        ),
    )
    EDGES = (START, END, at(10, 8, 0, 0, 500), at(20, 17, 30))
    TIMES = st.one_of(
        st.datetimes(datetime(2026, 8, 30), datetime(2026, 10, 2)).map(lambda time: time.replace(tzinfo=UTC)),
        st.builds(
            lambda edge, microseconds: edge + timedelta(microseconds=microseconds),
            st.sampled_from(EDGES),
            st.integers(-1001, 1001),
        ),
    )
    EVENTS = st.lists(
        st.fixed_dictionaries(
            {
                "at": TIMES,
                "properties": st.one_of(
                    VALUES.map('{{"value": {}}}'.format), st.just("{}"), VALUES.map('{{"other": {}}}'.format)
                ),
                "place": st.sampled_from(["ours", "ours", "ours", "theirs", "nowhere", "other service"]),
                "code": st.sampled_from(["api", "api", "calls", "unknown"]),
                "is_read_at_intake": st.booleans(),
            }
        ),
        max_size=25,
    )

    @settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        events=EVENTS,
        started_at=st.sampled_from([datetime(2026, 1, 1, tzinfo=UTC), EDGES[2]]),
        terminated_at=st.sampled_from([None, EDGES[3]]),
    )
    def test_random_events_give_the_same_usage(self, db, events, started_at, terminated_at):
        with transaction.atomic():
            subscription = make_subscription(
                external_id="ours", started_at=started_at, terminated_at=terminated_at
            )
            add_charge(subscription, "api")
            add_charge(subscription, "calls", aggregation=Aggregation.COUNT)
            other = factories.ServiceFactory()
            for number, event in enumerate(events):
                self.insert(number, event, subscription.service if "other" not in event["place"] else other)
            meter(subscription)
            assert usage_of(subscription) == self.expect(subscription, events)
            transaction.set_rollback(True)

    def insert(self, number, event, service):
        place = {"nowhere": None, "theirs": "theirs"}.get(event["place"], "ours")
        properties, is_read = event["properties"], event["is_read_at_intake"] and event["code"] == "api"
        with connection.cursor() as cursor:
            cursor.execute(
                self.EVENT,
                [service.pk, place, str(number), event["code"], event["at"], properties, is_read, properties],
            )

    def expect(self, subscription, events):
        (window,) = windows_of(service=subscription.service, period_label=LABEL)
        result = {}
        for code, aggregation in (("api", "sum_agg"), ("calls", "count_agg")):
            ours = [
                MeteredEvent(event["at"], number, json.loads(event["properties"], parse_float=Decimal))
                for number, event in enumerate(events)
                if event["place"] == "ours" and event["code"] == code
            ]
            span = Span(window.counts_from, window.counts_to, 30, ZoneInfo("UTC"))
            metered = aggregate(rule=MetricRule(aggregation, "value"), events=ours, span=span)
            if metered.events_count:
                result[code] = (metered.quantity, metered.events_count)
        return result


class TestWhichEventsCount:
    @pytest.mark.parametrize(
        ("moment", "is_counted"),
        [
            (START - MICROSECOND, False),
            (START, True),
            (END - MICROSECOND, True),
            (END, False),
        ],
    )
    def test_a_period_holds_its_start_and_not_its_end(self, moment, is_counted):
        subscription = make_subscription()
        add_charge(subscription)
        post(subscription, moment, "1")
        meter(subscription)
        assert usage_of(subscription) == ({"api": (1, 1)} if is_counted else {})

    @pytest.mark.parametrize(("microsecond", "is_counted"), [(0, True), (500, True), (999_999, False)])
    def test_the_start_is_compared_at_millisecond_precision(self, microsecond, is_counted):
        subscription = make_subscription(started_at=at(10, 8, 0, 0, 700))
        add_charge(subscription)
        moment = at(10, 8, 0, 0, microsecond) - (
            timedelta(seconds=1) if microsecond == 999_999 else timedelta(0)
        )
        post(subscription, moment, "1")
        meter(subscription)
        assert bool(usage_of(subscription)) is is_counted

    def test_an_event_at_the_moment_a_plan_replaces_another_counts_once(self):
        moment = at(10, 8, 0, 0, 500)
        old = make_subscription(external_id="s", terminated_at=moment)
        new = make_subscription(
            service=old.service, customer=old.customer, external_id="s", started_at=moment
        )
        add_charge(old)
        factories.ChargeFactory(plan=new.plan, metric=old.plan.charges.get().metric)
        for microsecond in (0, 499, 500, 501):
            post(old, at(10, 8, 0, 0, microsecond), "1")
        post(old, at(10, 8) - MICROSECOND, "1")
        meter(old)
        assert (usage_of(old), usage_of(new)) == ({"api": (1, 1)}, {"api": (4, 4)})

    def test_an_event_before_its_metric_existed_counts(self):
        subscription = make_subscription()
        post(subscription, at(3), "2.5")
        add_charge(subscription)
        meter(subscription)
        assert usage_of(subscription) == {"api": (Decimal("2.5"), 1)}

    def test_an_event_that_arrived_after_its_period_closed_counts_when_it_is_metered_again(self):
        subscription = make_subscription()
        add_charge(subscription)
        post(subscription, at(3), "2")
        meter(subscription)
        post(subscription, at(4), "3", received_at=NOW + timedelta(days=9))
        assert meter(subscription, NOW + timedelta(days=10)) == 1
        assert usage_of(subscription) == {"api": (5, 2)}

    def test_text_that_is_no_number_is_neither_summed_nor_counted_but_a_count_takes_it(self):
        subscription = make_subscription()
        add_charge(subscription)
        add_charge(subscription, "calls", aggregation=Aggregation.COUNT)
        for value in ("5e3", "many", None, "3"):
            post(subscription, at(3), value)
            post(subscription, at(3), value, code="calls")
        meter(subscription)
        assert usage_of(subscription) == {"api": (3, 1), "calls": (4, 4)}

    def test_a_metric_that_the_plan_does_not_charge_leaves_no_row(self):
        subscription = make_subscription()
        factories.MetricFactory(service=subscription.service, code="api")
        post(subscription, at(3), "2")
        assert meter(subscription) == 0
        assert not Usage.objects.exists()

    def test_every_script_has_digits_but_only_ours_are_numbers(self):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_get_functiondef('numeric_property(jsonb, text)'::regprocedure) ~ '[0-9]'"
                " AND pg_get_functiondef('numeric_property(jsonb, text)'::regprocedure) !~ '\\\\d'"
            )
            assert cursor.fetchone()[0]


class TestExactness:
    @pytest.mark.parametrize(
        "values",
        [
            ["9" * 300, "1"],
            ["0." + "1" * 60, "0." + "2" * 60],
            ["9" * 250 + "." + "7" * 60, "-" + "9" * 250 + "." + "6" * 60],
            ["9" * 1000],
        ],
    )
    def test_extreme_decimals_survive_digit_for_digit(self, values):
        subscription = make_subscription()
        add_charge(subscription)
        for value in values:
            post(subscription, at(3), value)
        meter(subscription)
        assert f"{Usage.objects.get().quantity:f}" == add_by_hand(values)

    def test_a_number_and_its_text_mean_the_same(self):
        subscription = make_subscription()
        add_charge(subscription)
        post(subscription, at(3), 3)
        post(subscription, at(3), "3")
        meter(subscription)
        assert usage_of(subscription) == {"api": (6, 2)}


def add_by_hand(values):
    """The sum of plain decimal texts over integers, free of any decimal context."""
    places = max(len(value.partition(".")[2]) for value in values)
    scaled = sum(
        int(value.replace(".", "") + "0" * (places - len(value.partition(".")[2]))) for value in values
    )
    digits = f"{abs(scaled):0{places + 1}d}"
    text = f"{digits[:-places]}.{digits[-places:]}" if places else digits
    return f"-{text}" if scaled < 0 else text


class TestWhatIsWritten:
    def test_metering_again_writes_no_row(self):
        subscription = make_subscription()
        add_charge(subscription)
        post(subscription, at(3), "2")
        assert meter(subscription) == 1
        before = list(Usage.objects.values())
        assert meter(subscription, NOW + timedelta(days=1)) == 0
        assert list(Usage.objects.values()) == before

    def test_only_the_row_whose_events_changed_is_written(self):
        subscription = make_subscription()
        add_charge(subscription)
        add_charge(subscription, "calls", aggregation=Aggregation.COUNT)
        for code in ("api", "calls"):
            post(subscription, at(3), "2", code=code)
        meter(subscription)
        post(subscription, at(4), "2", code="calls")
        later = NOW + timedelta(hours=1)
        assert meter(subscription, later) == 1
        assert list(
            Usage.objects.filter(computed_at=later).values_list("charge__metric__code", flat=True)
        ) == ["calls"]

    def test_a_month_of_nothing_leaves_no_rows(self):
        subscription = make_subscription()
        add_charge(subscription)
        assert meter(subscription) == 0
        assert not Usage.objects.exists()

    def test_only_the_chosen_customers_are_metered(self):
        first = make_subscription()
        add_charge(first)
        second = factories.SubscriptionFactory(
            customer=factories.CustomerFactory(service=first.service), plan=first.plan
        )
        for subscription in (first, second):
            post(subscription, at(3), "2")
        assert meter(first, customers=[first.customer_id]) == 1
        assert (usage_of(first), usage_of(second)) == ({"api": (2, 1)}, {})

    @pytest.mark.parametrize(
        "end", [at(2), datetime(2026, 8, 15, tzinfo=UTC)], ids=["before", "month before"]
    )
    def test_usage_becomes_zero_when_its_subscription_turns_out_to_have_ended_before(self, end):
        subscription = make_subscription()
        add_charge(subscription)
        post(subscription, at(3), "2")
        meter(subscription)
        subscription.terminated_at = end
        subscription.save()
        assert meter(subscription) == 1
        assert usage_of(subscription) == {"api": (0, 0)}
        assert meter(subscription) == 0

    def test_usage_becomes_zero_when_the_plan_has_no_charge_for_it_any_more(self):
        subscription = make_subscription()
        add_charge(subscription)
        post(subscription, at(3), "2")
        meter(subscription)
        subscription.plan = factories.PlanFactory(service=subscription.service)
        subscription.save()
        assert meter(subscription) == 1
        assert usage_of(subscription) == {"api": (0, 0)}

    def test_usage_of_others_stays_when_some_customers_are_metered(self):
        subscription = make_subscription()
        add_charge(subscription)
        post(subscription, at(3), "2")
        meter(subscription)
        subscription.plan = factories.PlanFactory(service=subscription.service)
        subscription.save()
        other = factories.CustomerFactory(service=subscription.service)
        assert meter(subscription, customers=[other.pk]) == 0
        assert usage_of(subscription) == {"api": (2, 1)}

    def test_a_moved_time_zone_moves_the_period_and_leaves_nothing_counted_twice(self):
        subscription = make_subscription()
        add_charge(subscription)
        post(subscription, at(3), "2")
        meter(subscription)
        subscription.service.timezone = "America/Toronto"
        subscription.service.save()
        assert meter(subscription) == 2
        assert sorted(Usage.objects.values_list("period_start", "quantity")) == [
            (START, 0),
            (START + timedelta(hours=4), 2),
        ]

    def test_a_text_that_is_no_label_is_refused_before_anything_is_written(self):
        subscription = make_subscription()
        with pytest.raises(PeriodLabelError):
            meter_period(service=subscription.service, period_label="2026-13", now=NOW)


@pytest.mark.django_db(transaction=True)
def test_a_metering_that_began_earlier_never_writes_older_figures_over_newer_ones(monkeypatch):
    subscription = make_subscription()
    add_charge(subscription)
    post(subscription, at(3), "2")
    has_read, may_go_on = Event(), Event()
    read = usage.windows_of

    def read_and_wait(**values):
        windows = read(**values)
        has_read.set()
        may_go_on.wait(5)
        return windows

    def meter_slowly():
        monkeypatch.setattr(usage, "windows_of", read_and_wait)
        meter(subscription)
        connection.close()

    def meter_quickly():
        meter(subscription)
        connection.close()

    slow, quick = Thread(target=meter_slowly), Thread(target=meter_quickly)
    slow.start()
    assert has_read.wait(5)
    monkeypatch.setattr(usage, "windows_of", read)
    post(subscription, at(4), "3")
    quick.start()
    quick.join(0.3)
    assert quick.is_alive(), "the second one waits for its turn"
    may_go_on.set()
    slow.join(5)
    quick.join(5)
    assert usage_of(subscription) == {"api": (5, 2)}
