"""The whole statement: the tasks, and every way of measuring that one of them asks for."""

from collections.abc import Collection, Mapping
from types import MappingProxyType

from ingest.measuring import levels, shares, totals, transactions, unique_values
from ingest.measuring.hits import IN_TIME, hits

MEASURES: Mapping[str, str] = MappingProxyType(
    {
        "total": totals.TOTAL,
        "latest": totals.LATEST,
        "unique": unique_values.UNIQUE,
        "weighted": levels.WEIGHTED,
        "prorated_sum": shares.SUM,
        "prorated_unique": shares.UNIQUE,
        "transactions": transactions.TRANSACTIONS,
    }
)

# What is asked: a task for each window and price. Each subscription has a window; the outer join tells the planner,
# which would take the few windows for few tasks.
TASKS = """
WITH price AS (
    SELECT * FROM jsonb_to_recordset(%(prices)s) AS price (
        price_list int, charge_id bigint, code text, aggregation text, field_name text, reaches_back bool,
        rounding text, rounding_precision int, measure text, walks bool, is_dynamic bool, percentage jsonb,
        filter_values jsonb, matching jsonb, ignored jsonb, group_keys jsonb
    )
), task AS MATERIALIZED (
    SELECT row_number() OVER () AS task_id, spans.*, subscription.id AS subscription_id,
        subscription.external_id, subscription.started_at,
        price.charge_id, price.code, price.aggregation, price.field_name, price.reaches_back, price.rounding,
        price.rounding_precision, price.measure, price.walks, price.is_dynamic, price.percentage,
        price.filter_values, price.matching, price.ignored, price.group_keys
    FROM unnest(%(subscriptions)s::bigint[], %(places)s::int[], %(price_lists)s::int[])
        AS given (subscription_id, place, price_list)
    JOIN price USING (price_list)
    LEFT JOIN unnest(
        %(counts_from)s::timestamptz[], %(counts_to)s::timestamptz[], %(days_to)s::timestamptz[],
        %(closes_at)s::timestamptz[], %(starts)s::timestamptz[], %(ends)s::timestamptz[], %(period_days)s::int[],
        %(timezones)s::text[]
    ) WITH ORDINALITY AS spans (
        counts_from, counts_to, days_to, closes_at, period_start, period_end, period_days, timezone, place
    ) USING (place)
    JOIN ingest_subscription AS subscription ON subscription.id = given.subscription_id
)
"""

# One text tells a task's filters and groups apart.
BUCKET = """CASE WHEN task.filter_values IS NULL AND grouped_by = '{}' THEN ''
            ELSE md5(coalesce(task.filter_values::text, '') || grouped_by::text) END AS bucket"""

# The metric rounds what is priced and what it was before proration, for each filter and group (Lago: rounding
# function).
MEASURED = f""", measured AS (
    SELECT task.subscription_id, task.charge_id, task.period_start, task.period_end, task.filter_values,
        found.grouped_by,
        {BUCKET},
        round_units(coalesce(found.prorated, found.total), task.rounding, task.rounding_precision) AS quantity,
        CASE WHEN found.prorated IS NOT NULL
            THEN round_units(found.total, task.rounding, task.rounding_precision) END AS full_quantity,
        found.events_count, found.late_events_count, found.measures
    FROM task JOIN ({{measures}}) AS found USING (task_id)
)
"""


def compose_measured(measures: Collection[str]) -> str:
    """The common table expressions up to `measured`, with those ways to measure that are asked for."""
    parts = [MEASURES[name] for name in sorted(measures)] or [f"{totals.TOTAL} LIMIT 0"]
    return TASKS + MEASURED.replace("{measures}", "\nUNION ALL\n".join(parts))


ARRIVALS = f"""
SELECT task.subscription_id, task.charge_id, {BUCKET},
    task.filter_values::text, event.transaction_id, event.timestamp, event.properties ->> task.field_name AS field,
    event.properties ->> 'operation_type' AS operation, event.precise_total_amount_cents, read.is_late
{hits("arrival")}
ORDER BY task.task_id, read.grouped_by, {IN_TIME}
"""


def compose_arrivals() -> str:
    """Every single event of the tasks, in time order, for prices that bill each on arrival."""
    return TASKS + ARRIVALS
