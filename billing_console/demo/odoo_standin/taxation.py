"""Which taxes a customer pays on a product: the fiscal position of the province, and what it maps."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from .environment import Environment
from .fields import Record
from .pricing import Amounts, Base, Rounding, total_document, total_line


def find_fiscal_position(env: Environment, partner_id: Any, company_id: Any) -> int | bool:
    """Return the partner's own position, else that of the province, of the country, of everywhere abroad.

    False for a partner without a country, or at home without a province: products keep their own taxes.
    """
    own = env.related("res.partner", partner_id, "property_account_position_id")
    if own:
        return int(own)
    country = env.related("res.partner", partner_id, "country_id")
    state = env.related("res.partner", partner_id, "state_id")
    if not country:
        return False
    home = env.related("res.company", company_id, "country_id")
    found = [
        (not position["state_ids"], not position["country_id"], position["id"])
        for position in env.store.list_records("account.fiscal.position")
        if position["company_id"] == company_id
        and position["auto_apply"]
        and position["active"]
        and position["country_id"] in (country, False)
        and (not position["state_ids"] or state in position["state_ids"])
        and (position["country_id"] or country != home)
    ]
    return min(found)[-1] if found else False


def choose_taxes(env: Environment, product_id: int, company_id: int, position_id: int | bool) -> list[int]:
    """Return the product's taxes of the company, each replaced by those the position gives instead.

    A position without taxes takes all of them away.
    """
    own = env.related("product.product", product_id, "taxes_id") or []
    taxes = [tax for tax in own if env.related("account.tax", tax, "company_id") == company_id]
    if not position_id:
        return taxes
    given = env.get("account.fiscal.position", position_id)["tax_ids"]
    if not given:
        return []
    mapped = [replacement for tax in taxes for replacement in (_replace(env, tax, given) or [tax])]
    return list(dict.fromkeys(mapped))


def total_lines(env: Environment, document: Record, model: str, lines: list[Record]) -> Amounts:
    """Return the amounts of a document made of these lines, and store each line's own on it."""
    step: Decimal = env.get("res.currency", document["currency_id"])["rounding"]
    company = env.get("res.company", document["company_id"])
    rounding = Rounding(company["tax_calculation_rounding_method"])
    bases = [_make_base(env, line, QUANTITIES[model]) for line in lines]
    for line, base in zip(lines, bases, strict=True):
        amounts = total_line(base, step=step, rounding=rounding)
        env.update(model, line["id"], {"price_subtotal": amounts.untaxed, "price_total": amounts.total})
    return total_document(bases, step=step, rounding=rounding)


QUANTITIES = {"sale.order.line": "product_uom_qty", "account.move.line": "quantity"}


def _make_base(env: Environment, line: Record, quantity: str) -> Base:
    amount = line[quantity] * line["price_unit"] * (1 - line["discount"] / 100)
    taxes = [tax for tax_id in line["tax_ids"] for tax in _ungroup(env, tax_id)]
    return Base(amount, {tax["id"]: tax["amount"] for tax in taxes})


def _ungroup(env: Environment, tax_id: int) -> list[Record]:
    """A group has no percentage of its own: its children are charged."""
    tax = env.get("account.tax", tax_id)
    if tax["amount_type"] != "group":
        return [tax]
    return [child for child_id in tax["children_tax_ids"] for child in _ungroup(env, child_id)]


def _replace(env: Environment, tax: int, given: list[int]) -> list[int]:
    return [other for other in given if tax in env.get("account.tax", other)["original_tax_ids"]]
