"""The rating statement: windows, usage and answers become fees, and what differs from the stored ones is written.

It begins with what is priced: `ASK` tells the questions that the charge models are to answer, `STORE` and `READ` what
the answers make.
"""

from ingest.tier_prices import COMPUTED, PARTS, TIERS

# What is rated: the usage of each window under the price that took its events. A question is all that decides what
# it costs, as `ingest.answers` reads it; to ask, only prices that a charge model answers are looked at.
# Compared byte by byte: no language's order is wanted, and it would take a tenth of the time.
PRICED = """
WITH given AS MATERIALIZED (
    SELECT * FROM unnest(%(subscriptions)s::bigint[], %(places)s::int[], %(price_lists)s::int[])
        AS given (subscription_id, place, price_list)
), span AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(%(spans)s) AS span (
        place int, period_start timestamptz, period_end timestamptz, counts_from timestamptz,
        counts_to timestamptz, period_days int
    )
), price AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(%(prices)s) AS price (
        price_list int, price int, charge_id bigint, charge_version_id bigint, currency text, filter_values jsonb,
        empty_group jsonb, empty_bucket text, is_in_advance bool, is_computed bool, facts jsonb
    ) WHERE NOT %(is_asking)s OR NOT (is_in_advance OR is_computed)
), placed AS MATERIALIZED (
    SELECT used.*, given.place, given.price_list FROM ({used}) AS used JOIN given USING (subscription_id)
), priced AS MATERIALIZED (
    SELECT placed.*, price.price, price.charge_version_id, price.currency, price.is_in_advance, price.is_computed,
        CASE WHEN price.is_computed THEN format('[%%s,"%%s"]', price.price, quantity)
            ELSE json_build_array(
                price.price, quantity::text, full_quantity::text, events_count, measures, span.period_days
            )::text END COLLATE "C" AS question
    FROM placed
    JOIN span ON span.place = placed.place AND span.period_start = placed.period_start
    JOIN price ON price.price_list = placed.price_list AND price.charge_id = placed.charge_id
        AND price.filter_values IS NOT DISTINCT FROM placed.filter_values
)
"""

STORED_USAGE = """
    SELECT subscription_id, charge_id, period_start, filter_values, grouped_by, bucket, quantity, full_quantity,
        events_count, late_events_count, measures
    FROM ingest_usage
    WHERE period_label = %(label)s AND period_start BETWEEN %(from)s AND %(to)s
        AND (events_count <> 0 OR quantity <> 0)
"""
GIVEN_USAGE = """
    SELECT used.*, span.period_start FROM jsonb_to_recordset(%(usage)s) AS used (
        subscription_id bigint, charge_id bigint, filter_values jsonb, grouped_by jsonb, bucket text,
        quantity numeric, full_quantity numeric, events_count bigint, late_events_count bigint, measures jsonb
    ) JOIN given USING (subscription_id) JOIN span USING (place)
"""

ASK = "SELECT DISTINCT question FROM priced"

_ANSWER = "question text, price int, exact_amount numeric, amount numeric, unit_amount numeric, lines jsonb"

# The fees of usage and of plans, then what minimums add to them. A price that costs something without usage is due
# in every window that has none. What is late of a fee is its amount less what it would be on time. What is computed
# has no details yet: its version and its quantity decide them.
RATED = f"""{TIERS}
, asked AS (
    SELECT DISTINCT question, price, quantity FROM priced WHERE is_computed AND NOT is_in_advance
), answer AS MATERIALIZED (
    SELECT answer.question, answer.exact_amount, answer.amount, answer.unit_amount,
        price.facts || answer.lines AS details
    FROM jsonb_to_recordset(%(answers)s) AS answer ({_ANSWER}) JOIN price USING (price)
    UNION ALL
    SELECT question, exact_amount, amount, unit_amount, NULL FROM ({COMPUTED}) AS computed
), unused AS MATERIALIZED (
    SELECT unused.price, unused.exact_amount, unused.amount, unused.unit_amount,
        price.facts || unused.lines AS details
    FROM jsonb_to_recordset(%(unused)s) AS unused ({_ANSWER}) JOIN price USING (price)
), on_time AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(%(on_time)s) AS on_time (
        subscription_id bigint, charge_id bigint, bucket text, amount numeric
    )
), arrived AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(%(arrivals)s) AS arrived (
        subscription_id bigint, charge_id bigint, bucket text, exact_amount numeric, amount numeric,
        late_amount numeric, lines jsonb
    )
), plan AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(%(plans)s) AS plan (
        place int, plan_version_id bigint, currency text, exact_amount numeric, amount numeric, detail jsonb
    )
), minimum AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(%(minimums)s) AS minimum (
        place int, kind text, charge_id bigint, charge_version_id bigint, plan_version_id bigint, currency text,
        share numeric, detail jsonb
    )
), line AS MATERIALIZED (
    SELECT subscription_id, place, 'usage' AS kind, charge_id, charge_version_id, NULL::bigint AS plan_version_id,
        filter_values, grouped_by, bucket, currency, quantity, full_quantity, events_count, answer.exact_amount,
        answer.amount, answer.unit_amount, CASE WHEN late_events_count = 0 THEN 0
            ELSE answer.amount - coalesce(
                on_time.amount, (SELECT amount FROM unused WHERE unused.price = priced.price)
            ) END AS late_amount,
        late_events_count, answer.details, priced.price, priced.question
    FROM priced JOIN answer USING (question) LEFT JOIN on_time USING (subscription_id, charge_id, bucket)
    UNION ALL
    SELECT subscription_id, place, 'usage', charge_id, charge_version_id, NULL, priced.filter_values, grouped_by,
        bucket, priced.currency, quantity, full_quantity, events_count, arrived.exact_amount, arrived.amount, 0,
        arrived.late_amount, late_events_count, price.facts || arrived.lines, price, NULL
    FROM priced JOIN price USING (price, charge_id, charge_version_id)
    JOIN arrived USING (subscription_id, charge_id, bucket)
    WHERE priced.is_in_advance
    UNION ALL
    SELECT subscription_id, place, 'usage', charge_id, charge_version_id, NULL, filter_values, empty_group,
        empty_bucket, currency, 0, NULL, 0, exact_amount, amount, unit_amount, 0, 0, details, price, NULL
    FROM given JOIN price USING (price_list) JOIN unused USING (price)
    WHERE NOT is_in_advance AND exact_amount <> 0 AND NOT EXISTS (
        SELECT FROM priced WHERE priced.subscription_id = given.subscription_id AND priced.price = price.price
    )
    UNION ALL
    SELECT subscription_id, place, 'plan', NULL, NULL, plan_version_id, NULL, '{{}}', '', currency, 1, NULL, 0,
        exact_amount, amount, 0, 0, 0, jsonb_build_array(detail), NULL, NULL
    FROM given JOIN plan USING (place)
), topped AS (
    SELECT subscription_id, minimum.*, coalesce(fees.amount, share - share) AS billed,
        greatest(share - coalesce(fees.amount, 0), 0) AS missing,
        greatest(share - coalesce(fees.on_time, 0), 0) AS missing_on_time
    FROM minimum JOIN given USING (place) LEFT JOIN (
        SELECT subscription_id, charge_id, sum(amount) AS amount, sum(amount - late_amount) AS on_time
        FROM line GROUP BY subscription_id, charge_id
    ) AS fees USING (subscription_id, charge_id)
    WHERE minimum.kind = 'true_up'
), committed AS (
    SELECT subscription_id, minimum.*, coalesce(fees.amount, 0) AS billed,
        greatest(share - coalesce(fees.amount, 0), 0) AS missing,
        greatest(share - coalesce(fees.on_time, 0), 0) AS missing_on_time
    FROM minimum JOIN given USING (place) LEFT JOIN (
        SELECT subscription_id, sum(amount) AS amount, sum(on_time) AS on_time FROM (
            SELECT subscription_id, amount, amount - late_amount AS on_time FROM line
            UNION ALL SELECT subscription_id, missing, missing_on_time FROM topped
        ) AS each GROUP BY subscription_id
    ) AS fees USING (subscription_id)
    WHERE minimum.kind = 'commitment'
), rated AS (
    SELECT line.*, span.period_start, span.period_end, span.counts_from, span.counts_to FROM (
        SELECT * FROM line
        UNION ALL
        SELECT subscription_id, place, kind, charge_id, charge_version_id, plan_version_id, NULL, '{{}}', '',
            currency, 0, NULL, 0, missing, missing + (share - share), 0, missing - missing_on_time, 0,
            jsonb_build_array(detail || jsonb_build_object('fees', billed::text)), NULL, NULL
        FROM (SELECT * FROM topped UNION ALL SELECT * FROM committed) AS minimum
        WHERE missing <> 0 OR missing_on_time <> 0
    ) AS line JOIN span USING (place)
)
"""

READ = """
SELECT subscription_id, kind, charge_id, filter_values::text, grouped_by::text, quantity, full_quantity, events_count,
    amount
FROM rated
"""

_KEY = ("subscription_id", "kind", "charge_id", "period_start", "bucket")
_VALUES = (
    *("charge_version_id", "plan_version_id", "period_end", "counts_from", "counts_to", "filter_values"),
    *("grouped_by", "currency", "quantity", "full_quantity", "events_count", "exact_amount", "amount"),
    *("unit_amount", "late_amount", "late_events_count"),
)
_COLUMNS = ", ".join((*_KEY, *_VALUES))
_STORED, _RATED, _EXCLUDED = (
    ", ".join(f"{source}.{name}" for name in _VALUES) for source in ("stored", "rated", "excluded")
)

# Only what differs is written: a fee of the period that is rated no longer becomes zero, it is never deleted.
STORE = f"""
, stored AS (
    SELECT fee.* FROM ingest_fee AS fee
    JOIN ingest_subscription AS subscription ON subscription.id = fee.subscription_id
    WHERE subscription.service_id = %(service)s
        AND (%(customers)s::bigint[] IS NULL OR subscription.customer_id = ANY(%(customers)s))
        AND fee.period_start BETWEEN %(from)s AND %(to)s AND fee.kind <> 'late'
), compared AS MATERIALIZED (
    SELECT stored.id AS stored_id, rated.*
    FROM rated FULL JOIN stored ON stored.subscription_id = rated.subscription_id
        AND stored.period_start = rated.period_start AND stored.kind = rated.kind
        AND coalesce(stored.charge_id, 0) = coalesce(rated.charge_id, 0) AND stored.bucket = rated.bucket
    WHERE CASE
        WHEN rated.place IS NULL THEN stored.period_label = %(label)s AND (stored.exact_amount <> 0
            OR stored.quantity <> 0 OR stored.events_count <> 0 OR stored.late_amount <> 0)
        ELSE ({_STORED}, stored.period_label) IS DISTINCT FROM ({_RATED}, %(label)s)
            OR stored.details <> rated.details
    END
), gone AS (
    UPDATE ingest_fee AS fee SET quantity = 0, full_quantity = NULL, events_count = 0, exact_amount = 0,
        amount = 0, unit_amount = 0, late_amount = 0, late_events_count = 0, details = '[]', rated_at = %(now)s
    FROM compared WHERE fee.id = compared.stored_id AND compared.place IS NULL
    RETURNING 1
), part AS (
    WITH asked AS (SELECT DISTINCT question, price, quantity FROM compared WHERE details IS NULL) {PARTS}
), written AS (
    INSERT INTO ingest_fee (public_id, created_at, period_label, rated_at, details, {_COLUMNS})
    SELECT gen_random_uuid(), %(now)s, %(label)s, %(now)s, coalesce(details, price.facts || part.lines),
        {", ".join(f"compared.{name}" for name in (*_KEY, *_VALUES))}
    FROM compared LEFT JOIN part USING (question) LEFT JOIN price USING (price)
    WHERE compared.place IS NOT NULL
    ON CONFLICT (subscription_id, period_start, kind, charge_id, bucket) DO UPDATE SET
        (details, period_label, rated_at, {", ".join(_VALUES)})
        = (excluded.details, excluded.period_label, excluded.rated_at, {_EXCLUDED})
    RETURNING 1
)
SELECT (SELECT count(*) FROM gone) + (SELECT count(*) FROM written)
"""
