"""Products, pricelists, taxes and fiscal positions: what things cost and what is taxed where."""

from billing_console.demo.odoo_standin.environment import Environment
from billing_console.demo.odoo_standin.fields import (
    Record,
    boolean,
    char,
    floating,
    integer,
    many2many,
    many2one,
    one2many,
    selection,
)
from billing_console.demo.odoo_standin.model import define


def _show_product(_env: Environment, product: Record) -> str:
    return (
        f"[{product['default_code']}] {product['name']}" if product["default_code"] else str(product["name"])
    )


def _show_pricelist(env: Environment, pricelist: Record) -> str:
    return f"{pricelist['name']} ({env.display_name('res.currency', pricelist['currency_id'])})"


def _is_included(_env: Environment, tax: Record) -> bool:
    """The tax's own choice; the company's default, which nobody changes here, is that prices are without."""
    return bool(tax["price_include_override"] == "tax_included")


def _list_positions(env: Environment, tax: Record) -> list[int]:
    return env.store.find_ids("account.fiscal.position", "tax_ids", tax["id"])


def _default_taxes(env: Environment) -> list[int]:
    tax = env.get("res.company", env.company_id)["account_sale_tax_id"]
    return [tax] if tax else []


PRODUCT = define(
    "product.product",
    "Product Variant",
    {
        "name": char("Name", required=True),
        "default_code": char("Internal Reference", indexed=True),
        "type": selection("Product Type", "consu", "service", "combo", default="consu"),
        "invoice_policy": selection("Invoicing Policy", "order", "delivery", default="order"),
        "list_price": floating("Sales Price"),
        "currency_id": many2one("Currency", "res.currency", compute=lambda env, _product: env.currency_id),
        "taxes_id": many2many("Sales Taxes", "account.tax", default=_default_taxes),
        "recurring_invoice": boolean("Subscription Product"),
        "sale_ok": boolean("Sales", default=True),
        "company_id": many2one("Company", "res.company"),
        "active": boolean("Active", default=True),
    },
    order="default_code, name, id",
    display=_show_product,
    is_open=True,
)

PRICELIST = define(
    "product.pricelist",
    "Pricelist",
    {
        "name": char("Pricelist Name", required=True),
        "currency_id": many2one(
            "Currency", "res.currency", required=True, default=lambda env: env.currency_id
        ),
        "company_id": many2one("Company", "res.company"),
        "item_ids": one2many("Pricelist Rules", "product.pricelist.item", inverse="pricelist_id"),
        "sequence": integer("Sequence", default=16),
        "active": boolean("Active", default=True),
    },
    order="sequence, id, name",
    display=_show_pricelist,
)

PRICELIST_ITEM = define(
    "product.pricelist.item",
    "Pricelist Rule",
    {
        "pricelist_id": many2one("Pricelist", "product.pricelist", required=True, ondelete="cascade"),
        "product_id": many2one("Variant", "product.product", required=True, ondelete="cascade"),
        "applied_on": selection("Apply On", "0_product_variant", default="0_product_variant"),
        "compute_price": selection("Price Type", "fixed", default="fixed"),
        "fixed_price": floating("Fixed Price"),
        "currency_id": many2one(
            "Currency",
            "res.currency",
            compute=lambda env, item: env.related("product.pricelist", item["pricelist_id"], "currency_id"),
        ),
    },
    display=lambda env, item: env.display_name("product.product", item["product_id"]),
)

TAX = define(
    "account.tax",
    "Tax",
    {
        "name": char("Tax Name", required=True),
        "amount": floating("Amount", required=True),
        "amount_type": selection(
            "Tax Computation", "group", "fixed", "percent", "division", default="percent"
        ),
        "type_tax_use": selection("Tax Type", "sale", "purchase", "none", default="sale"),
        "price_include": boolean("Price Include", compute=_is_included),
        "price_include_override": selection("Included in Price", "tax_included", "tax_excluded"),
        "include_base_amount": boolean("Affect Base of Subsequent Taxes"),
        "country_id": many2one("Country", "res.country"),
        "company_id": many2one("Company", "res.company", required=True, default=lambda env: env.company_id),
        "children_tax_ids": many2many("Children Taxes", "account.tax"),
        "original_tax_ids": many2many("Replaces", "account.tax"),
        "fiscal_position_ids": many2many(
            "Fiscal Positions", "account.fiscal.position", compute=_list_positions
        ),
        "sequence": integer("Sequence", default=1),
        "active": boolean("Active", default=True),
    },
    order="sequence, id",
)

FISCAL_POSITION = define(
    "account.fiscal.position",
    "Fiscal Position",
    {
        "name": char("Fiscal Position", required=True),
        "sequence": integer("Sequence"),
        "auto_apply": boolean("Detect Automatically", default=True),
        "company_id": many2one("Company", "res.company", required=True, default=lambda env: env.company_id),
        "vat_required": boolean("VAT required"),
        "country_id": many2one("Country", "res.country"),
        "country_group_id": many2one("Country Group", "res.country.group"),
        "zip_from": char("Zip Range From"),
        "zip_to": char("Zip Range To"),
        "state_ids": many2many("Federal States", "res.country.state"),
        "tax_ids": many2many("Tax Mapping", "account.tax"),
        "active": boolean("Active", default=True),
    },
    order="sequence, id",
)

MODELS = (PRODUCT, PRICELIST, PRICELIST_ITEM, TAX, FISCAL_POSITION)
