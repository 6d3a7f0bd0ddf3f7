"""Sale orders: how a quotation and its lines are completed, priced, taxed, confirmed and protected."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from .environment import Environment
from .errors import UserError
from .fields import Record
from .model import Given, Rules
from .pricing import round_to
from .taxation import choose_taxes, find_fiscal_position, total_lines
from .uninvoiced import count_invoiced

ORDER = "sale.order"
LINE = "sale.order.line"

PRICED = frozenset({"product_id", "product_uom_qty", "price_unit", "discount", "tax_ids", "order_id"})
LOCKED = ("product_id", "name", "price_unit", "product_uom_qty", "tax_ids", "discount")


def convert_amount(env: Environment, amount: Decimal, from_currency: int, to_currency: int) -> Decimal:
    """Return the amount at the currencies' rates, not rounded."""
    if from_currency == to_currency:
        return amount
    rates = [env.get("res.currency", currency)["rate"] for currency in (from_currency, to_currency)]
    return Decimal(amount / rates[0] * rates[1])


def find_price(env: Environment, order: Record, product: Record) -> Decimal:
    """Return a product's price on the order: its pricelist's fixed one, else the list price, converted."""
    for item_id in env.store.find_ids("product.pricelist.item", "product_id", product["id"]):
        item = env.get("product.pricelist.item", item_id)
        if item["pricelist_id"] == order["pricelist_id"]:
            return Decimal(item["fixed_price"])
    home = env.related("res.company", order["company_id"], "currency_id")
    return convert_amount(env, product["list_price"], home, order["currency_id"])


def _complete_order(env: Environment, order: Record, given: Given) -> None:
    if "name" not in given:
        order["name"] = f"S{order['id']:05}"
    if "fiscal_position_id" not in given:
        order["fiscal_position_id"] = find_fiscal_position(env, order["partner_id"], order["company_id"])
    order["currency_id"] = _find_currency(env, order)
    if order["plan_id"]:
        order |= {"is_subscription": True, "subscription_state": "1_draft"}


def _revise_order(env: Environment, order: Record, changes: Record, given: Given) -> None:
    revised = {**order, **changes}
    if "partner_id" in given and "fiscal_position_id" not in given:
        changes["fiscal_position_id"] = find_fiscal_position(
            env, revised["partner_id"], revised["company_id"]
        )
    changes["currency_id"] = _find_currency(env, revised)


def _find_currency(env: Environment, order: Record) -> Any:
    """Return the pricelist's currency, or the company's when the order has no pricelist."""
    listed = env.related("product.pricelist", order["pricelist_id"], "currency_id")
    return listed or env.related("res.company", order["company_id"], "currency_id")


def _refuse_order_write(_env: Environment, order: Record, given: Given) -> None:
    # Odoo refuses the field itself, also with the value that is there already.
    if "pricelist_id" in given and order["state"] == "sale":
        raise UserError("The pricelist of a confirmed order cannot be changed.")


def _refuse_order_removal(_env: Environment, order: Record) -> None:
    if order["state"] not in {"draft", "cancel"}:
        raise UserError("A sent or confirmed order cannot be deleted. Cancel it first.")


def _complete_line(env: Environment, line: Record, given: Given) -> None:
    order = env.store.get(ORDER, line["order_id"]) if line["order_id"] else None
    product = env.store.get("product.product", line["product_id"]) if line["product_id"] else None
    if order is None or product is None:
        return
    if "name" not in given:
        line["name"] = env.display_name("product.product", product["id"])
    if "tax_ids" not in given:
        line["tax_ids"] = choose_taxes(env, product["id"], order["company_id"], order["fiscal_position_id"])
    if "price_unit" not in given:
        line["price_unit"] = find_price(env, order, product)
    line["technical_price_unit"] = line["price_unit"]


def _revise_line(env: Environment, line: Record, changes: Record, given: Given) -> None:
    """Price and tax the line again as Odoo does when its product or quantity is written without them."""
    revised = {**line, **changes}
    order = env.get(ORDER, revised["order_id"])
    if not revised["product_id"]:
        return
    if "product_id" in given and "tax_ids" not in given:
        changes["tax_ids"] = choose_taxes(
            env, revised["product_id"], order["company_id"], order["fiscal_position_id"]
        )
    is_priced = given & {"product_id", "product_uom_qty"} and "price_unit" not in given
    if is_priced and not _has_manual_price(env, line, order) and count_invoiced(env, line) <= 0:
        price = find_price(env, order, env.get("product.product", revised["product_id"]))
        changes["price_unit"] = changes["technical_price_unit"] = price


def _has_manual_price(env: Environment, line: Record, order: Record) -> bool:
    step = env.get("res.currency", order["currency_id"])["rounding"]
    return round_to(line["technical_price_unit"], step) != round_to(line["price_unit"], step)


def _refuse_line_write(env: Environment, line: Record, given: Given) -> None:
    protected = [name for name in LOCKED if name in given]
    if protected and env.get(ORDER, line["order_id"])["locked"]:
        labels = "\n".join(env.model(LINE).field(name).label for name in protected)
        raise UserError(f"These fields cannot be changed on a locked order:\n{labels}")


def _refuse_line_removal(env: Environment, line: Record) -> None:
    if env.get(ORDER, line["order_id"])["state"] == "sale":
        raise UserError("A line of a confirmed order cannot be deleted. Set its quantity to 0 instead.")


def _settle_lines(env: Environment, lines: list[Record], given: Given) -> None:
    """Total the orders again; a delivered quantity alone changes nothing on them, not even write_date."""
    if not given & PRICED:
        return
    for order_id in dict.fromkeys(line["order_id"] for line in lines):
        if env.store.get(ORDER, order_id):
            _total_order(env, order_id)


def _total_order(env: Environment, order_id: int) -> None:
    lines = env.children(ORDER, order_id, "order_line")
    amounts = total_lines(env, env.get(ORDER, order_id), LINE, lines)
    env.update(
        ORDER,
        order_id,
        {"amount_untaxed": amounts.untaxed, "amount_tax": amounts.tax, "amount_total": amounts.total},
    )


def confirm_orders(env: Environment, ids: list[int]) -> bool:
    """Make quotations sale orders; one with a plan begins to be invoiced on its start date."""
    orders = env.browse(ORDER, ids)
    if any(order["state"] not in {"draft", "sent"} for order in orders):
        raise UserError("Some orders are not in a state requiring confirmation.")
    for order in orders:
        changes: Record = {"state": "sale", "date_order": env.now}
        if order["plan_id"]:
            start = order["start_date"] or env.today
            changes |= {
                "subscription_state": "3_progress",
                "start_date": start,
                "next_invoice_date": start,
            }
        env.update(ORDER, order["id"], changes)
    return True


ORDER_RULES = Rules(
    complete=_complete_order,
    revise=_revise_order,
    refuse_write=_refuse_order_write,
    refuse_unlink=_refuse_order_removal,
    methods={"action_confirm": confirm_orders},
)

LINE_RULES = Rules(
    complete=_complete_line,
    revise=_revise_line,
    refuse_write=_refuse_line_write,
    refuse_unlink=_refuse_line_removal,
    settle=_settle_lines,
)
