"""Invoices and credit notes, the lines of their entries, their journal, and the wizard that reverses them."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from billing_console.demo.odoo_standin.accounting import LINE_RULES, MOVE_RULES, show_move
from billing_console.demo.odoo_standin.environment import Environment
from billing_console.demo.odoo_standin.fields import (
    Record,
    char,
    date,
    floating,
    integer,
    many2many,
    many2one,
    monetary,
    one2many,
    quantity,
    selection,
    text,
)
from billing_console.demo.odoo_standin.model import define
from billing_console.demo.odoo_standin.reversals import WIZARD_RULES

MOVE_TYPES = ("out_invoice", "out_refund")
STATES = ("draft", "posted", "cancel")


def _of_move(name: str) -> Callable[[Environment, Record], Any]:
    return lambda env, line: env.related("account.move", line["move_id"], name)


def _default_journal(env: Environment) -> int | bool:
    for journal in env.store.list_records("account.journal"):
        if journal["company_id"] == env.company_id:
            return int(journal["id"])
    return False


def _show_line(_env: Environment, line: Record) -> str:
    return str(line["name"] or "")


JOURNAL = define(
    "account.journal",
    "Journal",
    {
        "name": char("Journal Name", required=True),
        "code": char("Sequence Prefix", required=True),
        "type": selection("Type", "sale", "purchase", "bank", "general", required=True),
        "company_id": many2one("Company", "res.company", required=True, default=lambda env: env.company_id),
    },
)

MOVE = define(
    "account.move",
    "Journal Entry",
    {
        "name": char("Number"),
        "ref": char("Reference", indexed=True),
        "state": selection("Status", *STATES, default="draft"),
        "move_type": selection("Type", *MOVE_TYPES, required=True),
        "partner_id": many2one("Partner", "res.partner", required=True, ondelete="restrict"),
        "company_id": many2one("Company", "res.company", required=True, default=lambda env: env.company_id),
        "currency_id": many2one("Currency", "res.currency", required=True),
        "journal_id": many2one("Journal", "account.journal", default=_default_journal),
        "fiscal_position_id": many2one("Fiscal Position", "account.fiscal.position"),
        "date": date("Date", default=lambda env: env.today),
        "invoice_date": date("Invoice/Bill Date"),
        "invoice_date_due": date("Due Date"),
        "invoice_origin": char("Origin"),
        "payment_reference": char("Payment Reference"),
        "payment_state": selection(
            "Payment Status",
            "not_paid",
            "in_payment",
            "paid",
            "partial",
            "reversed",
            "blocked",
            "invoicing_legacy",
            default="not_paid",
        ),
        "reversed_entry_id": many2one("Reversal of", "account.move"),
        "reversal_move_ids": one2many("Reversal moves", "account.move", inverse="reversed_entry_id"),
        "line_ids": one2many("Journal Items", "account.move.line", inverse="move_id"),
        "invoice_line_ids": one2many(
            "Invoice lines", "account.move.line", inverse="move_id", only=("display_type", "product")
        ),
        "invoice_currency_rate": floating("Currency Rate"),
        "amount_untaxed": monetary("Untaxed Amount"),
        "amount_tax": monetary("Tax"),
        "amount_total": monetary("Total"),
        "amount_residual": monetary("Amount Due"),
        "amount_untaxed_signed": monetary("Untaxed Amount Signed"),
        "amount_tax_signed": monetary("Tax Signed"),
        "amount_total_signed": monetary("Total Signed"),
        "amount_residual_signed": monetary("Amount Due Signed"),
    },
    order="date desc, name desc, invoice_date desc, id desc",
    display=show_move,
)

LINE = define(
    "account.move.line",
    "Journal Item",
    {
        "move_id": many2one("Journal Entry", "account.move", required=True, ondelete="cascade"),
        "sequence": integer("Sequence", default=10),
        "display_type": selection("Display Type", "product", "tax", "payment_term", default="product"),
        "name": text("Label"),
        "product_id": many2one("Product", "product.product", ondelete="restrict"),
        "quantity": quantity("Quantity", default=Decimal(1)),
        "price_unit": floating("Unit Price"),
        "discount": floating("Discount (%)", digits=2),
        "tax_ids": many2many("Taxes", "account.tax"),
        "tax_line_id": many2one("Originator Tax", "account.tax"),
        "sale_line_ids": many2many("Sales Order Lines", "sale.order.line"),
        "price_subtotal": monetary("Subtotal"),
        "price_total": monetary("Total"),
        "balance": monetary("Balance"),
        "amount_currency": monetary("Amount in Currency"),
        "parent_state": selection("Status", *STATES, compute=_of_move("state")),
        "move_type": selection("Type", *MOVE_TYPES, compute=_of_move("move_type")),
        "date": date("Date", compute=_of_move("date")),
        "partner_id": many2one("Partner", "res.partner", compute=_of_move("partner_id")),
        "company_id": many2one("Company", "res.company", compute=_of_move("company_id")),
        "currency_id": many2one("Currency", "res.currency", compute=_of_move("currency_id")),
    },
    order="id",
    display=_show_line,
)

REVERSAL = define(
    "account.move.reversal",
    "Account Move Reversal",
    {
        "move_ids": many2many("Journal Entry", "account.move"),
        "journal_id": many2one("Journal", "account.journal"),
        "reason": char("Reason displayed on Credit Note"),
        "date": date("Reversal date", default=lambda env: env.today),
    },
    display=lambda _env, wizard: f"account.move.reversal,{wizard['id']}",
)

MODELS = (JOURNAL, MOVE, LINE, REVERSAL)

RULES = {MOVE.name: MOVE_RULES, LINE.name: LINE_RULES, REVERSAL.name: WIZARD_RULES}
