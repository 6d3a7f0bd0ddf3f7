"""Reconciling: both sides of a period are judged in one statement, and what changed is written."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from ingest import audit
from ingest.billers import BILLER_OF_FEE
from ingest.calendar import start_bounds
from ingest.errors import DomainError
from ingest.models import Phase, Service
from ingest.services import lock_service
from reconciliation import run_off
from reconciliation.causes import COMPARED, suggest_causes
from reconciliation.expected_taxes import TAXED, read_parameters
from reconciliation.held_fees import IS_NOTHING, IS_OUTDATED
from reconciliation.models import Reconciliation
from reconciliation.odoo import company_of
from reconciliation.whole_sets import join_sets

# What a resolution was made on: what is compared and how; where that is totals, the tax inside of them too.
FIGURES = (
    "{table}.odoo_amount, {table}.external_amount, {table}.outcome, {table}.basis,"
    " CASE {table}.basis WHEN 'total' THEN {table}.odoo_tax END,"
    " CASE {table}.basis WHEN 'total' THEN {table}.external_tax END"
)

# `reconciliation.comparison.judgement` defines what this computes; a property test shows that both agree.
# Every row that exists takes part, so that one whose documents are gone says so instead of keeping old figures.
# What Odoo bills itself is expected of nobody else: such fees alone make no row.
RECONCILE = """
WITH held AS (
    SELECT DISTINCT ON (key) customer_id, currency, period_start, period_end, payload
    FROM reconciliation_push
    WHERE service_id = %(service)s AND period_label = %(label)s AND kind = 'quotation' AND status = 'done'
        AND period_start BETWEEN %(from)s AND %(to)s
    ORDER BY key, version DESC
), stated AS (
    SELECT subscription.customer_id, fee.currency, fee.period_start, fee.period_end, 'expected' AS side,
        CASE WHEN NOT {is_nothing} THEN fee.billed_amount END AS untaxed, NULL::numeric AS tax,
        NULL::numeric AS total, NOT {is_nothing} AND {biller} = 'service' AS is_judged,
        held.payload IS NOT NULL AND {is_outdated} AND {biller} = 'service' AS is_outdated
    FROM ingest_fee AS fee
    JOIN ingest_subscription AS subscription ON subscription.id = fee.subscription_id
    LEFT JOIN held ON held.customer_id = subscription.customer_id AND held.currency = fee.currency
        AND held.period_start = fee.period_start AND held.period_end = fee.period_end
    WHERE subscription.service_id = %(service)s AND fee.period_label = %(label)s
        AND fee.period_start BETWEEN %(from)s AND %(to)s
    UNION ALL
    SELECT customer_id, currency, period_start, period_end, side, untaxed, tax, total, true, false
    FROM reconciliation_amount
    WHERE service_id = %(service)s AND period_label = %(label)s AND is_current
        AND period_start BETWEEN %(from)s AND %(to)s
    UNION ALL
    SELECT customer_id, currency, period_start, period_end, 'known', NULL, NULL, NULL, true, false
    FROM reconciliation_reconciliation
    WHERE service_id = %(service)s AND period_label = %(label)s
        AND period_start BETWEEN %(from)s AND %(to)s
), sides AS (
    SELECT customer_id, currency, period_start, period_end,
        sum(untaxed) FILTER (WHERE side = 'expected') AS expected_untaxed,
        bool_or(side = 'odoo') AS has_odoo, bool_or(side = 'external') AS has_external,
        -- What one document leaves unsaid, the side as a whole does not know.
        {sums},
        bool_or(is_outdated) AS is_stale
    FROM stated
    WHERE period_end <= %(closed_until)s
    GROUP BY customer_id, currency, period_start, period_end
    HAVING bool_or(is_judged)
), taxed AS MATERIALIZED ({taxed}), based AS (
    SELECT sides.*,
        CASE WHEN coalesce(taxed.reason, '') = '' AND expected_untaxed IS NOT NULL THEN coalesce(taxed.tax, 0) END
            AS expected_tax,
        coalesce(taxed.reason, '') AS untaxed_because,
        CASE WHEN coalesce(taxed.reason, '') = '' THEN coalesce(taxed.shares, '[]') ELSE '[]' END AS expected_taxes,
        CASE WHEN external_total IS NOT NULL THEN 'total' ELSE 'untaxed' END AS basis,
        CASE WHEN external_total IS NOT NULL THEN odoo_total ELSE odoo_untaxed END AS odoo_amount,
        coalesce(external_total, external_untaxed) AS external_amount,
        customer.odoo_partner_id IS NOT NULL AS is_linked,
        -- A side without its other one, which the same bill has in another currency.
        (NOT has_odoo AND bool_or(has_odoo AND NOT has_external) OVER same_bill)
            OR (NOT has_external AND bool_or(has_external AND NOT has_odoo) OVER same_bill)
            AS has_other_currency
    FROM sides
    LEFT JOIN taxed USING (customer_id, currency, period_start, period_end)
    JOIN (SELECT id, odoo_partner_id FROM ingest_customer) AS customer ON customer.id = sides.customer_id
    WINDOW same_bill AS (PARTITION BY customer_id, period_start, period_end)
), measured AS (
    SELECT based.*, odoo_amount - external_amount AS delta,
        least(tolerance.cap, greatest(
            coalesce(tolerance.absolute, 0.01),
            coalesce(tolerance.relative, 0) * abs(coalesce(external_amount, 0))
        )) AS tolerance
    FROM based
    LEFT JOIN reconciliation_tolerance AS tolerance
        ON tolerance.service_id = %(service)s AND tolerance.currency = based.currency
), judged AS (
    SELECT measured.*,
        CASE
            WHEN NOT is_linked THEN 'unlinked'
            WHEN has_other_currency THEN 'other_currency'
            WHEN odoo_amount IS NULL THEN 'missing_odoo'
            WHEN external_amount IS NULL THEN 'missing_external'
            WHEN is_stale THEN 'stale'
            ELSE 'compared'
        END AS outcome
    FROM measured
), written AS (
INSERT INTO reconciliation_reconciliation AS row (
    public_id, created_at, service_id, customer_id, currency, period_start, period_end, period_label, basis,
    expected_untaxed, expected_tax, expected_total, expected_taxes, untaxed_because,
    odoo_untaxed, odoo_tax, odoo_total, external_untaxed, external_tax, external_total,
    odoo_amount, external_amount, delta, tolerance, outcome, status,
    cause, reason, reopened_because, version, reconciled_at
)
SELECT gen_random_uuid(), %(now)s, %(service)s, customer_id, currency, period_start, period_end, %(label)s,
    basis, expected_untaxed, expected_tax, expected_untaxed + expected_tax, expected_taxes, untaxed_because,
    odoo_untaxed, odoo_tax, odoo_total, external_untaxed, external_tax, external_total,
    odoo_amount, external_amount, delta, tolerance, outcome,
    CASE WHEN outcome = 'compared' AND abs(delta) <= tolerance THEN 'match' ELSE 'delta' END,
    -- What could not be compared has its outcome as its cause; what differs is explained by its lines afterwards.
    CASE WHEN outcome IN ({compared}) THEN '' ELSE outcome END, '', '', 1, %(now)s
FROM judged
ON CONFLICT (service_id, customer_id, currency, period_start, period_end) DO UPDATE SET
    basis = excluded.basis, expected_untaxed = excluded.expected_untaxed,
    expected_tax = excluded.expected_tax, expected_total = excluded.expected_total,
    expected_taxes = excluded.expected_taxes, untaxed_because = excluded.untaxed_because,
    odoo_untaxed = excluded.odoo_untaxed, odoo_tax = excluded.odoo_tax, odoo_total = excluded.odoo_total,
    external_untaxed = excluded.external_untaxed, external_tax = excluded.external_tax,
    external_total = excluded.external_total, odoo_amount = excluded.odoo_amount,
    external_amount = excluded.external_amount, delta = excluded.delta, tolerance = excluded.tolerance,
    outcome = excluded.outcome, cause = excluded.cause, version = row.version + 1,
    reconciled_at = excluded.reconciled_at,
    -- A resolution belongs to the figures it was made on.
    status = CASE WHEN row.status = 'resolved' AND {same_figures} THEN 'resolved' ELSE excluded.status END,
    reopened_at = CASE WHEN row.status = 'resolved' AND NOT {same_figures}
        THEN excluded.reconciled_at ELSE row.reopened_at END,
    reopened_because = CASE WHEN row.status = 'resolved' AND NOT {same_figures}
        THEN concat_ws('; ',
            CASE WHEN row.odoo_amount IS DISTINCT FROM excluded.odoo_amount
                THEN format('Odoo %%s → %%s', {old_odoo}, {new_odoo}) END,
            CASE WHEN row.external_amount IS DISTINCT FROM excluded.external_amount
                THEN format('external %%s → %%s', {old_external}, {new_external}) END,
            CASE WHEN row.outcome <> excluded.outcome
                THEN format('%%s → %%s', row.outcome, excluded.outcome) END,
            CASE WHEN row.basis <> excluded.basis
                THEN format('basis %%s → %%s', row.basis, excluded.basis) END,
            CASE WHEN excluded.basis = 'total' AND row.odoo_tax IS DISTINCT FROM excluded.odoo_tax
                THEN format('Odoo tax %%s → %%s', coalesce(row.odoo_tax::text, 'nothing'),
                    coalesce(excluded.odoo_tax::text, 'nothing')) END,
            CASE WHEN excluded.basis = 'total' AND row.external_tax IS DISTINCT FROM excluded.external_tax
                THEN format('external tax %%s → %%s', coalesce(row.external_tax::text, 'nothing'),
                    coalesce(excluded.external_tax::text, 'nothing')) END)
        ELSE row.reopened_because END
WHERE (row.basis, row.expected_untaxed, row.expected_tax, row.expected_taxes, row.untaxed_because,
       row.odoo_untaxed, row.odoo_tax, row.odoo_total, row.external_untaxed, row.external_tax,
       row.external_total, row.tolerance, row.outcome)
    IS DISTINCT FROM
      (excluded.basis, excluded.expected_untaxed, excluded.expected_tax, excluded.expected_taxes,
       excluded.untaxed_because, excluded.odoo_untaxed, excluded.odoo_tax, excluded.odoo_total,
       excluded.external_untaxed, excluded.external_tax, excluded.external_total, excluded.tolerance,
       excluded.outcome)
RETURNING id, coalesce(reopened_at = %(now)s, false) AS is_reopened,
    outcome IN ({compared}) AND delta <> 0 AS is_different
)
SELECT count(*), coalesce(array_agg(id) FILTER (WHERE is_reopened), '{{}}'),
    coalesce(array_agg(id) FILTER (WHERE is_different), '{{}}')
FROM written
""".format(
    biller=BILLER_OF_FEE,
    taxed=TAXED,
    compared=", ".join(f"'{outcome}'" for outcome in COMPARED),
    is_nothing=IS_NOTHING,
    is_outdated=IS_OUTDATED,
    sums=",\n        ".join(
        f"CASE WHEN bool_and({figure} IS NOT NULL) FILTER (WHERE side = '{side}')"
        f" THEN sum({figure}) FILTER (WHERE side = '{side}') END AS {side}_{figure}"
        for side in ("odoo", "external")
        for figure in ("untaxed", "tax", "total")
    ),
    same_figures=(
        f"({FIGURES.format(table='row')}) IS NOT DISTINCT FROM ({FIGURES.format(table='excluded')})"
    ),
    **{
        f"{age}_{side}": f"coalesce({table}.{side}_amount::text, 'nothing')"
        for age, table in (("old", "row"), ("new", "excluded"))
        for side in ("odoo", "external")
    },
)


@dataclass(frozen=True, slots=True)
class Result:
    """What reconciling a period wrote: rows new or changed, and resolved rows that it reopened."""

    changed: int
    reopened: int


@transaction.atomic
def reconcile_period(*, service: Service, period_label: str, now: datetime) -> Result:
    """Judges every customer of a service for one closed period; idempotent, writes only what changed.

    A period that is not closed yet has no rows. Refuses a service in shadow (`not_judged`); raises
    PeriodLabelError for a text that is no period label.
    """
    earliest, latest = start_bounds(period_label)
    service = lock_service(service.pk)
    if service.phase == Phase.SHADOW:
        raise DomainError("not_judged", f"{service} is in shadow: its periods are not judged yet.")
    parameters: dict[str, Any] = {
        "service": service.pk,
        "label": period_label,
        "from": earliest,
        "to": latest,
        "closed_until": now - timedelta(hours=service.grace_hours),
        "now": now,
        "company": company_of(service),
    }
    with join_sets():
        parameters |= read_parameters(service=service, label=period_label, earliest=earliest, latest=latest)
        with connection.cursor() as cursor:
            cursor.execute(RECONCILE, parameters)
            changed, reopened, different = cursor.fetchone()
    _audit_reopened(service, reopened)
    suggest_causes(different)
    run_off.watch(service=service, period_label=period_label, bounds=(earliest, latest))
    return Result(changed=changed, reopened=len(reopened))


def _audit_reopened(service: Service, ids: Sequence[int]) -> None:
    rows = Reconciliation.objects.filter(pk__in=ids).select_related("customer", "service")
    audit.record_all(
        {
            "actor": None,
            "action": "reconciliation.reopen",
            "target": row,
            "service": service,
            "before": {"status": "resolved", "reason": row.reason},
            "after": {"status": row.status},
            "reason": row.reopened_because,
            "rule": "figures changed after the resolution",
        }
        for row in rows
    )
