"""Distinct values that are in at the end (Lago: unique_count with add/remove)."""

from ingest.measuring.hits import NEWEST_FIRST, hits

# A repeated add or remove changes nothing, so a value's last event says whether it is in. To a price that looks at
# single events each value is one of them.
UNIQUE = f"""
SELECT task_id, grouped_by,
    count(*) FILTER (WHERE is_in) AS total,
    NULL::numeric AS prorated,
    sum(events_count)::bigint AS events_count,
    sum(late_events_count)::bigint AS late_events_count,
    CASE WHEN walks THEN jsonb_build_object('ones', count(*) FILTER (WHERE is_in)) END AS measures
FROM (
    SELECT task.task_id, task.walks, read.grouped_by,
        (array_agg(event.properties ->> 'operation_type' IS DISTINCT FROM 'remove'
            ORDER BY {NEWEST_FIRST}))[1] AS is_in,
        count(*) AS events_count,
        count(*) FILTER (WHERE read.is_late) AS late_events_count
    {hits("unique")} AND event.properties ->> task.field_name IS NOT NULL
    GROUP BY task.task_id, task.walks, read.grouped_by, event.properties ->> task.field_name
) AS counted
GROUP BY task_id, walks, grouped_by
"""
