"""Count, sum, maximum and the latest value: one pass over the events, in any order."""

from ingest.measuring.hits import NEWEST_FIRST, hits

# An event without a number is skipped, unless events are only counted (Lago: count_agg, sum_agg, max_agg).
TOTAL = f"""
SELECT task.task_id, read.grouped_by,
    CASE task.aggregation WHEN 'max_agg' THEN max(read.value) ELSE sum(read.value) END AS total,
    NULL::numeric AS prorated,
    count(*) AS events_count,
    count(*) FILTER (WHERE read.is_late) AS late_events_count,
    CASE WHEN task.is_dynamic THEN jsonb_build_object(
        'precise_total_amount_cents', coalesce(sum(event.precise_total_amount_cents), 0)::text
    ) END AS measures
{hits("total")} AND read.value IS NOT NULL
GROUP BY task.task_id, task.aggregation, task.is_dynamic, read.grouped_by
"""

# Lago: latest_agg. Below zero it is nothing.
LATEST = f"""
SELECT task.task_id, read.grouped_by,
    greatest((array_agg(read.value ORDER BY {NEWEST_FIRST}))[1], 0) AS total,
    NULL::numeric AS prorated,
    count(*) AS events_count,
    count(*) FILTER (WHERE read.is_late) AS late_events_count,
    NULL::jsonb AS measures
{hits("latest")} AND read.value IS NOT NULL
GROUP BY task.task_id, read.grouped_by
"""
