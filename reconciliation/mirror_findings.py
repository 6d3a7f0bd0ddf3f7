"""What the mirror shows to be wrong between our records and Odoo's: derived each time, so that it is never stale."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db import connection

from ingest.metering.periods import Interval
from reconciliation.connectors.odoo.mirror import PARTNERS
from reconciliation.connectors.odoo.orders import ORDERS

# A page shows this many of each kind: the first ones are worked off, then the next ones show.
MOST = 200


class FindingKind(StrEnum):
    """What is wrong."""

    PARTNER = "partner"
    ORDER = "order"
    PRICE = "price"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, where it can be corrected, and what to do; `subject_id` is our row's key."""

    kind: FindingKind
    service: str
    subject: str
    subject_id: int
    message: str


# A row says when it was last complete: what a mirror has not read yet is not missing in Odoo.
PARTNER_FINDINGS = """
SELECT service.name, coalesce(nullif(customer.name, ''), customer.external_id), customer.id,
    CASE WHEN partner.id IS NULL THEN 'Odoo has no partner ' || customer.odoo_partner_id || ': link another one.'
        WHEN partner.gone_at IS NOT NULL THEN 'Its partner “' || partner.name
            || '” is gone in Odoo, deleted or merged into another one: link that one.'
        ELSE 'Its partner “' || partner.name || '” is archived in Odoo: restore it, or link another one.' END
FROM ingest_customer AS customer
JOIN ingest_service AS service ON service.id = customer.service_id
LEFT JOIN reconciliation_odoopartner AS partner ON partner.odoo_id = customer.odoo_partner_id
WHERE customer.odoo_partner_id IS NOT NULL AND customer.deleted_at IS NULL
    AND (partner.gone_at IS NOT NULL OR NOT partner.is_active
        OR partner.id IS NULL AND EXISTS (
            SELECT FROM reconciliation_mirrorcursor AS mirrored
            WHERE mirrored.kind = %(kind)s AND mirrored.completed_at IS NOT NULL))
ORDER BY service.name, 2 LIMIT %(most)s
"""
ORDER_FINDINGS = """
SELECT service.name, subscription.external_id, subscription.id,
    CASE WHEN ordered.id IS NULL THEN 'Odoo has no subscription order ' || subscription.odoo_order_id || '.'
        WHEN ordered.gone_at IS NOT NULL THEN 'Its order ' || ordered.name
            || ' is gone in Odoo, or no longer a subscription.'
        WHEN ordered.state = 'cancel' THEN 'Its order ' || ordered.name || ' is cancelled in Odoo.'
        ELSE 'Its order ' || ordered.name || ' is of partner ' || ordered.partner_id || ', the customer is linked to '
            || customer.odoo_partner_id || '.' END
FROM ingest_subscription AS subscription
JOIN ingest_service AS service ON service.id = subscription.service_id
JOIN ingest_customer AS customer ON customer.id = subscription.customer_id
LEFT JOIN reconciliation_odooorder AS ordered ON ordered.odoo_id = subscription.odoo_order_id
WHERE subscription.odoo_order_id IS NOT NULL AND subscription.canceled_at IS NULL
    AND (subscription.terminated_at IS NULL OR subscription.terminated_at > now())
    AND (ordered.gone_at IS NOT NULL OR ordered.state = 'cancel' OR ordered.partner_id <> customer.odoo_partner_id
        OR ordered.id IS NULL AND EXISTS (
            SELECT FROM reconciliation_mirrorcursor AS mirrored
            WHERE mirrored.kind = %(kind)s AND mirrored.completed_at IS NOT NULL))
ORDER BY service.name, 2 LIMIT %(most)s
"""
# The base amount that holds now beside the line of the order that bills the plan's product.
PRICE_FINDINGS = """
SELECT service.name, subscription.external_id, subscription.id,
    CASE WHEN ordered.currency <> plan.currency THEN 'Its order ' || ordered.name || ' is in ' || ordered.currency
            || ', the plan “' || plan.name || '” in ' || plan.currency || '.'
        WHEN line.id IS NULL THEN 'Its order ' || ordered.name || ' has no line of product ' || plan.odoo_product_id
            || ', which the plan “' || plan.name || '” bills as.'
        WHEN trim_scale(line.price_unit) <> trim_scale(price.amount) THEN 'Odoo bills ' || trim_scale(line.price_unit)
            || ' ' || ordered.currency || ' each period on ' || ordered.name || ', the plan “' || plan.name
            || '” costs ' || trim_scale(price.amount) || '.'
        ELSE 'Odoo bills every ' || recurring.every || ' ' || recurring.unit || ' on ' || ordered.name
            || ', the plan “' || plan.name || '” is ' || plan.interval || '.' END
FROM ingest_subscription AS subscription
JOIN ingest_service AS service ON service.id = subscription.service_id
JOIN ingest_plan AS plan ON plan.id = subscription.plan_id
JOIN reconciliation_odooorder AS ordered ON ordered.odoo_id = subscription.odoo_order_id
    AND ordered.gone_at IS NULL AND ordered.state <> 'cancel'
JOIN LATERAL (
    SELECT version.amount FROM ingest_planversion AS version
    WHERE version.plan_id = plan.id AND version.effective_from <= now()
    ORDER BY version.effective_from DESC, version.number DESC LIMIT 1
) AS price ON true
LEFT JOIN LATERAL (
    SELECT id, price_unit FROM reconciliation_odooorderline
    WHERE order_id = ordered.odoo_id AND product_id = plan.odoo_product_id AND gone_at IS NULL
    ORDER BY odoo_id LIMIT 1
) AS line ON true
LEFT JOIN reconciliation_odooplan AS recurring ON recurring.odoo_id = ordered.plan_id
WHERE plan.odoo_product_id IS NOT NULL AND subscription.canceled_at IS NULL
    AND (subscription.terminated_at IS NULL OR subscription.terminated_at > now())
    AND (ordered.currency <> plan.currency OR line.id IS NULL OR line.price_unit <> price.amount
        OR recurring.id IS NOT NULL AND NOT
            (%(recurrences)s::jsonb -> plan.interval) ? (recurring.every || ' ' || recurring.unit))
ORDER BY service.name, 2 LIMIT %(most)s
"""

# How Odoo says what a plan's interval is: so many of a unit.
RECURRENCES: Mapping[Interval, list[str]] = {
    Interval.WEEKLY: ["1 week"],
    Interval.MONTHLY: ["1 month"],
    Interval.QUARTERLY: ["3 month"],
    Interval.SEMIANNUAL: ["6 month"],
    Interval.YEARLY: ["1 year", "12 month"],
}

QUERIES: Mapping[FindingKind, tuple[str, Mapping[str, Any]]] = {
    FindingKind.PARTNER: (PARTNER_FINDINGS, {"kind": PARTNERS.name}),
    FindingKind.ORDER: (ORDER_FINDINGS, {"kind": ORDERS.name}),
    FindingKind.PRICE: (PRICE_FINDINGS, {"recurrences": json.dumps(RECURRENCES)}),
}


def read_findings() -> list[Finding]:
    """What is wrong now, by kind and service, at most `MOST` of each kind; one query per kind."""
    return [finding for kind in FindingKind for finding in _read(kind)]


def _read(kind: FindingKind) -> list[Finding]:
    query, parameters = QUERIES[kind]
    with connection.cursor() as cursor:
        cursor.execute(query, {"most": MOST, **parameters})
        return [Finding(kind, *row) for row in cursor.fetchall()]
