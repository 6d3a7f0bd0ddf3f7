"""Payments by Stripe: transactions, and the cards that may be charged again; names as in Odoo 19's modules."""

from billing_console.demo.odoo_standin.fields import boolean, char, many2one, monetary, selection
from billing_console.demo.odoo_standin.model import define

TRANSACTION = define(
    "payment.transaction",
    "Payment Transaction",
    {
        "reference": char("Reference", required=True, indexed=True),
        "provider_code": char("Provider Code", default="stripe"),
        "provider_reference": char("Provider Reference"),
        "state": selection(
            "Status", "draft", "pending", "authorized", "done", "cancel", "error", default="draft"
        ),
        "amount": monetary("Amount"),
        "currency_id": many2one("Currency", "res.currency", default=lambda env: env.currency_id),
        "partner_id": many2one("Customer", "res.partner"),
        "company_id": many2one("Company", "res.company", default=lambda env: env.company_id),
    },
    display=lambda _env, row: str(row["reference"]),
)

TOKEN = define(
    "payment.token",
    "Payment Token",
    {
        "partner_id": many2one("Partner", "res.partner", required=True),
        "provider_code": char("Provider Code", default="stripe"),
        "provider_ref": char("Provider Reference"),
        "stripe_payment_method": char("Stripe Payment Method ID"),
        "active": boolean("Active", default=True),
        "company_id": many2one("Company", "res.company", default=lambda env: env.company_id),
    },
    display=lambda _env, row: f"payment.token,{row['id']}",
)

MODELS = (TRANSACTION, TOKEN)
