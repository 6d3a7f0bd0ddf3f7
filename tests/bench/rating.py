"""Goal 7: rating a month against the aggregation of its events in the database alone."""

from time import perf_counter

from tests.bench.goal import Goal
from tests.bench.month import CHARGES, LABEL, SUBSCRIPTIONS, fill
from tests.bench.stage import Stage

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
    return SUBSCRIPTIONS * CHARGES / (perf_counter() - started)


def rate_a_month(stage: Stage) -> float:
    """Fees per second, from usage as it was metered."""
    from django.utils import timezone

    from ingest.fees import rate_period
    from ingest.usage import meter_period

    service = fill(stage)
    meter_period(service=service, period_label=LABEL, now=timezone.now())
    started = perf_counter()
    rate_period(service=service, period_label=LABEL, now=timezone.now())
    return SUBSCRIPTIONS * CHARGES / (perf_counter() - started)


GOAL = Goal(
    number=7,
    title="rating 20,000 subscriptions × 5 charges ÷ the aggregation alone, time",
    over=aggregate_a_month,
    under=rate_a_month,
    goal=2.0,
    stretch=1.3,
    is_ceiling=True,
)
