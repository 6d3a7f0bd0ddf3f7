"""Which events count for which task: the FROM clause that every way to measure shares."""

# A task is one subscription's window under one charge and filter. Its events carry the metric's code and the
# subscription's external id, lie in the window and are taken by its filter (Lago: which events count). What has
# a memory reaches back: its window has no beginning. The bounds say the same of all tasks together, so that the
# index on time serves them. To the planner an equality takes one task in two hundred, a function's result one in
# three: that it would loop over the many tasks of one measure costs four times as much.
HITS = """
FROM task
JOIN ingest_usageevent AS event
    ON event.service_id = %(service)s
    AND event.external_subscription_id = task.external_id
    AND event.code = task.code
    AND event.timestamp >= CASE WHEN task.reaches_back THEN '-infinity' ELSE task.counts_from END
    AND event.timestamp < task.counts_to
    AND event.timestamp >= %(earliest)s AND event.timestamp < %(latest)s
CROSS JOIN LATERAL (
    SELECT CASE task.aggregation WHEN 'count_agg' THEN 1
            ELSE coalesce(event.quantity, numeric_property(event.properties, task.field_name)) END AS value,
        event.received_at > task.closes_at AS is_late,
        CASE WHEN task.group_keys IS NULL THEN '{{}}' ELSE group_of(event.properties, task.group_keys) END
            AS grouped_by
) AS read
WHERE texteq(task.measure, '{measure}')
    AND (task.matching IS NULL OR takes_event(event.properties, task.matching, task.ignored))
    AND NOT (%(on_time)s AND read.is_late)
"""

# Equal timestamps are taken in order of arrival.
IN_TIME = "event.timestamp, event.received_at, event.id"
NEWEST_FIRST = "event.timestamp DESC, event.received_at DESC, event.id DESC"


def hits(measure: str) -> str:
    """The events of all tasks that are measured so."""
    return HITS.format(measure=measure)
