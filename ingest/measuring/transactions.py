"""What a percentage charge needs to know of the single events, without reading them (Lago: percentage)."""

from ingest.measuring.hits import IN_TIME, hits

# Of a maximum the first event that reaches it carries it, and the others nothing (Lago: max).
# `ingest.rating.charge_models.percentage` defines it. Running totals are read as far as the allowances reach: the
# first free events, else up to the first total above the free units. With a minimum or maximum per transaction,
# what is free ends at the event that reaches the free units, which pays for what is beyond them.
TRANSACTIONS = f"""(
WITH hit AS (
    SELECT task.task_id, read.grouped_by, read.is_late, read.value, task.aggregation, task.percentage,
        row_number() OVER (PARTITION BY task.task_id, read.grouped_by ORDER BY {IN_TIME}) AS turn,
        max(read.value) OVER of_task AS highest,
        count(*) OVER of_task AS events_count
    {hits("transactions")} AND read.value IS NOT NULL
    WINDOW of_task AS (PARTITION BY task.task_id, read.grouped_by)
), carried AS (
    SELECT task_id, grouped_by, is_late, turn, events_count, percentage,
        CASE WHEN aggregation <> 'max_agg' OR turn = min(turn) FILTER (WHERE value = highest) OVER of_task
            THEN value ELSE 0 END AS value
    FROM hit
    WINDOW of_task AS (PARTITION BY task_id, grouped_by)
), run AS (
    SELECT *, sum(value) OVER (PARTITION BY task_id, grouped_by ORDER BY turn) AS running FROM carried
), terms AS (
    SELECT run.*, term.*,
        min(turn) FILTER (WHERE running > free_units) OVER (PARTITION BY task_id, grouped_by) AS above,
        min(turn) FILTER (WHERE running >= free_units) OVER (PARTITION BY task_id, grouped_by) AS reached
    FROM run, LATERAL jsonb_to_record(percentage) AS term (
        free_events int, free_units numeric, rate numeric, fixed numeric, minimum numeric, maximum numeric
    )
), paid AS (
    SELECT *,
        CASE WHEN free_events > 0 THEN least(free_events, events_count)
            WHEN free_units > 0 THEN coalesce(above, events_count) ELSE 0 END AS last_turn,
        CASE WHEN free_units > 0 THEN CASE WHEN turn = reached THEN running - free_units
                                           WHEN turn > reached THEN value END
            WHEN turn > free_events THEN value END AS payable
    FROM terms
), summed AS (
    SELECT task_id, grouped_by, sum(value) AS total, events_count,
        count(*) FILTER (WHERE is_late) AS late_events_count, free_events, free_units,
        coalesce(max(running) FILTER (WHERE turn = last_turn), 0) AS last,
        count(*) FILTER (WHERE turn <= last_turn AND running < free_units) AS below,
        CASE WHEN minimum IS NOT NULL OR maximum IS NOT NULL THEN coalesce(sum(CASE
            WHEN payable * rate * 0.01 + fixed < minimum THEN minimum
            WHEN payable * rate * 0.01 + fixed > maximum THEN maximum
            ELSE payable * rate * 0.01 + fixed END) FILTER (WHERE payable IS NOT NULL), 0) END AS bounded
    FROM paid
    GROUP BY task_id, grouped_by, events_count, free_events, free_units, minimum, maximum
)
SELECT task_id, grouped_by, total, NULL::numeric AS prorated, events_count, late_events_count,
    jsonb_build_object(
        'free_units', (CASE WHEN last = 0 THEN 0 WHEN free_units = 0 THEN last
                            ELSE least(last, free_units) END)::text,
        'free_events', CASE WHEN free_events = 0 THEN below WHEN below = 0 THEN free_events
                            ELSE least(below, free_events) END,
        'bounded_amount', bounded::text
    ) AS measures
FROM summed
)"""
