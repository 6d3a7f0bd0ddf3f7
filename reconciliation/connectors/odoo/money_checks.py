"""The checks of what decides amounts: precision, rounding, taxes, currencies, products, the payment provider."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.odoo.checks import (
    Expected,
    Finding,
    advise,
    describe_fields,
    fail,
    name_some,
    ok,
)
from reconciliation.connectors.odoo.client import OdooClient, Record

# Digits that a quantity needs for 1 × amount, and those that usage itself would need.
ENOUGH_DIGITS, MANY_DIGITS = 2, 6
ROUNDING = {
    "round_globally": "Once per document: the tax of an invoice is that of its sum.",
    "round_per_line": "Line by line: the tax of an invoice may differ from that of its sum by half a cent a line.",
}
BILLABLE_POLICIES = {"order", "delivery"}
RECURS = "recurring_invoice"
PROVIDER_FIELDS = ("code", "state", "company_id", "stripe_publishable_key")
# A publishable key since 2019 holds the account: pk_live_51Abc… is a key of acct_1Abc….
PUBLISHABLE = re.compile(r"pk_(?P<mode>live|test)_(?P<rest>5[0-9A-Za-z]{20,})")

COMPARE_BY_HAND = (
    "Ask Odoo's administrator to compare the publishable key of its Stripe provider with the services'."
)


def examine_precision(client: OdooClient, _expected: Expected) -> Finding:
    names = ("product_uom_qty", "qty_delivered", "price_unit")
    fields = describe_fields(client, "sale.order.line", names, "digits") or {}
    digits = {name: _digits(fields.get(name, {})) for name in names}
    quantity, price = digits["product_uom_qty"], digits["price_unit"]
    if quantity is not None and quantity < ENOUGH_DIGITS:
        return fail(
            f"Quantities keep {quantity} digits.",
            "Set Decimal Accuracy “Product Unit” to 2 or more: a plan's part of a month is a quantity.",
        )
    if price is not None and price < ENOUGH_DIGITS:
        return fail(f"Prices keep {price} digits.", "Set Decimal Accuracy “Product Price” to 2 or more.")
    kept = "all digits" if quantity is None else f"{quantity} digits"
    exact = quantity is None or quantity >= MANY_DIGITS
    note = (
        ""
        if exact
        else f" (usage is pushed as 1 × its amount; delivered quantities would need {MANY_DIGITS})"
    )
    return ok(f"Quantities keep {kept}{note}.")


def _digits(described: Record) -> int | None:
    digits = described.get("digits")
    return digits[1] if isinstance(digits, list) else None


def examine_rounding(client: OdooClient, _expected: Expected) -> Finding:
    field = "tax_calculation_rounding_method"
    (row,) = client.call("res.company", "read", [client.company_id], fields=[field])
    known = ROUNDING.get(row[field])
    return (
        ok(known) if known else fail(f"{row[field]} is not known.", "Choose one of Odoo's own two methods.")
    )


def examine_taxes(client: OdooClient, _expected: Expected) -> Finding:
    sale = [*client.company_domain(), ["type_tax_use", "=", "sale"]]
    taxes = client.call("account.tax", "search_count", sale)
    positions = client.call("account.fiscal.position", "search_count", client.company_domain())
    if not taxes:
        return fail(
            "The company has no sales tax.", "Install the country's chart of accounts in Odoo's Accounting."
        )
    if not positions:
        return advise(
            f"{taxes} sales taxes, no fiscal position: everybody pays a product's own taxes.",
            "Set fiscal positions where customers of other provinces or countries pay others.",
        )
    return ok(f"{taxes} sales taxes, {positions} fiscal positions.")


def examine_currencies(client: OdooClient, expected: Expected) -> Finding:
    """A pricelist sets a quotation's currency: each that is billed in needs one."""
    if not expected.currencies:
        return ok("No plan has a currency yet.")
    named = [["name", "in", sorted(expected.currencies)]]
    currencies = client.call("res.currency", "search_read", named, fields=["name"])
    active = {row["name"] for row in currencies}
    domain = [*client.company_domain(), ["currency_id.name", "in", sorted(active)]]
    lists = client.call("product.pricelist", "search_read", domain, fields=["currency_id"])
    with_list = {row["currency_id"][1] for row in lists}
    inactive = expected.currencies - active
    if inactive:
        return fail(
            f"Not active: {name_some(sorted(inactive))}.", "Activate them in Odoo's Accounting, Currencies."
        )
    if active - with_list:
        return fail(
            f"No pricelist in {name_some(sorted(active - with_list))}.",
            "Create one in Odoo's Sales, Pricelists: it sets the currency of a quotation.",
        )
    return ok(f"{name_some(sorted(active))}, each with a pricelist.")


def examine_usage_products(client: OdooClient, expected: Expected) -> Finding:
    """Usage fees are lines of their own each period: a product that recurs would bill them again and again."""
    problems, rows = _find_unusable(client, expected.usage_products)
    problems += [f"{_call(row)} recurs" for row in rows if row.get(RECURS)]
    problems += [
        f"{_call(row)} is invoiced by {row['invoice_policy']}"
        for row in rows
        if row.get("invoice_policy") not in BILLABLE_POLICIES
    ]
    if problems:
        return fail(
            f"{name_some(problems)}.",
            "Usage needs active products that do not recur, invoiced on what is ordered or delivered.",
        )
    return _tell_linked(len(rows), expected.unlinked_prices)


def examine_plan_products(client: OdooClient, expected: Expected) -> Finding:
    problems, rows = _find_unusable(client, expected.plan_products)
    if problems:
        return fail(f"{name_some(problems)}.", "Link each plan to an active product.")
    once = [_call(row) for row in rows if RECURS in row and not row[RECURS]]
    if once:
        return advise(
            f"Not a subscription product: {name_some(once)}.",
            "Odoo renews only products that recur: set it before Odoo is to bill.",
        )
    return _tell_linked(len(rows), 0)


def _tell_linked(linked: int, unlinked: int) -> Finding:
    if unlinked:
        return advise(
            f"{linked} as they should be; {unlinked} plans or charges have no product.",
            "Link them to products on their pages: their fees cannot be pushed.",
        )
    return ok(f"{linked} as they should be." if linked else "None is linked yet.")


def _find_unusable(client: OdooClient, ids: Iterable[int]) -> tuple[list[str], list[Record]]:
    """What is wrong with products as such, and those that are there."""
    wanted = sorted(ids)
    if not wanted:
        return [], []
    names = ("display_name", "active", "invoice_policy", RECURS)
    fields = [name for name in names if name in (describe_fields(client, "product.product", names) or {})]
    domain = [*client.company_domain(), ["id", "in", wanted]]
    pages = client.read_pages("product.product", domain, fields, has_archived=True)
    rows = [row for page in pages for row in page]
    found = {row["id"] for row in rows}
    problems = [f"product {each} is not there" for each in wanted if each not in found]
    return problems + [f"{_call(row)} is archived" for row in rows if not row["active"]], rows


def _call(row: Record) -> str:
    return f"“{row['display_name']}” ({row['id']})"


def examine_stripe(client: OdooClient, expected: Expected) -> Finding:
    """Whether Odoo charges cards in the account that all services share. Only an administrator sees it for sure."""
    try:
        providers = _read_providers(client)
    except ConnectorError as error:
        if error.code != "permission":
            raise
        return advise("This user may not see the payment providers.", COMPARE_BY_HAND)
    if providers is None:
        return advise(
            "Odoo takes no online payments.", "Install Stripe in Odoo (payment_stripe) before going live."
        )
    active = [row for row in providers if row["state"] != "disabled"]
    if not active:
        return advise("No Stripe provider is enabled.", "Enable it in Odoo before going live.")
    return _compare_account(active[0], expected.stripe_account)


def _compare_account(provider: Record, shared: str) -> Finding:
    match = PUBLISHABLE.match(provider.get("stripe_publishable_key") or "")
    if match is None or not shared:
        return advise("Which Stripe account Odoo charges in cannot be told.", COMPARE_BY_HAND)
    if not match["rest"].startswith(f"5{shared.removeprefix('acct_')}"):
        return fail(
            "Odoo's Stripe provider has the key of another account than the shared one.",
            "Set the shared account's keys in Odoo: the customers' cards are there.",
        )
    if match["mode"] == "test" or provider["state"] == "test":
        return advise(
            "The shared account, in test mode.", "Switch Odoo's provider to live before going live."
        )
    return ok("Odoo charges in the shared Stripe account.")


def _read_providers(client: OdooClient) -> list[Record] | None:
    """The company's Stripe providers; None when Odoo has none of any kind."""
    described: Any = describe_fields(client, "payment.provider", PROVIDER_FIELDS)
    if described is None:
        return None
    fields = [name for name in PROVIDER_FIELDS if name in described]
    domain = [*client.company_domain(), ["code", "=", "stripe"]]
    rows: list[Record] = client.call("payment.provider", "search_read", domain, fields=fields)
    return rows
