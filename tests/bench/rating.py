"""Goal 7: rating a month against the aggregation of its events, when nothing has changed and when all is new."""

from time import perf_counter

from tests.bench.goal import Goal
from tests.bench.month import CHARGES, EVENTS, LABEL, SUBSCRIPTIONS, clear_rated, fill, note_sizes
from tests.bench.stage import Stage

FEES = SUBSCRIPTIONS * CHARGES
AGGREGATE = """
SELECT external_subscription_id, code, count(*), sum(quantity) FROM ingest_usageevent
WHERE service_id = %s AND timestamp >= '2026-09-01+00' AND timestamp < '2026-10-01+00'
GROUP BY external_subscription_id, code
"""


def aggregate_a_month(stage: Stage) -> float:
    """Sums per second, of each subscription and charge, by the database alone."""
    from django.db import connection

    service = fill(stage)
    started = perf_counter()
    with connection.cursor() as cursor:
        cursor.execute(AGGREGATE, [service.pk])
        cursor.fetchall()
    return FEES / (perf_counter() - started)


def rate_a_rated_month(stage: Stage) -> float:
    """Fees per second, from usage as it was metered, compared with what is stored: nothing is written."""
    return _rate(stage, EVENTS, is_new=False)


def rate_four_times_the_events(stage: Stage) -> float:
    """The same fees from four times the events."""
    return _rate(stage, 4 * EVENTS, is_new=False)


def rate_a_new_month(stage: Stage) -> float:
    """Fees per second that are written for the first time."""
    return _rate(stage, EVENTS, is_new=True)


def meter_a_new_month(stage: Stage) -> float:
    """Rows of usage per second that are written for the first time."""
    from django.utils import timezone

    from ingest.usage import meter_period

    service = fill(stage)
    clear_rated()
    started = perf_counter()
    meter_period(service=service, period_label=LABEL, now=timezone.now())
    return FEES / (perf_counter() - started)


def _rate(stage: Stage, events: int, *, is_new: bool) -> float:
    from django.utils import timezone

    from ingest.fees import rate_period
    from ingest.usage import meter_period

    service = fill(stage, events)
    clear_rated()
    meter_period(service=service, period_label=LABEL, now=timezone.now())
    if not is_new:
        rate_period(service=service, period_label=LABEL, now=timezone.now())
        note_sizes()
    started = perf_counter()
    rate_period(service=service, period_label=LABEL, now=timezone.now())
    return FEES / (perf_counter() - started)


GOALS = (
    Goal(
        number=7,
        title="rating 20,000 subscriptions × 5 charges ÷ the aggregation alone, time",
        over=aggregate_a_month,
        under=rate_a_rated_month,
        goal=2.0,
        stretch=1.3,
        is_ceiling=True,
    ),
    Goal(
        number=14,
        title="the same when every fee is new ÷ metering when all usage is, time",
        over=meter_a_new_month,
        under=rate_a_new_month,
        goal=2.0,
        stretch=1.3,
        is_ceiling=True,
    ),
    Goal(
        number=15,
        title="rating a month of four times the events ÷ of once, time",
        over=rate_a_rated_month,
        under=rate_four_times_the_events,
        goal=1.2,
        stretch=1.05,
        is_ceiling=True,
    ),
)
