"""Metering: a service's events of a period become usage, set-based, in the database."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from ingest.calendar import start_bounds, windows_of
from ingest.models import Service
from ingest.services import lock_service

# The pure rooms define what this computes (`ingest.metering.aggregation`); a property test shows that both agree.
# `quantity` was read at intake; an event older than its metric is read again here (Lago: which events count).
# Only what changed is written, and only metrics that have or had events: a month of nothing leaves no rows.
# What had usage and has none now, because its subscription ended or its charge went, becomes zero.
METER = """
WITH wanted AS (
    SELECT * FROM unnest(
        %(subscriptions)s::bigint[], %(counts_from)s::timestamptz[], %(counts_to)s::timestamptz[],
        %(starts)s::timestamptz[], %(ends)s::timestamptz[]
    ) AS wanted (subscription_id, counts_from, counts_to, period_start, period_end)
), measured AS (
    SELECT wanted.subscription_id, metric.id AS metric_id, wanted.period_start, wanted.period_end,
        CASE metric.aggregation
            WHEN 'count_agg' THEN count(event.id)
            ELSE coalesce(sum(coalesce(event.quantity,
                                       numeric_property(event.properties, metric.field_name))), 0)
        END AS quantity,
        CASE metric.aggregation
            WHEN 'count_agg' THEN count(event.id)
            ELSE count(coalesce(event.quantity, numeric_property(event.properties, metric.field_name)))
        END AS events_count
    FROM wanted
    JOIN ingest_subscription AS subscription ON subscription.id = wanted.subscription_id
    JOIN ingest_charge AS charge ON charge.plan_id = subscription.plan_id
    JOIN ingest_metric AS metric ON metric.id = charge.metric_id
    JOIN ingest_usageevent AS event
        ON event.service_id = subscription.service_id
        AND event.external_subscription_id = subscription.external_id
        AND event.code = metric.code
        AND event.timestamp >= wanted.counts_from
        AND event.timestamp < wanted.counts_to
    GROUP BY wanted.subscription_id, metric.id, wanted.period_start, wanted.period_end
), gone AS (
    UPDATE ingest_usage AS usage SET quantity = 0, events_count = 0, computed_at = %(now)s
    FROM ingest_subscription AS subscription
    WHERE subscription.id = usage.subscription_id AND subscription.service_id = %(service)s
        AND (%(customers)s::bigint[] IS NULL OR subscription.customer_id = ANY(%(customers)s))
        AND usage.period_label = %(label)s AND usage.period_start BETWEEN %(from)s AND %(to)s
        AND (usage.quantity <> 0 OR usage.events_count <> 0)
        -- NOT IN is answered from a hash; the planner, blind to the windows' number, would loop over NOT EXISTS.
        AND (usage.subscription_id, usage.metric_id, usage.period_start) NOT IN (
            SELECT measured.subscription_id, measured.metric_id, measured.period_start FROM measured
        )
    RETURNING 1
), stored AS (
    INSERT INTO ingest_usage AS usage (
        public_id, created_at, subscription_id, metric_id, period_start, period_end, period_label,
        quantity, events_count, computed_at
    )
    SELECT gen_random_uuid(), %(now)s, subscription_id, metric_id, period_start, period_end, %(label)s,
        quantity, events_count, %(now)s
    FROM measured
    ON CONFLICT (subscription_id, metric_id, period_start) DO UPDATE SET
        period_end = excluded.period_end, period_label = excluded.period_label,
        quantity = excluded.quantity, events_count = excluded.events_count,
        computed_at = excluded.computed_at
    WHERE (usage.period_end, usage.period_label, usage.quantity, usage.events_count)
        IS DISTINCT FROM
          (excluded.period_end, excluded.period_label, excluded.quantity, excluded.events_count)
    RETURNING 1
)
SELECT (SELECT count(*) FROM gone) + (SELECT count(*) FROM stored)
"""


@transaction.atomic
def meter_period(
    *, service: Service, period_label: str, now: datetime, customers: Iterable[int] | None = None
) -> int:
    """Aggregates the events of one period of a service, in one statement; returns how many usage rows changed.

    Running it again changes nothing unless something did: events arrived, a subscription ended, a charge
    went. Raises PeriodLabelError.
    """
    earliest, latest = start_bounds(period_label)
    lock_service(service.pk)
    chosen = None if customers is None else list(customers)
    windows = windows_of(service=service, period_label=period_label, customers=chosen)
    parameters: dict[str, Any] = {
        "service": service.pk,
        "customers": chosen,
        "label": period_label,
        "from": earliest,
        "to": latest,
        "subscriptions": [window.subscription.pk for window in windows],
        "counts_from": [window.counts_from for window in windows],
        "counts_to": [window.counts_to for window in windows],
        "starts": [window.period.start for window in windows],
        "ends": [window.period.end for window in windows],
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(METER, parameters)
        return int(cursor.fetchone()[0])
