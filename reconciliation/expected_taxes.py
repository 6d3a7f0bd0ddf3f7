"""The tax on what we expect: which rates each fee bears by the mirror, and the SQL that adds them up per bill.

The mirror is asked once for every place and product that a period's fees have, which are few; the pure room
decides their rates, and the statement that reconciles a period joins them to its fees.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from ingest.models import Customer, Service
from ingest.rating.money import EXPONENTS
from ingest.rating.taxes import Taxable, compute_taxes
from reconciliation.comparison.taxation import (
    NotComparable,
    Obstacle,
    Place,
    Rates,
    TaxChart,
    find_rates,
)
from reconciliation.models import OdooProduct
from reconciliation.odoo import company_of
from reconciliation.tax_history import TaxCharts

UNLINKED, NOT_MIRRORED = "unlinked", "not mirrored"

# Where each customer of a service is taxed, as JSON, so that it is a key to join by and can be read back.
PLACES = f"""
SELECT customer.id,
    CASE WHEN customer.odoo_partner_id IS NULL THEN '"{UNLINKED}"'
        WHEN partner.company_id IS DISTINCT FROM %(company)s THEN '"{NOT_MIRRORED}"'
        ELSE jsonb_build_object(
            'position_id', partner.position_id, 'country_id', partner.country_id,
            'state_id', partner.state_id, 'has_delivery_address', EXISTS (
                SELECT 1 FROM reconciliation_odoopartner AS address
                WHERE address.parent_id = partner.odoo_id AND address.address_type = 'delivery'
            ))::text
    END AS place
FROM ingest_customer AS customer
LEFT JOIN reconciliation_odoopartner AS partner ON partner.odoo_id = customer.odoo_partner_id
WHERE customer.service_id = %(service)s
"""
# The fees of a period that cost anything, per bill and product, and where their customer is taxed. Zero is zero under
# any tax.
TAXABLE = f"""
SELECT subscription.customer_id, fee.currency, fee.period_start, fee.period_end, placed.place,
    coalesce(CASE WHEN fee.charge_id IS NULL THEN plan.odoo_product_id ELSE charge.odoo_product_id END, 0)
        AS product_id,
    sum(fee.billed_amount) AS amount
FROM ingest_fee AS fee
JOIN ingest_subscription AS subscription ON subscription.id = fee.subscription_id
JOIN ingest_plan AS plan ON plan.id = subscription.plan_id
LEFT JOIN ingest_charge AS charge ON charge.id = fee.charge_id
JOIN ({PLACES}) AS placed ON placed.id = subscription.customer_id
WHERE subscription.service_id = %(service)s AND fee.period_label = %(label)s
    AND fee.period_start BETWEEN %(from)s AND %(to)s AND fee.billed_amount <> 0
GROUP BY 1, 2, 3, 4, 5, 6
"""

# One row per bill: its tax, the shares that it is made of, and why there is none. `ingest.rating.taxes` defines
# it, and a property test shows that both agree: a tax's shares are rounded each for itself, the bill's tax is the
# rounded sum of all exact parts.
TAXED = f"""
SELECT customer_id, currency, period_start, period_end,
    coalesce(round(sum(exact), min(exponent)), 0) AS tax,
    coalesce(min(reason), '') AS reason,
    coalesce(jsonb_agg(jsonb_build_object(
        'tax_id', tax_id, 'name', name, 'percent', trim_scale(percent)::text, 'products', products,
        'base', base::text, 'amount', round(exact, exponent)::text
    ) ORDER BY tax_id) FILTER (WHERE tax_id IS NOT NULL), '[]') AS shares
FROM (
    SELECT customer_id, currency, period_start, period_end, rate.tax_id, rate.name, rate.percent,
        coalesce((%(exponents)s::jsonb ->> currency)::int, 2) AS exponent,
        jsonb_agg(taxable.product_id ORDER BY taxable.product_id) AS products,
        sum(amount) AS base, sum(amount) * rate.percent * 0.01 AS exact,
        -- The mirror may have changed since the rules were made of it.
        min(CASE WHEN rule.place IS NULL THEN 'The mirror is changing: reconcile again.'
            ELSE nullif(rule.reason, '') END) AS reason
    FROM ({TAXABLE}) AS taxable
    LEFT JOIN jsonb_to_recordset(%(rules)s::jsonb)
        AS rule (place text, product_id bigint, ends timestamptz, reason text, rates jsonb)
        ON rule.place = taxable.place AND rule.product_id = taxable.product_id
            AND rule.ends = taxable.period_end
    LEFT JOIN LATERAL jsonb_to_recordset(rule.rates) AS rate (tax_id bigint, name text, percent numeric) ON true
    GROUP BY 1, 2, 3, 4, 5, 6, 7
) AS share
GROUP BY 1, 2, 3, 4
"""


def read_parameters(*, service: Service, label: str, earliest: datetime, latest: datetime) -> dict[str, str]:
    """What `TAXED` asks for beside the period's own parameters, in five queries whatever the fees.

    A bill bears the taxes that held at the end of its period: a rate that changes later changes no closed one.
    """
    parameters: dict[str, Any] = {
        "service": service.pk,
        "label": label,
        "from": earliest,
        "to": latest,
        "company": company_of(service),
    }
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT DISTINCT place, product_id, period_end FROM ({TAXABLE}) AS taxable", parameters
        )
        taxed = cursor.fetchall()
    products = OdooProduct.objects.filter(odoo_id__in={product_id for _, product_id, _ in taxed})
    tax_ids = dict(products.values_list("odoo_id", "tax_ids"))
    charts = TaxCharts(company_of(service))
    rules = [
        {
            "place": place,
            "product_id": product_id,
            "ends": period_end.isoformat(),
            **_write(_decide(place, product_id, tax_ids, charts.at(period_end))),
        }
        for place, product_id, period_end in taxed
    ]
    return {"rules": json.dumps(rules), "exponents": json.dumps(dict(EXPONENTS))}


@dataclass(frozen=True, slots=True)
class CustomerTaxes:
    """What one customer pays on some products of Odoo's; `reason` says why that is not known."""

    by_product: Mapping[int, Rates]
    reason: str = ""

    def rates(self, product_id: int | None) -> Rates:
        """The rates on a product; none where they are not known."""
        return self.by_product.get(product_id or 0, ())

    def tax(self, amounts: Iterable[tuple[int | None, Decimal]], currency: str) -> Decimal:
        """The tax on amounts by product, rounded once for all of them (Lago: invoice)."""
        taxable = [
            Taxable(amount, [rate.tax_rate for rate in self.rates(product_id)])
            for product_id, amount in amounts
        ]
        return compute_taxes(taxable, currency).total


def read_customer_taxes(*, customer: Customer, product_ids: Iterable[int | None]) -> CustomerTaxes:
    """The rates that a customer pays on products by the mirror, as `find_rates` decides them, in five queries."""
    company_id = company_of(customer.service)
    wanted = {product_id or 0 for product_id in product_ids}
    with connection.cursor() as cursor:
        parameters = {"company": company_id, "service": customer.service_id, "customer": customer.pk}
        cursor.execute(f"{PLACES} AND customer.id = %(customer)s", parameters)
        _, place = cursor.fetchone()
    products = OdooProduct.objects.filter(odoo_id__in=wanted)
    tax_ids = dict(products.values_list("odoo_id", "tax_ids"))
    chart = TaxCharts(company_id).at(None)
    found = {product_id: _decide(place, product_id, tax_ids, chart) for product_id in wanted}
    reasons = [each.reason for each in found.values() if isinstance(each, NotComparable)]
    known = {key: each for key, each in found.items() if not isinstance(each, NotComparable)}
    return CustomerTaxes({} if reasons else known, min(reasons, default=""))


def _decide(
    place: str, product_id: int, tax_ids: Mapping[int, list[int] | None], chart: TaxChart
) -> Rates | NotComparable:
    where = json.loads(place)
    if where == UNLINKED:
        return _miss("The customer is not linked to a partner in Odoo.")
    if where == NOT_MIRRORED:
        return _miss("The partner is not in the mirror, or not for this company: synchronise Odoo.")
    if not product_id:
        return _miss("A fee has no product in Odoo.")
    own = tax_ids.get(product_id)
    if own is None:
        return _miss(f"Product {product_id} is not in the mirror: synchronise Odoo.")
    return find_rates(tax_ids=own, place=Place(**where), chart=chart)


def _miss(reason: str) -> NotComparable:
    return NotComparable(Obstacle.NOT_MIRRORED, reason)


def _write(rates: Rates | NotComparable) -> dict[str, Any]:
    if isinstance(rates, NotComparable):
        return {"reason": rates.reason[:255], "rates": []}
    return {"reason": "", "rates": list(_write_rates(rates))}


def _write_rates(rates: Rates) -> Iterator[dict[str, Any]]:
    for rate in rates:
        yield {"tax_id": rate.tax_id, "name": rate.name, "percent": str(rate.percent)}
