"""The wizard that makes draft credit notes of posted invoices."""

from __future__ import annotations

from typing import Any

from .accounting import MOVE
from .environment import Environment
from .errors import UserError
from .fields import Record
from .model import Given, Rules
from .writing import CREATE, SET, create_records

WIZARD = "account.move.reversal"


def _complete_wizard(env: Environment, wizard: Record, _given: Given) -> None:
    if env.context.get("active_model") == MOVE:
        wizard["move_ids"] = list(env.context.get("active_ids", []))
    moves = env.browse(MOVE, wizard["move_ids"])
    if any(move["state"] != "posted" or move["move_type"] != "out_invoice" for move in moves):
        raise UserError("You can only reverse posted moves.")


def refund_moves(env: Environment, ids: list[int]) -> dict[str, Any]:
    """Make a draft credit note of each invoice, which gives the quantities back to the orders."""
    (wizard,) = env.browse(WIZARD, ids)
    moves = env.browse(MOVE, wizard["move_ids"])
    notes = create_records(env, MOVE, [_make_note(env, wizard, move) for move in moves])
    action: dict[str, Any] = {
        "name": "Reverse Moves",
        "type": "ir.actions.act_window",
        "res_model": MOVE,
        "context": {"default_move_type": "out_refund"},
    }
    if len(notes) == 1:
        return action | {"view_mode": "form", "res_id": notes[0]}
    return action | {"view_mode": "list,form", "domain": [["id", "in", notes]]}


def _make_note(env: Environment, wizard: Record, move: Record) -> Record:
    reason = f", {wizard['reason']}" if wizard["reason"] else ""
    lines = env.children(MOVE, move["id"], "invoice_line_ids")
    return {
        "move_type": "out_refund",
        "ref": f"Reversal of: {move['name']}{reason}",
        "reversed_entry_id": move["id"],
        "invoice_date": wizard["date"],
        "partner_id": move["partner_id"],
        "company_id": move["company_id"],
        "currency_id": move["currency_id"],
        "journal_id": move["journal_id"],
        "fiscal_position_id": move["fiscal_position_id"],
        "invoice_origin": move["invoice_origin"],
        "invoice_line_ids": [[CREATE, 0, _copy_line(line)] for line in lines],
    }


def _copy_line(line: Record) -> Record:
    copied = {name: line[name] for name in ("product_id", "name", "quantity", "price_unit", "discount")}
    return copied | {
        "tax_ids": [[SET, 0, line["tax_ids"]]],
        "sale_line_ids": [[SET, 0, line["sale_line_ids"]]],
    }


WIZARD_RULES = Rules(complete=_complete_wizard, methods={"refund_moves": refund_moves})
