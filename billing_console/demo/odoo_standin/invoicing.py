"""The wizard that makes draft invoices of what is left to invoice on confirmed orders."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from .accounting import MOVE
from .environment import Environment
from .errors import UserError
from .fields import Record
from .model import Given, Rules
from .pricing import ZERO
from .sales import ORDER
from .uninvoiced import count_to_invoice
from .writing import CREATE, SET, create_records

WIZARD = "sale.advance.payment.inv"

NOTHING_TO_INVOICE = """Cannot create an invoice. No items are available to invoice.

To resolve this issue, please ensure that:
   • The products have been delivered before attempting to invoice them.
   • The invoicing policy of the product is configured correctly.

If you want to invoice based on ordered quantities instead:
   • For consumable or storable products, open the product, go to the 'General Information' tab and change \
the 'Invoicing Policy' from 'Delivered Quantities' to 'Ordered Quantities'.
   • For services (and other products), change the 'Invoicing Policy' to 'Prepaid/Fixed Price'.
"""

Due = tuple[Record, list[tuple[Record, Decimal]]]


def _complete_wizard(env: Environment, wizard: Record, _given: Given) -> None:
    if env.context.get("active_model") == ORDER:
        wizard["sale_order_ids"] = list(env.context.get("active_ids", []))


def create_invoices(env: Environment, ids: list[int]) -> dict[str, Any]:
    """Make one draft invoice per customer and currency, or per order when not consolidated.

    Less delivered than invoiced makes a credit note that is linked to no invoice. UserError when nothing is
    left, which is what makes a second call harmless.
    """
    (wizard,) = env.browse(WIZARD, ids)
    groups: dict[tuple[int, ...], list[Due]] = {}
    for order in env.browse(ORDER, wizard["sale_order_ids"]):
        due = _list_due(env, order)
        if due:
            groups.setdefault(_group_of(order, wizard), []).append((order, due))
    if not groups:
        raise UserError(NOTHING_TO_INVOICE)
    moves = [create_records(env, MOVE, [_make_invoice(env, group)])[0] for group in groups.values()]
    return _open_invoices(env, moves)


def _group_of(order: Record, wizard: Record) -> tuple[int, ...]:
    if wizard["consolidated_billing"]:
        return (order["company_id"], order["partner_id"], order["currency_id"])
    return (order["id"],)


def _list_due(env: Environment, order: Record) -> list[tuple[Record, Decimal]]:
    lines = env.children(ORDER, order["id"], "order_line")
    return [(line, quantity) for line in lines if (quantity := count_to_invoice(env, line))]


def _make_invoice(env: Environment, group: list[Due]) -> Record:
    order = group[0][0]
    due = [pair for _, pairs in group for pair in pairs]
    is_refund = sum((quantity * line["price_unit"] for line, quantity in due), ZERO) < 0
    sign = -1 if is_refund else 1
    return {
        "move_type": "out_refund" if is_refund else "out_invoice",
        "partner_id": order["partner_id"],
        "company_id": order["company_id"],
        "currency_id": order["currency_id"],
        "fiscal_position_id": order["fiscal_position_id"],
        "ref": ", ".join(order["client_order_ref"] for order, _ in group if order["client_order_ref"])
        or False,
        "invoice_origin": ", ".join(order["name"] for order, _ in group),
        "invoice_line_ids": [[CREATE, 0, _make_line(env, line, sign * quantity)] for line, quantity in due],
    }


def _make_line(env: Environment, line: Record, quantity: Decimal) -> Record:
    product = env.display_name("product.product", line["product_id"])
    return {
        "product_id": line["product_id"],
        "name": line["name"] if product in line["name"] else f"{product}\n{line['name']}",
        "quantity": quantity,
        "price_unit": line["price_unit"],
        "discount": line["discount"],
        "tax_ids": [[SET, 0, line["tax_ids"]]],
        "sale_line_ids": [[SET, 0, [line["id"]]]],
    }


def _open_invoices(env: Environment, moves: list[int]) -> dict[str, Any]:
    """Return the window action of a real server: `res_id` for one document, a domain for several."""
    first = env.get(MOVE, moves[0])
    action: dict[str, Any] = {
        "id": 1,
        "display_name": "Invoices",
        "name": "Invoices",
        "type": "ir.actions.act_window",
        "xml_id": "account.action_move_out_invoice_type",
        "path": "invoicing",
        "help": "",
        "binding_model_id": False,
        "binding_type": "action",
        "binding_view_types": "list,form",
        "view_id": [1, "account.out.invoice.list"],
        "domain": "[('move_type', 'in', ['out_invoice', 'out_refund', 'out_receipt'])]",
        "context": {"default_move_type": "out_invoice"},
        "res_id": 0,
        "res_model": MOVE,
        "target": "current",
        "view_mode": "list,kanban,form,activity",
        "mobile_view_mode": "kanban",
        "views": [[2, "form"], [1, "list"], [False, "kanban"], [False, "activity"]],
        "limit": 80,
        "group_ids": [],
        "search_view_id": [3, "account.invoice.select"],
        "embedded_action_ids": [],
        "filter": False,
        "cache": True,
    }
    if len(moves) > 1:
        return action | {"domain": [["id", "in", moves]]}
    partner = {
        "default_partner_id": first["partner_id"],
        "default_partner_shipping_id": first["partner_id"],
        "default_invoice_payment_term_id": None,
    }
    return action | {"res_id": moves[0], "context": action["context"] | partner}


WIZARD_RULES = Rules(complete=_complete_wizard, methods={"create_invoices": create_invoices})
