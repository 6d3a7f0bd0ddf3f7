"""Recurring quantities by the days they were there (Lago: proration)."""

from ingest.measuring.hits import IN_TIME, hits

DAY = "(event.timestamp AT TIME ZONE task.timezone)::date"
FIRST_DAY = "(task.counts_from AT TIME ZONE task.timezone)::date"
LAST_DAY = "((task.days_to - interval '1 microsecond') AT TIME ZONE task.timezone)::date"

# What was there before the window counts for all of its days. A price that walks through the events is given two
# steps a day: up to the day's highest level, and on to its last. All of a day's units have the same share, so the
# steps that are left out between them change nothing. Day 0 is all that came before, one step.
SUM = f"""(
WITH hit AS (
    SELECT task.task_id, read.grouped_by, task.period_days, task.walks, read.value, read.is_late,
        CASE WHEN event.timestamp < task.counts_from THEN 0 ELSE {DAY} - {FIRST_DAY} + 1 END AS day,
        {LAST_DAY} - greatest({DAY}, {FIRST_DAY}) + 1 AS days,
        row_number() OVER in_time AS place,
        CASE WHEN task.walks THEN sum(read.value) OVER in_time END AS level
    {hits("prorated_sum")} AND read.value IS NOT NULL
    WINDOW in_time AS (PARTITION BY task.task_id, read.grouped_by ORDER BY {IN_TIME})
), day AS (
    SELECT task_id, grouped_by, period_days, walks, day, days, sum(value) AS total, count(*) AS events_count,
        count(*) FILTER (WHERE is_late) AS late_events_count,
        (array_agg(level ORDER BY place DESC))[1] AS last,
        CASE WHEN day > 0 THEN greatest(max(level), (array_agg(level - value ORDER BY place))[1]) END AS peak
    FROM hit GROUP BY task_id, grouped_by, period_days, walks, day, days
)
SELECT task_id, grouped_by, sum(total) AS total,
    ceil_quotient(sum(total * days), period_days, 5) AS prorated,
    sum(events_count)::bigint AS events_count, sum(late_events_count)::bigint AS late_events_count,
    CASE WHEN walks THEN (
        SELECT jsonb_build_object('steps', jsonb_agg(jsonb_build_array(step.value::text, step.days)
            ORDER BY step.day, step.part))
        FROM unnest(array_agg(day), array_agg(days), array_agg(total), array_agg(last), array_agg(peak))
            AS each (day, days, total, last, peak),
        LATERAL (VALUES
            (day, days, 1, coalesce(peak, last) - (last - total)), (day, days, 2, last - coalesce(peak, last))
        ) AS step (day, days, part, value)
    ) END AS measures
FROM day GROUP BY task_id, grouped_by, period_days, walks
)"""

# A value is in from an add to the next remove. The days of both count, and a day counts once however often the
# value came and went on it. A repeated add or remove changes nothing, nor does a remove of what was never there.
UNIQUE = f"""(
WITH hit AS MATERIALIZED (
    SELECT task.task_id, read.grouped_by, task.period_days, task.walks, task.counts_from, read.is_late,
        event.properties ->> task.field_name AS value, event.timestamp, {DAY} AS day,
        {FIRST_DAY} AS first_day, {LAST_DAY} AS last_day,
        event.properties ->> 'operation_type' IS DISTINCT FROM 'remove' AS is_add,
        row_number() OVER (PARTITION BY task.task_id, read.grouped_by ORDER BY {IN_TIME}) AS place
    {hits("prorated_unique")} AND event.properties ->> task.field_name IS NOT NULL
), moved AS (
    SELECT *, lag(is_add) OVER (PARTITION BY task_id, grouped_by, value ORDER BY place) AS was_in FROM hit
), bounded AS (
    SELECT *, lead(place) OVER of_value AS gone_place, lead(timestamp) OVER of_value AS gone_at,
        lead(day) OVER of_value AS gone_day
    FROM moved WHERE is_add IS DISTINCT FROM coalesce(was_in, false)
    WINDOW of_value AS (PARTITION BY task_id, grouped_by, value ORDER BY place)
), stay AS (
    SELECT task_id, grouped_by, value, place, gone_place, greatest(day, first_day) AS from_day,
        least(coalesce(gone_day, last_day), last_day) AS until_day
    FROM bounded WHERE is_add AND (gone_at IS NULL OR gone_at >= counts_from)
), counted AS (
    SELECT *, greatest(0, until_day - greatest(from_day, lag(until_day) OVER (
        PARTITION BY task_id, grouped_by, value ORDER BY place) + 1) + 1) AS days
    FROM stay
), summed AS (
    SELECT task_id, grouped_by, count(*) FILTER (WHERE step.change = 1 AND gone_place IS NULL) AS total,
        sum(step.days) AS days,
        jsonb_agg(jsonb_build_array(step.change::text, step.days) ORDER BY step.place) AS steps
    FROM counted, LATERAL (VALUES (place, 1, days), (gone_place, -1, 0)) AS step (place, change, days)
    WHERE step.place IS NOT NULL
    GROUP BY task_id, grouped_by
)
SELECT task_id, grouped_by, coalesce(max(total), 0) AS total,
    ceil_quotient(coalesce(max(days), 0), period_days, 5) AS prorated,
    count(*) AS events_count, count(*) FILTER (WHERE is_late) AS late_events_count,
    CASE WHEN walks THEN jsonb_build_object(
        'steps', coalesce(jsonb_agg(steps) FILTER (WHERE steps IS NOT NULL) -> 0, '[]')
    ) END AS measures
FROM hit LEFT JOIN summed USING (task_id, grouped_by)
GROUP BY task_id, grouped_by, period_days, walks
)"""
