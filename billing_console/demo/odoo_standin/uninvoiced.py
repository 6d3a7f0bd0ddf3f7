"""What of a sale order is invoiced and what is left to invoice, worked out from its invoice lines."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from .environment import Environment
from .fields import Record
from .pricing import ZERO, round_to

SIGNS = {"out_invoice": 1, "out_refund": -1}


def list_invoice_lines(env: Environment, line: Record) -> list[int]:
    """Return the ids of the invoice lines made from an order line."""
    return env.store.find_ids("account.move.line", "sale_line_ids", line["id"])


def list_invoices(env: Environment, order: Record) -> list[int]:
    """Return the ids of the invoices and credit notes made from an order."""
    lines = env.children("sale.order", order["id"], "order_line")
    entries = env.browse(
        "account.move.line", [entry for line in lines for entry in list_invoice_lines(env, line)]
    )
    return sorted({entry["move_id"] for entry in entries})


def count_invoiced(env: Environment, line: Record) -> Decimal:
    """Return the invoiced quantity: drafts count already, credit notes count against it."""
    return _add_invoiced(env, line, "quantity", {"draft", "posted"})


def count_posted(env: Environment, line: Record) -> Decimal:
    """Return the invoiced quantity of posted documents."""
    return _add_invoiced(env, line, "quantity", {"posted"})


def sum_untaxed_invoiced(env: Environment, line: Record) -> Decimal:
    """Return the untaxed amount of posted documents."""
    return _add_invoiced(env, line, "price_subtotal", {"posted"})


def count_to_invoice(env: Environment, line: Record) -> Decimal:
    """Return the quantity the wizard would invoice; negative when less was delivered than invoiced."""
    if env.get("sale.order", line["order_id"])["state"] != "sale":
        return ZERO
    return _billable_quantity(env, line) - count_invoiced(env, line)


def find_line_status(env: Environment, line: Record) -> str:
    """Return 'no', 'to invoice' or 'invoiced'."""
    if env.get("sale.order", line["order_id"])["state"] != "sale":
        return "no"
    if count_to_invoice(env, line):
        return "to invoice"
    return "invoiced" if count_invoiced(env, line) >= line["product_uom_qty"] else "no"


def find_order_status(env: Environment, order: Record) -> str:
    """Return an order's status from its lines': one to invoice makes the order so."""
    statuses = {find_line_status(env, line) for line in env.children("sale.order", order["id"], "order_line")}
    if order["state"] != "sale":
        return "no"
    if "to invoice" in statuses:
        return "to invoice"
    return "invoiced" if statuses == {"invoiced"} else "no"


def sum_untaxed_to_invoice(env: Environment, line: Record) -> Decimal:
    """Return the untaxed amount not yet posted; drafts are ignored, unlike in the quantity."""
    order = env.get("sale.order", line["order_id"])
    if order["state"] != "sale":
        return ZERO
    step = env.get("res.currency", order["currency_id"])["rounding"]
    price = line["price_unit"] * (1 - line["discount"] / 100)
    amount = price * _billable_quantity(env, line) - sum_untaxed_invoiced(env, line)
    return round_to(amount, step)


def sum_to_invoice(env: Environment, line: Record) -> Decimal:
    """Return the amount with tax not yet posted; nothing for a line of no ordered quantity."""
    if not line["product_uom_qty"]:
        return ZERO
    order = env.get("sale.order", line["order_id"])
    step = env.get("res.currency", order["currency_id"])["rounding"]
    quantity = _billable_quantity(env, line) - count_posted(env, line)
    return round_to(line["price_total"] / line["product_uom_qty"] * quantity, step)


def sum_order_to_invoice(env: Environment, order: Record) -> Decimal:
    """Return the sum of its lines' amounts to invoice."""
    lines = env.children("sale.order", order["id"], "order_line")
    return sum((sum_to_invoice(env, line) for line in lines), ZERO)


def subtract_as_floats(_env: Environment, line: Record) -> float:
    """Return total − subtotal with the noise of Odoo's floats, which a client must round away."""
    return float(line["price_total"]) - float(line["price_subtotal"])


def _billable_quantity(env: Environment, line: Record) -> Decimal:
    policy = env.related("product.product", line["product_id"], "invoice_policy")
    return Decimal(line["qty_delivered"] if policy == "delivery" else line["product_uom_qty"])


def _add_invoiced(env: Environment, line: Record, field: str, states: set[Any]) -> Decimal:
    total = ZERO
    for entry in env.browse("account.move.line", list_invoice_lines(env, line)):
        move = env.get("account.move", entry["move_id"])
        if move["state"] in states:
            total += SIGNS[move["move_type"]] * entry[field]
    return total
