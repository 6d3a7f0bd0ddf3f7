"""Sale orders, their lines, the subscription plans they may have, and the wizard that invoices them."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from billing_console.demo.odoo_standin.environment import Environment
from billing_console.demo.odoo_standin.fields import (
    Record,
    boolean,
    char,
    date,
    floating,
    integer,
    many2many,
    many2one,
    moment,
    monetary,
    one2many,
    quantity,
    selection,
    text,
)
from billing_console.demo.odoo_standin.invoicing import WIZARD_RULES
from billing_console.demo.odoo_standin.model import define
from billing_console.demo.odoo_standin.sales import LINE_RULES, ORDER_RULES
from billing_console.demo.odoo_standin.uninvoiced import (
    count_invoiced,
    count_posted,
    count_to_invoice,
    find_line_status,
    find_order_status,
    list_invoice_lines,
    list_invoices,
    subtract_as_floats,
    sum_order_to_invoice,
    sum_to_invoice,
    sum_untaxed_invoiced,
    sum_untaxed_to_invoice,
)

INVOICE_STATUSES = ("upselling", "invoiced", "to invoice", "no")


def _of_order(name: str) -> Callable[[Environment, Record], Any]:
    return lambda env, line: env.related("sale.order", line["order_id"], name)


def _show_line(env: Environment, line: Record) -> str:
    return f"{env.display_name('sale.order', line['order_id'])} - {str(line['name']).splitlines()[0]}"


TAG = define(
    "crm.tag",
    "CRM Tag",
    {"name": char("Tag Name", required=True), "color": integer("Color", default=1)},
    unique=(("name",),),
)

PLAN = define(
    "sale.subscription.plan",
    "Subscription Plan",
    {
        "name": char("Name", required=True),
        "billing_period_value": integer("Duration", default=1),
        "billing_period_unit": selection("Unit", "week", "month", "year", default="month"),
        "company_id": many2one("Company", "res.company"),
        "active": boolean("Active", default=True),
    },
)

ORDER = define(
    "sale.order",
    "Sales Order",
    {
        "name": char("Order Reference", required=True),
        "state": selection("Status", "draft", "sent", "sale", "cancel", default="draft"),
        "locked": boolean("Locked"),
        "partner_id": many2one("Customer", "res.partner", required=True, ondelete="restrict"),
        "company_id": many2one("Company", "res.company", required=True, default=lambda env: env.company_id),
        "pricelist_id": many2one("Pricelist", "product.pricelist"),
        "currency_id": many2one("Currency", "res.currency", required=True),
        "fiscal_position_id": many2one("Fiscal Position", "account.fiscal.position"),
        "client_order_ref": char("Customer Reference", indexed=True),
        "origin": char("Source Document"),
        "note": text("Terms and conditions"),
        "date_order": moment("Order Date", default=lambda env: env.now),
        "validity_date": date("Expiration"),
        "require_signature": boolean("Online signature", default=True),
        "require_payment": boolean("Online payment"),
        "tag_ids": many2many("Tags", "crm.tag"),
        "order_line": one2many("Order Lines", "sale.order.line", inverse="order_id"),
        "amount_untaxed": monetary("Untaxed Amount"),
        "amount_tax": monetary("Taxes"),
        "amount_total": monetary("Total"),
        "amount_to_invoice": monetary("Un-invoiced Balance", compute=sum_order_to_invoice),
        "invoice_ids": many2many("Invoices", "account.move", compute=list_invoices),
        "invoice_status": selection("Invoice Status", *INVOICE_STATUSES, compute=find_order_status),
        "is_subscription": boolean("Recurring"),
        "plan_id": many2one("Recurring Plan", "sale.subscription.plan"),
        "subscription_state": selection(
            "Subscription Status",
            "1_draft",
            "2_renewal",
            "3_progress",
            "4_paused",
            "5_renewed",
            "6_churn",
            "7_upsell",
        ),
        "subscription_id": many2one("Parent Contract", "sale.order"),
        "origin_order_id": many2one("Origin Contract", "sale.order"),
        "start_date": date("Start Date"),
        "end_date": date("End Date"),
        "next_invoice_date": date("Date of Next Invoice"),
    },
    order="date_order desc, id desc",
)

LINE = define(
    "sale.order.line",
    "Sales Order Line",
    {
        "order_id": many2one("Order Reference", "sale.order", required=True, ondelete="cascade"),
        "sequence": integer("Sequence", default=10),
        "name": text("Description", required=True),
        "product_id": many2one("Product", "product.product", required=True, ondelete="restrict"),
        "product_uom_qty": quantity("Quantity", default=Decimal(1)),
        "qty_delivered": quantity("Delivery Quantity"),
        "qty_invoiced": quantity("Invoiced Quantity", compute=count_invoiced),
        "qty_invoiced_posted": quantity("Invoiced Quantity (posted)", compute=count_posted),
        "qty_to_invoice": quantity("Quantity To Invoice", compute=count_to_invoice),
        "price_unit": floating("Unit Price"),
        "technical_price_unit": floating("Technical Price Unit"),
        "discount": floating("Discount (%)", digits=2),
        "tax_ids": many2many("Taxes", "account.tax"),
        "price_subtotal": monetary("Subtotal"),
        "price_tax": floating("Total Tax", compute=subtract_as_floats),
        "price_total": monetary("Total"),
        "untaxed_amount_invoiced": monetary("Untaxed Invoiced Amount", compute=sum_untaxed_invoiced),
        "untaxed_amount_to_invoice": monetary("Untaxed Amount To Invoice", compute=sum_untaxed_to_invoice),
        "amount_to_invoice": monetary("Un-invoiced Balance", compute=sum_to_invoice),
        "invoice_lines": many2many("Invoice Lines", "account.move.line", compute=list_invoice_lines),
        "invoice_status": selection("Invoice Status", *INVOICE_STATUSES, compute=find_line_status),
        "state": selection("Order Status", "draft", "sent", "sale", "cancel", compute=_of_order("state")),
        "order_partner_id": many2one("Customer", "res.partner", compute=_of_order("partner_id")),
        "company_id": many2one("Company", "res.company", compute=_of_order("company_id")),
        "currency_id": many2one("Currency", "res.currency", compute=_of_order("currency_id")),
    },
    order="order_id, sequence, id",
    display=_show_line,
)

INVOICE_WIZARD = define(
    "sale.advance.payment.inv",
    "Sales Advance Payment Invoice",
    {
        "advance_payment_method": selection(
            "Create Invoice", "delivered", required=True, default="delivered"
        ),
        "consolidated_billing": boolean("Consolidated Billing", default=True),
        "sale_order_ids": many2many("Orders", "sale.order"),
    },
    display=lambda _env, wizard: f"sale.advance.payment.inv,{wizard['id']}",
)

MODELS = (TAG, PLAN, ORDER, LINE, INVOICE_WIZARD)

RULES = {ORDER.name: ORDER_RULES, LINE.name: LINE_RULES, INVOICE_WIZARD.name: WIZARD_RULES}
