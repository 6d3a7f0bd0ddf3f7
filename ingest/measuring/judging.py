"""The statement that judges events: which of them metering counts, and why not the others."""

# A task is a subscription's window under one charge. Those of one subscription's id and one code share no instant,
# so that an event has one task at most, the first in which metering counts it: what recurs reaches back to the
# window before.
TASKS = """
WITH price AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(%(prices)s) AS price (
        price_list int, charge_id bigint, code text, aggregation text, field_name text, reaches_back bool,
        ignored jsonb, allowed jsonb, group_keys jsonb
    )
), wanted AS (
    SELECT price.*, subscription.service_id, subscription.external_id, subscription.started_at, period.closes_at,
        greatest(period.starts, date_trunc('milliseconds', subscription.started_at)) AS counts_from,
        least(period.ends, date_trunc('milliseconds', subscription.terminated_at)) AS counts_to,
        price.aggregation = 'weighted_sum_agg' AND EXISTS (
            SELECT FROM ingest_subscription AS earlier
            WHERE earlier.service_id = subscription.service_id AND earlier.external_id = subscription.external_id
                AND earlier.started_at < subscription.started_at AND earlier.canceled_at IS NULL
        ) AS has_predecessor
    FROM unnest(
        %(subscriptions)s::bigint[], %(window_periods)s::int[], %(price_lists)s::int[], %(is_own)s::bool[]
    ) AS given (subscription_id, number, price_list, is_own)
    JOIN unnest(
        %(periods)s::int[], %(starts)s::timestamptz[], %(ends)s::timestamptz[], %(closes_at)s::timestamptz[]
    ) AS period (number, starts, ends, closes_at) ON period.number = given.number
    JOIN ingest_subscription AS subscription ON subscription.id = given.subscription_id
    JOIN price ON price.price_list = given.price_list AND (given.is_own OR price.reaches_back)
), task AS MATERIALIZED (
    SELECT *,
        greatest(
            CASE WHEN reaches_back THEN '-infinity' ELSE counts_from END,
            coalesce(lag(counts_to) OVER same, '-infinity')
        ) AS takes_from,
        CASE WHEN reaches_back
            THEN bool_or(has_predecessor) OVER (same ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)
            ELSE has_predecessor END AS is_carried
    FROM wanted
    WINDOW same AS (PARTITION BY service_id, external_id, code ORDER BY counts_to, charge_id DESC)
)
"""

# What makes an event count is what `ingest.measuring` asks of it; a property test holds the two together. The filters
# are read as `takes_event` reads them, without the cost of calling a function for each event.
JUDGED = """, judged AS (
    SELECT event.id, event.key_id, event.received_at, event.transaction_id, event.external_subscription_id,
        event.code, event.properties, task.allowed, task.group_keys,
        CASE
            WHEN task.code IS NOT NULL AND read.has_value AND read.is_reached THEN CASE
                WHEN event.received_at > task.closes_at THEN 'late'
                WHEN event.timestamp > %(now)s THEN 'future'
                WHEN task.ignored IS NOT NULL AND NOT EXISTS (
                    SELECT FROM jsonb_array_elements(task.ignored) AS other (wanted) WHERE NOT EXISTS (
                        SELECT FROM jsonb_each(other.wanted) AS filter
                        WHERE (filter.value ? (event.properties ->> filter.key)) IS NOT TRUE
                    )
                ) THEN 'filter_default'
                ELSE 'counted' END
            WHEN task.code IS NOT NULL AND NOT read.is_reached THEN 'before_start'
            WHEN task.code IS NOT NULL AND event.properties ->> task.field_name IS NULL THEN 'missing_property'
            WHEN task.code IS NOT NULL THEN 'not_numeric'
            WHEN metric.id IS NULL THEN 'unmatched_code'
            WHEN NOT known.is_known THEN 'unmatched_subscription'
            WHEN known.runs THEN 'unmatched_code'
            WHEN known.has_begun THEN 'after_end'
            ELSE 'before_start'
        END AS verdict
    FROM ingest_usageevent AS event
    LEFT JOIN task ON task.service_id = event.service_id
        AND task.external_id = event.external_subscription_id AND task.code = event.code
        AND event.timestamp >= task.takes_from AND event.timestamp < task.counts_to
    LEFT JOIN ingest_metric AS metric
        ON metric.service_id = event.service_id AND metric.code = event.code AND metric.deleted_at IS NULL
    CROSS JOIN LATERAL (
        SELECT CASE task.aggregation
                WHEN 'count_agg' THEN true
                WHEN 'unique_count_agg' THEN event.properties ->> task.field_name IS NOT NULL
                ELSE coalesce(event.quantity, numeric_property(event.properties, task.field_name)) IS NOT NULL
            END AS has_value,
            task.aggregation <> 'weighted_sum_agg' OR event.timestamp >= task.started_at OR task.is_carried
                AS is_reached
    ) AS read
    CROSS JOIN LATERAL (
        SELECT count(*) > 0 AS is_known,
            -- What ended before the console took it over is not metered: it begins with the period of that day.
            coalesce(bool_or(
                date_trunc('milliseconds', greatest(started_at, metered_from)) <= event.timestamp
            ), false) AS has_begun,
            coalesce(bool_or(
                date_trunc('milliseconds', greatest(started_at, metered_from)) <= event.timestamp
                AND (terminated_at IS NULL OR date_trunc('milliseconds', terminated_at) > event.timestamp)
            ), false) AS runs
        FROM ingest_subscription
        WHERE service_id = event.service_id AND external_id = event.external_subscription_id AND canceled_at IS NULL
            AND task.code IS NULL
    ) AS known
    WHERE {chosen}
)
"""

# In which months, as far as UTC has them, a subscription's events lie.
SPANS = """
SELECT service_id, external_subscription_id, min(timestamp), max(timestamp)
FROM ingest_usageevent AS event
WHERE {chosen} AND external_subscription_id IS NOT NULL
GROUP BY service_id, external_subscription_id, date_trunc('month', timestamp, 'UTC')
"""

READ = "SELECT id, verdict FROM judged"
FIND = "SELECT id FROM judged WHERE verdict = %(verdict)s ORDER BY id DESC LIMIT %(limit)s"
COUNT = """
SELECT verdict, code, external_subscription_id, key_id, count(*) FROM judged
GROUP BY verdict, code, external_subscription_id, key_id ORDER BY count(*) DESC, 1, 2, 3, 4
"""
COUNT_BY_KEY = "SELECT key_id, verdict, count(*) FROM judged GROUP BY key_id, verdict"

# Lago: events.errors. A list may hold an event twice over: one that lacks a group may have a foreign filter value.
ERRORS = """
SELECT error.name, judged.transaction_id
FROM judged CROSS JOIN LATERAL (VALUES
    ('invalid_code', judged.verdict = 'unmatched_code'),
    ('missing_aggregation_property', judged.verdict IN ('missing_property', 'not_numeric')),
    ('missing_group_key', EXISTS (
        SELECT FROM jsonb_array_elements_text(judged.group_keys) AS key WHERE judged.properties ->> key IS NULL
    )),
    ('invalid_filter_values', EXISTS (
        SELECT FROM jsonb_each(judged.allowed) AS filter
        WHERE NOT filter.value ? (judged.properties ->> filter.key)
    ))
) AS error (name, is_one)
WHERE error.is_one
ORDER BY judged.id
"""


def compose(chosen: str, ask: str) -> str:
    """The whole statement for the events that a condition chooses, and what is asked of the verdicts."""
    return TASKS + JUDGED.format(chosen=chosen) + ask


def compose_spans(chosen: str) -> str:
    """The statement that tells which windows the chosen events need."""
    return SPANS.format(chosen=chosen)
