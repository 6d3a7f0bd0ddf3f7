"""The optional module that shows the console's reconciliations inside Odoo."""

from billing_console.demo.odoo_standin.fields import boolean, char, many2one, monetary, selection, text
from billing_console.demo.odoo_standin.model import define

SERVICE = define(
    "fusion.billing.service",
    "Billing service (stub)",
    {
        "name": char("Name", required=True),
        "code": char("Code", required=True, indexed=True),
        "active": boolean("Active", default=True),
    },
)

RECONCILIATION = define(
    "fusion.billing.reconciliation",
    "Billing reconciliation line (stub)",
    {
        "service_id": many2one("Service", "fusion.billing.service", required=True),
        "partner_id": many2one("Customer", "res.partner", required=True),
        "period": char("Period", required=True),
        "currency_id": many2one("Currency", "res.currency", default=lambda env: env.currency_id),
        "odoo_amount": monetary("Odoo amount"),
        "external_amount": monetary("External amount"),
        "delta": monetary("Delta"),
        "status": selection("Status", "match", "delta", "resolved", default="delta"),
        "note": text("Note"),
    },
    display=lambda _env, row: f"fusion.billing.reconciliation,{row['id']}",
)

MODELS = (SERVICE, RECONCILIATION)
