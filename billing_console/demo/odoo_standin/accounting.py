"""Invoices and credit notes: their amounts, the lines of their entry, posting, resetting and cancelling."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from .environment import Environment
from .errors import UserError
from .fields import Record
from .model import Given, Rules
from .pricing import ZERO, Amounts, round_to
from .sales import convert_amount
from .taxation import choose_taxes, find_fiscal_position, total_lines

MOVE = "account.move"
LINE = "account.move.line"

# How a document counts in the company's books: a credit note against it.
DIRECTIONS = {"out_invoice": 1, "out_refund": -1}
PREFIXES = {"out_invoice": "INV", "out_refund": "RINV"}

UNMODIFIABLE = (
    "partner_id",
    "currency_id",
    "company_id",
    "move_type",
    "invoice_date",
    "invoice_line_ids",
    "line_ids",
)


def _complete_move(env: Environment, move: Record, given: Given) -> None:
    home = env.related("res.company", move["company_id"], "currency_id")
    if "currency_id" not in given:
        move["currency_id"] = home
    if "fiscal_position_id" not in given:
        move["fiscal_position_id"] = find_fiscal_position(env, move["partner_id"], move["company_id"])
    if not move["invoice_date_due"]:
        move["invoice_date_due"] = move["invoice_date"] or env.today
    move["invoice_currency_rate"] = convert_amount(env, Decimal(1), home, move["currency_id"])


def _refuse_move_write(env: Environment, move: Record, given: Given) -> None:
    refused = [env.model(MOVE).field(name).label for name in UNMODIFIABLE if name in given]
    if refused and move["state"] == "posted":
        raise UserError(
            "You cannot modify the following readonly fields on a posted move: " + ", ".join(refused)
        )


def _refuse_move_removal(_env: Environment, move: Record) -> None:
    if move["state"] == "posted":
        raise UserError("A posted document cannot be deleted. Reset it to draft first.")


def _complete_line(env: Environment, line: Record, given: Given) -> None:
    move = env.store.get(MOVE, line["move_id"]) if line["move_id"] else None
    product = env.store.get("product.product", line["product_id"]) if line["product_id"] else None
    if move is None:
        return
    _refuse_posted(move)
    if product is None:
        return
    if "name" not in given:
        line["name"] = env.display_name("product.product", product["id"])
    if "price_unit" not in given:
        home = env.related("res.company", move["company_id"], "currency_id")
        line["price_unit"] = convert_amount(env, product["list_price"], home, move["currency_id"])
    if "tax_ids" not in given:
        line["tax_ids"] = choose_taxes(env, product["id"], move["company_id"], move["fiscal_position_id"])


def _refuse_line_removal(env: Environment, line: Record) -> None:
    _refuse_posted(env.get(MOVE, line["move_id"]))


def _refuse_posted(move: Record) -> None:
    if move["state"] == "posted":
        raise UserError("You cannot add or remove lines of a posted journal entry. Reset it to draft first.")


def _settle_lines(env: Environment, lines: list[Record], _given: Given) -> None:
    for move_id in dict.fromkeys(line["move_id"] for line in lines):
        if env.store.get(MOVE, move_id):
            _total_move(env, move_id)


def _total_move(env: Environment, move_id: int) -> None:
    """Recompute the lines' subtotals and, while it is a draft, the document and its entry.

    A posted document keeps its header whatever is written on its lines: do not trust their subtotals.
    """
    move = env.get(MOVE, move_id)
    lines = env.children(MOVE, move_id, "invoice_line_ids")
    amounts = total_lines(env, move, LINE, lines)
    if move["state"] != "draft":
        return
    plain = {
        "amount_untaxed": amounts.untaxed,
        "amount_tax": amounts.tax,
        "amount_total": amounts.total,
        "amount_residual": amounts.total,
    }
    signed = {f"{name}_signed": _to_home(env, move, amount) for name, amount in plain.items()}
    env.update(MOVE, move_id, {**plain, **signed, "write_date": env.now})
    _write_entry(env, move, amounts)


def _to_home(env: Environment, move: Record, amount: Decimal) -> Decimal:
    """Return a document's amount in the company's currency, negative on a credit note."""
    home = env.related("res.company", move["company_id"], "currency_id")
    step = env.get("res.currency", home)["rounding"]
    return DIRECTIONS[move["move_type"]] * round_to(amount / move["invoice_currency_rate"], step)


def _write_entry(env: Environment, move: Record, amounts: Amounts) -> None:
    """Write what each line of the entry books: products, one line per tax, and what the customer owes."""
    lines = env.children(MOVE, move["id"], "line_ids")
    booked: dict[int, Decimal] = {}
    for line in lines:
        if line["display_type"] == "product":
            booked[line["id"]] = -line["price_subtotal"]
    if booked:
        # Subtotals are rounded one by one, the document as a whole: the first line takes the difference.
        booked[min(booked)] -= amounts.untaxed + sum(booked.values(), ZERO)
    others = {
        (line["display_type"], line["tax_line_id"]): line["id"] for line in lines if line["id"] not in booked
    }
    for tax, amount in amounts.taxes.items():
        if amount:
            booked[others.pop(("tax", tax), None) or _add_line(env, move, "tax", tax)] = -amount
    owed = others.pop(("payment_term", False), None) or _add_line(env, move, "payment_term", False)
    for stale in others.values():
        env.store.remove(LINE, stale)
    _write_balances(env, move, booked, owed)


def _add_line(env: Environment, move: Record, display_type: str, tax: int | bool) -> int:
    name = env.display_name("account.tax", tax) if tax else False
    values = {"move_id": move["id"], "display_type": display_type, "tax_line_id": tax, "name": name}
    return int(env.insert(LINE, values)["id"])


def _write_balances(env: Environment, move: Record, booked: dict[int, Decimal], owed: int) -> None:
    """Store the amounts in both currencies; the owed line balances the entry."""
    balances = {line_id: _to_home(env, move, amount) for line_id, amount in booked.items()}
    amounts = {line_id: DIRECTIONS[move["move_type"]] * amount for line_id, amount in booked.items()}
    balances[owed] = -sum(balances.values(), ZERO)
    amounts[owed] = -sum(amounts.values(), ZERO)
    for line_id, balance in balances.items():
        env.update(LINE, line_id, {"balance": balance, "amount_currency": amounts[line_id]})


def post_moves(env: Environment, ids: list[int]) -> bool:
    """Post drafts: name and date them, and reconcile a credit note with what it reverses. Returns False."""
    for move in env.browse(MOVE, ids):
        if move["state"] != "draft":
            raise UserError(f"The entry {move['name']} (id {move['id']}) must be in draft.")
        if not env.children(MOVE, move["id"], "invoice_line_ids"):
            raise UserError("A document without lines cannot be posted.")
        dated = {**move, "invoice_date": move["invoice_date"] or env.today}
        name = move["name"] or _next_name(env, dated)
        changes = {
            "state": "posted",
            "name": name,
            "invoice_date": dated["invoice_date"],
            "date": dated["invoice_date"],
            "payment_reference": move["payment_reference"] or name,
            "payment_state": "not_paid" if move["amount_total"] else "paid",
        }
        env.update(MOVE, move["id"], changes)
        _reconcile(env, move["reversed_entry_id"])
    return False


def reset_moves(env: Environment, ids: list[int]) -> bool:
    """Make posted or cancelled documents drafts again; they keep their names."""
    for move in env.browse(MOVE, ids):
        if move["state"] not in {"posted", "cancel"}:
            raise UserError("Only posted/cancelled journal entries can be reset to draft.")
        env.update(MOVE, move["id"], {"state": "draft"})
        _write_residual(env, env.get(MOVE, move["id"]), move["amount_total"], settled="not_paid")
        _reconcile(env, move["reversed_entry_id"])
    return True


def cancel_moves(env: Environment, ids: list[int]) -> bool:
    """Cancel drafts, and posted documents after resetting them."""
    reset_moves(env, [move["id"] for move in env.browse(MOVE, ids) if move["state"] == "posted"])
    for move in env.browse(MOVE, ids):
        if move["state"] != "draft":
            raise UserError("Only draft journal entries can be cancelled.")
        env.update(MOVE, move["id"], {"state": "cancel"})
    return True


def _next_name(env: Environment, move: Record) -> str:
    prefix = f"{PREFIXES[move['move_type']]}/{move['invoice_date'][:4]}/"
    names = [other["name"] for other in env.store.list_records(MOVE) if other["name"]]
    numbers = [int(name.removeprefix(prefix)) for name in names if name.startswith(prefix)]
    return f"{prefix}{max(numbers, default=0) + 1:05}"


def _reconcile(env: Environment, invoice_id: Any) -> None:
    """Set an invoice's posted credit notes against it."""
    if not invoice_id:
        return
    invoice = env.get(MOVE, invoice_id)
    open_amount = invoice["amount_total"]
    for note in env.browse(MOVE, env.store.find_ids(MOVE, "reversed_entry_id", invoice_id)):
        if note["state"] == "posted":
            used = min(open_amount, note["amount_total"])
            open_amount -= used
            _write_residual(env, note, note["amount_total"] - used, settled="paid")
    _write_residual(env, invoice, open_amount, settled="reversed")


def _write_residual(env: Environment, move: Record, residual: Decimal, *, settled: str) -> None:
    state = "not_paid" if residual == move["amount_total"] else "partial"
    changes = {
        "amount_residual": residual,
        "amount_residual_signed": _to_home(env, move, residual),
        "payment_state": state if residual else settled,
    }
    env.update(MOVE, move["id"], changes)


def show_move(_env: Environment, move: Record) -> str:
    """The display name of a document: its number, or that it is a draft, with its reference."""
    drafts = {"out_invoice": "Draft Invoice", "out_refund": "Draft Credit Note"}
    parts = [drafts[move["move_type"]]] if move["state"] == "draft" else []
    parts += [move["name"]] if move["name"] else []
    parts += [f"({move['ref']})"] if move["ref"] else []
    return " ".join(parts)


MOVE_RULES = Rules(
    complete=_complete_move,
    refuse_write=_refuse_move_write,
    refuse_unlink=_refuse_move_removal,
    methods={"action_post": post_moves, "button_draft": reset_moves, "button_cancel": cancel_moves},
)

LINE_RULES = Rules(complete=_complete_line, refuse_unlink=_refuse_line_removal, settle=_settle_lines)
