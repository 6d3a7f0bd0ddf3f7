"""The time-weighted average of a level that events raise and lower (Lago: weighted_sum)."""

from ingest.measuring.hits import hits

# Each value weighs from its event to the end, so no running level is needed. The end is lifted to the whole
# second, and the whole period's days divide, wherever the subscription began or ended in it. What recurs starts
# from all that came before: from the subscription's start, or with a predecessor from the first event. Events are
# counted inside of the window, late ones wherever they are, because they move the level at its start.
WEIGHTED = f"""
SELECT task.task_id, read.grouped_by,
    sum(read.value) AS total,
    ceil_quotient(
        sum(read.value * extract(epoch FROM
            date_trunc('second', task.counts_to + interval '999999 microseconds')
            - greatest(event.timestamp, task.counts_from)
        )),
        task.period_days * 86400, 20
    ) AS prorated,
    count(*) FILTER (WHERE event.timestamp >= task.counts_from) AS events_count,
    count(*) FILTER (WHERE read.is_late) AS late_events_count,
    NULL::jsonb AS measures
{hits("weighted")} AND read.value IS NOT NULL
    AND (event.timestamp >= task.started_at OR EXISTS (
        SELECT FROM ingest_subscription AS earlier
        WHERE earlier.service_id = %(service)s AND earlier.external_id = task.external_id
            AND earlier.started_at < task.started_at AND earlier.canceled_at IS NULL
    ))
GROUP BY task.task_id, task.counts_from, task.counts_to, task.period_days, read.grouped_by
"""
