"""The stand-in's side of the story: partners, products with prices, plans and subscription orders."""

from collections.abc import Sequence
from dataclasses import dataclass

from billing_console.demo.odoo_client import StandInClient, name_record
from billing_console.demo.terms import Company, ServiceStory
from billing_console.demo.window import Window
from ingest.models import Interval

# Unit and count of Odoo's recurring plans.
RECURRENCES = {
    Interval.MONTHLY: ("Monthly", "1", "month"),
    Interval.QUARTERLY: ("Quarterly", "3", "month"),
    Interval.YEARLY: ("Yearly", "1", "year"),
}

ORDER_COLUMNS = (
    "id", "partner_id/.id", "pricelist_id/.id", "client_order_ref", "plan_id/.id", "start_date",
    "order_line/id", "order_line/product_id/.id", "order_line/product_uom_qty",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class OdooIds:
    """The stand-in's ids of what the story names: companies by ref, products by code, orders by account."""

    partners: dict[str, int]
    products: dict[str, int]
    orders: dict[str, int]


def seed_odoo(client: StandInClient, stories: Sequence[ServiceStory], window: Window) -> OdooIds:
    """Creates what is missing and returns everything's ids; doing it again changes nothing."""
    partners = _seed_partners(client, stories)
    products = _seed_products(client, stories)
    _seed_prices(client, stories, products)
    ids = OdooIds(partners, products, {})
    ids.orders.update(_seed_orders(client, stories, window, ids))
    return ids


def _seed_partners(client: StandInClient, stories: Sequence[ServiceStory]) -> dict[str, int]:
    countries = client.find_by("res.country", "code")
    provinces = client.find_by("res.country.state", "code")
    companies = _companies(stories)
    columns = ["id", "name", "ref", "is_company", "country_id/.id", "state_id/.id"]
    rows = [
        [
            name_record("partner", company.ref),
            company.name,
            company.ref,
            "True",
            str(countries[company.country]),
            str(provinces[company.province]) if company.province else "",
        ]
        for company in companies
    ]
    ids = client.load("res.partner", columns, rows)
    return {company.ref: odoo_id for company, odoo_id in zip(companies, ids, strict=True)}


def _companies(stories: Sequence[ServiceStory]) -> list[Company]:
    every = (account.company for story in stories for account in story.accounts)
    return list({company.ref: company for company in every}.values())


def _seed_products(client: StandInClient, stories: Sequence[ServiceStory]) -> dict[str, int]:
    products = [product for story in stories for product in story.products]
    columns = ["id", "name", "default_code", "type", "list_price", "recurring_invoice"]
    rows = [
        [
            name_record("product", product.code),
            product.name,
            product.code,
            "service",
            product.prices.get("CAD", "0"),
            str(product.is_recurring),
        ]
        for product in products
    ]
    ids = client.load("product.product", columns, rows)
    return {product.code: odoo_id for product, odoo_id in zip(products, ids, strict=True)}


def _seed_prices(client: StandInClient, stories: Sequence[ServiceStory], product_ids: dict[str, int]) -> None:
    """Fixed prices on the pricelists of other currencies than the company's own."""
    pricelists = client.find_by("product.pricelist", "currency_id")
    rows = [
        [
            name_record("price", f"{product.code}_{currency}"),
            str(pricelists[currency]),
            str(product_ids[product.code]),
            price,
        ]
        for story in stories
        for product in story.products
        for currency, price in product.prices.items()
        if currency != "CAD"
    ]
    columns = ["id", "pricelist_id/.id", "product_id/.id", "fixed_price"]
    if rows:
        client.load("product.pricelist.item", columns, rows)


def _seed_orders(
    client: StandInClient, stories: Sequence[ServiceStory], window: Window, ids: OdooIds
) -> dict[str, int]:
    """Confirmed subscription orders for those accounts that have one."""
    ordered = [(story, account) for story in stories for account in story.accounts if account.has_order]
    recurrences, pricelists = _seed_recurrences(client), client.find_by("product.pricelist", "currency_id")
    rows = []
    for story, account in ordered:
        plan = story.plan(account.plan)
        rows.append(
            [
                name_record("order", account.id),
                str(ids.partners[account.company.ref]),
                str(pricelists[plan.currency]),
                account.id,
                str(recurrences[plan.interval]),
                account.begins(window).isoformat(),
                name_record("order_line", account.id),
                str(ids.products[plan.product or ""]),
                "1",
            ]
        )
    order_ids = client.load("sale.order", ORDER_COLUMNS, rows)
    _confirm(client, order_ids)
    return {account.id: order_id for (_, account), order_id in zip(ordered, order_ids, strict=True)}


def _seed_recurrences(client: StandInClient) -> dict[Interval, int]:
    columns = ["id", "name", "billing_period_value", "billing_period_unit"]
    rows = [[name_record("plan", interval), *recurrence] for interval, recurrence in RECURRENCES.items()]
    return dict(zip(RECURRENCES, client.load("sale.subscription.plan", columns, rows), strict=True))


def _confirm(client: StandInClient, order_ids: Sequence[int]) -> None:
    orders = client.call("sale.order", "read", list(order_ids), fields=["state"])
    drafts = [order["id"] for order in orders if order["state"] == "draft"]
    if drafts:
        client.call("sale.order", "action_confirm", drafts)
