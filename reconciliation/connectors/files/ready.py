"""Mappings that are ready: the exports that Stripe's and Lago's own pages give."""

from __future__ import annotations

from collections.abc import Mapping

from reconciliation.connectors.files.mapping import DateFormat, Field, TableMapping
from reconciliation.connectors.files.records import LineKind

# Stripe: Dashboard, Invoices, Export. One row is one invoice, without its lines; amounts in whole units.
STRIPE_INVOICES = TableMapping(
    name="stripe_invoices",
    columns={
        Field.STRIPE_CUSTOMER: "Customer",
        Field.CURRENCY: "Currency",
        Field.USED_FROM: "Minimum Line Item Period Start (UTC)",
        Field.USED_TO: "Maximum Line Item Period End (UTC)",
        Field.DOCUMENT: "Number",
        Field.STATUS: "Status",
        Field.TAX: "Tax",
        Field.TOTAL: "Total",
    },
    fixed={Field.DESCRIPTION: "Stripe invoice"},
    date_format=DateFormat.ISO_INSTANT,
    counted=frozenset({"paid", "open", "uncollectible"}),
    left_out=frozenset({"draft", "void", "deleted"}),
)

# Lago: Invoices, Export, fees. One row is one fee; amounts in minor units, both ends of its period included.
# Lago exports no status here: its page exports what the list shows, which must be finalized invoices alone.
LAGO_FEES = TableMapping(
    name="lago_fees",
    columns={
        Field.SUBSCRIPTION: "subscription_external_id",
        Field.CURRENCY: "fee_amount_currency",
        Field.USED_FROM: "fee_from_date_utc",
        Field.USED_TO: "fee_to_date_utc",
        Field.DOCUMENT: "invoice_number",
        Field.KIND: "fee_item_type",
        Field.CODE: "fee_item_code",
        Field.DESCRIPTION: "fee_item_name",
        Field.QUANTITY: "fee_units",
        Field.UNIT_PRICE: "fee_precise_unit_amount",
        Field.TAX: "fee_taxes_amount_cents",
        Field.TOTAL: "fee_total_amount_cents",
    },
    date_format=DateFormat.ISO_INSTANT,
    is_minor=True,
    is_end_inclusive=True,
    kinds={
        "charge": LineKind.USAGE,
        "subscription": LineKind.PLAN,
        "fixed_charge": LineKind.PLAN,
        "commitment": LineKind.ADJUSTMENT,
        "add_on": LineKind.ONE_TIME,
    },
)

READY: Mapping[str, TableMapping] = {each.name: each for each in (STRIPE_INVOICES, LAGO_FEES)}
TITLES: Mapping[str, str] = {
    "stripe_invoices": "Stripe: export of invoices",
    "lago_fees": "Lago: export of fees",
}
