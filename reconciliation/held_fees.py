"""Which fees Odoo holds: decided by what was pushed and read back equal, never by the order of two clocks."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import F, Q

from ingest.billers import BILLER_OF_FEE
from ingest.models import Service

# SQL over a fee `fee` and the payload `held.payload` of its bill's newest settled push, null without one. The
# payload writes decimals as `trim_scale` does, and the share of a plan as `quotations` rounds it.
IS_HELD = """(
    held.payload -> 'usage_lines' @> jsonb_build_array(jsonb_build_object(
        'key', replace(fee.public_id::text, '-', ''), 'amount', trim_scale(fee.billed_amount)::text))
    OR held.payload -> 'plan_lines' @> jsonb_build_array(jsonb_build_object(
        'key', replace(fee.public_id::text, '-', ''), 'quantity', trim_scale(round(
            (fee.details -> 0 ->> 'billed_days')::numeric / (fee.details -> 0 ->> 'period_days')::numeric, 2
        ))::text))
)"""
HAS_LINE = """(
    ((held.payload -> 'usage_lines') || (held.payload -> 'plan_lines'))
    @> jsonb_build_array(jsonb_build_object('key', replace(fee.public_id::text, '-', '')))
)"""
# A fee that its period's bill has nothing of: neither an amount, nor usage but what came late.
IS_NOTHING = """(
    fee.billed_amount = 0 AND (fee.quantity = 0 OR fee.amount <> 0) AND fee.late_events_count >= fee.events_count
)"""

# The same for queries.
NOTHING = Q(billed_amount=0) & (Q(quantity=0) | ~Q(amount=0)) & Q(late_events_count__gte=F("events_count"))

# True for a fee that Odoo does not hold as it is: never pushed, other than what was pushed, or gone since.
IS_OUTDATED = (
    f"CASE WHEN {IS_NOTHING} THEN coalesce({HAS_LINE}, false) ELSE NOT coalesce({IS_HELD}, false) END"
)

COUNT = f"""
SELECT count(*)
FROM ingest_fee AS fee
JOIN ingest_subscription AS subscription ON subscription.id = fee.subscription_id
LEFT JOIN LATERAL (
    SELECT push.payload FROM reconciliation_push AS push
    WHERE push.service_id = subscription.service_id AND push.customer_id = subscription.customer_id
        AND push.currency = fee.currency AND push.kind = 'quotation' AND push.status = 'done'
        AND push.period_start = fee.period_start AND push.period_end = fee.period_end
    ORDER BY push.version DESC LIMIT 1
) AS held ON true
WHERE subscription.service_id = %(service)s AND fee.period_label = ANY(%(labels)s)
    AND fee.period_end <= %(closed_until)s AND {BILLER_OF_FEE} = 'service'
    AND {IS_OUTDATED}
"""


def count_unpushed(*, service: Service, labels: Sequence[str], closed_until: datetime) -> int:
    """The fees of closed periods that the service still bills and Odoo does not hold as they are."""
    parameters: dict[str, Any] = {"service": service.pk, "labels": list(labels), "closed_until": closed_until}
    with connection.cursor() as cursor:
        cursor.execute(COUNT, parameters)
        return int(cursor.fetchone()[0])
