"""The checks of the way to Odoo: who we are there, what we may do, and whether the models are those we know."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.odoo.classification import AUTHENTICATION, BAD_VALUE, SYSTEM, UNKNOWN_NAME
from reconciliation.connectors.odoo.client import OdooClient
from reconciliation.connectors.odoo.external_ids import MODULE, TAG

KNOWN_VERSIONS = range(19, 23)
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
MOST_NAMED = 12


class Level(StrEnum):
    """How a line stands: `advice` is worth a look and stops nothing."""

    OK = "ok"
    ADVICE = "advice"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found, and what to do about it; after a `is_final` failure nothing else can be asked."""

    level: Level
    message: str
    advice: str = ""
    is_final: bool = False


@dataclass(frozen=True, slots=True)
class Expected:
    """What the console will ask of this Odoo: whose records, which products, which currencies, whose cards."""

    url: str = ""
    currencies: frozenset[str] = frozenset()
    usage_products: frozenset[int] = frozenset()
    plan_products: frozenset[int] = frozenset()
    unlinked_prices: int = 0
    stripe_account: str = ""


# What the shadow needs, by what it is for. The last ones are needed once more is asked for than quotations.
RIGHTS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("res.partner", "customers", ("read",)),
    ("product.product", "products", ("read",)),
    ("product.pricelist", "pricelists", ("read",)),
    ("account.tax", "taxes", ("read",)),
    ("account.fiscal.position", "fiscal positions", ("read",)),
    ("account.move", "invoices", ("read",)),
    ("account.move.line", "invoice lines", ("read",)),
    ("sale.order", "orders", ("read", "create", "write")),
    ("sale.order.line", "order lines", ("read", "create", "write", "unlink")),
    ("crm.tag", "sales tags", ("read", "create")),
)
OPTIONAL_RIGHTS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("res.partner", "customers", ("create", "write")),
    ("account.move", "invoices", ("create", "write")),
)
# The groups that gave these rights on a real server.
GROUPS = "Sales / User: All Documents, and Accounting / Read-only or Invoicing"

FIELDS: Mapping[str, tuple[str, ...]] = {
    "res.partner": ("name", "ref", "email", "vat", "country_id", "state_id", "property_account_position_id"),
    "product.product": ("name", "default_code", "list_price", "taxes_id", "invoice_policy", "active"),
    "product.pricelist": ("name", "currency_id", "company_id"),
    "account.tax": ("amount", "amount_type", "price_include", "type_tax_use", "original_tax_ids"),
    "account.fiscal.position": ("auto_apply", "country_id", "state_ids", "tax_ids"),
    "sale.order": (
        "state",
        "partner_id",
        "company_id",
        "pricelist_id",
        "currency_id",
        "client_order_ref",
        "require_signature",
        "require_payment",
        "tag_ids",
        "amount_untaxed",
        "amount_tax",
        "amount_total",
    ),
    "sale.order.line": (
        "order_id",
        "product_id",
        "product_uom_qty",
        "qty_delivered",
        "price_unit",
        "price_subtotal",
        "price_tax",
        "price_total",
        "tax_ids",
    ),
    "account.move": ("state", "move_type", "payment_state", "invoice_date", "amount_untaxed", "amount_tax"),
    "account.move.line": ("move_id", "product_id", "price_subtotal", "sale_line_ids", "display_type"),
}
SUBSCRIPTION_FIELDS = ("is_subscription", "plan_id", "subscription_state", "start_date", "next_invoice_date")
SUBSCRIPTION_PLAN = "sale.subscription.plan"
FUSION_MODELS = tuple(
    f"fusion.billing.{name}"
    for name in ("service", "account.link", "metric", "charge", "usage", "webhook", "reconciliation")
)

# What to do about an error that any check may meet.
ADVICE: Mapping[str, str] = {
    "transient": "Check that Odoo runs and that its address is right; then check again.",
    "certificate": "Have the certificate renewed, or name who signed it in ODOO_CA_FILE.",
    "wrong_address": "Set the address at which Odoo itself answers, and the database's name.",
    "authentication": "Make a new API key in Odoo (the user's preferences, Account security) and set it.",
    "permission": f"Ask Odoo's administrator to give the console's user the groups {GROUPS}.",
    "no_company": "Allow the user that company in Odoo, or set another company.",
    "unknown_name": "Install the module that brings it, or check the server's version.",
}


def ok(message: str) -> Finding:
    return Finding(Level.OK, message)


def advise(message: str, advice: str) -> Finding:
    return Finding(Level.ADVICE, message, advice)


def fail(message: str, advice: str) -> Finding:
    return Finding(Level.FAILED, message, advice)


def explain(error: ConnectorError) -> Finding:
    """An error as a finding; what no other check could get past is final."""
    is_final = not error.permanent or error.code in {AUTHENTICATION.code, "certificate", "wrong_address"}
    return Finding(Level.FAILED, error.message, ADVICE.get(error.code, ""), is_final)


def name_some(names: Iterable[object]) -> str:
    """The first dozen of many, and how many more."""
    every = [str(name) for name in names]
    more = f" and {len(every) - MOST_NAMED} more" if len(every) > MOST_NAMED else ""
    return ", ".join(every[:MOST_NAMED]) + more


def describe_fields(client: OdooClient, model: str, names: Iterable[str] = (), *attributes: str) -> Any:
    """A model's fields of these names as the server has them; None when it does not have the model.

    Over /jsonrpc an unknown model is a UserError, the one that this call can meet.
    """
    try:
        return client.call(model, "fields_get", list(names), attributes=list(attributes) or ["type"])
    except ConnectorError as error:
        if error.code in {UNKNOWN_NAME.code, "permanent"}:
            return None
        raise


def examine_encryption(_client: OdooClient, expected: Expected) -> Finding:
    parts = urlsplit(expected.url)
    if parts.scheme == "https":
        return ok("https, and the certificate is verified.")
    if parts.hostname in LOOPBACK:
        return ok("Not encrypted, and it does not leave this machine.")
    return advise("The API key travels in clear.", "Set an address that begins with https://.")


def examine_version(client: OdooClient, _expected: Expected) -> Finding:
    version, spoken = client.transport.version(), client.transport.kind
    found = f"Odoo {version}, spoken with over {'OdooRPC' if spoken == 'jsonrpc' else 'JSON-2'}."
    match = re.search(r"\d+", version)
    if match is None or int(match.group()) < KNOWN_VERSIONS.start:
        return fail(found, f"Odoo {KNOWN_VERSIONS.start} or newer is needed.")
    if int(match.group()) not in KNOWN_VERSIONS:
        return advise(found, "The console was not tried with so new a version: watch the first pushes.")
    return ok(found)


def examine_login(client: OdooClient, _expected: Expected) -> Finding:
    """Over JSON-2 the key alone decides who calls: another user's would work, under another name."""
    login = client.transport.login
    user_id = _call_in_company(client, "res.users", "context_get").get("uid")
    try:
        rows = client.call("res.users", "read", [user_id], fields=["login"]) if user_id else []
    except ConnectorError as error:
        if error.code != "permission":
            raise
        rows = []
    if not rows:
        return advise(f"Logged in; Odoo does not tell whether that is {login}.", "Check whose key it is.")
    if rows[0]["login"] != login:
        return fail(
            f"The key is {rows[0]['login']}'s, not {login}'s.", "Set the login and the key of one user."
        )
    return ok(f"Logged in as {login}.")


def examine_company(client: OdooClient, _expected: Expected) -> Finding:
    domain = [["id", "=", client.company_id]]
    rows = _call_in_company(client, "res.company", "search_read", domain, fields=["name", "currency_id"])
    if not rows:
        raise _no_company(client)
    return ok(f"{rows[0]['name']}, in {rows[0]['currency_id'][1]}.")


def _call_in_company(client: OdooClient, model: str, method: str, *args: Any, **named: Any) -> Any:
    """A call that lacks no right but the one to the company, which every call names."""
    try:
        return client.call(model, method, *args, **named)
    except ConnectorError as error:
        if error.code != "permission":
            raise
        raise _no_company(client) from None


def _no_company(client: OdooClient) -> ConnectorError:
    message = f"The user may not work in company {client.company_id}."
    return ConnectorError("no_company", message, SYSTEM)


def examine_rights(client: OdooClient, _expected: Expected) -> Finding:
    missing = _missing_rights(client, RIGHTS)
    if missing:
        return fail(f"The user may not {name_some(missing)}.", ADVICE["permission"])
    later = _missing_rights(client, OPTIONAL_RIGHTS)
    if later:
        return advise(
            f"Enough for shadow quotations; the user may not {name_some(later)}.",
            "Contact Creation and Accounting / Invoicing let the console create partners and draft credit notes.",
        )
    return ok("All that the console asks for.")


def _missing_rights(client: OdooClient, table: Iterable[tuple[str, str, tuple[str, ...]]]) -> list[str]:
    return [
        f"{operation} {label}"
        for model, label, operations in table
        for operation in operations
        if not client.call(model, "has_access", [], operation)
    ]


def examine_external_ids(client: OdooClient, _expected: Expected) -> Finding:
    """`load()` itself needs no right on external ids; telling whose a record is needs the lookup."""
    try:
        client.call("ir.model.data", "check_object_reference", MODULE, TAG.removeprefix(f"{MODULE}."))
    except ConnectorError as error:
        if error.code != BAD_VALUE.code:  # an unknown one is a ValueError: it was looked up
            raise
        return ok("Looked up; nothing was pushed here yet.")
    return ok("Looked up; the shadow tag is there.")


def examine_fields(client: OdooClient, _expected: Expected) -> Finding:
    missing = []
    for model, names in FIELDS.items():
        found = describe_fields(client, model, names)
        missing += [model] if found is None else [f"{model}.{name}" for name in names if name not in found]
    if missing:
        return fail(
            f"Missing: {name_some(missing)}.", "Install Odoo's Sales and Accounting (or Invoicing) apps."
        )
    return ok(f"{len(FIELDS)} models with the fields that are read and written.")


def examine_subscriptions(client: OdooClient, _expected: Expected) -> Finding:
    plan = describe_fields(client, SUBSCRIPTION_PLAN, ["name"])
    order = describe_fields(client, "sale.order", SUBSCRIPTION_FIELDS) or {}
    missing = [name for name in SUBSCRIPTION_FIELDS if name not in order]
    if plan is not None and not missing:
        return ok(f"{SUBSCRIPTION_PLAN} and the fields of subscription orders.")
    absent = ([SUBSCRIPTION_PLAN] if plan is None else []) + [f"sale.order.{name}" for name in missing]
    return advise(
        f"Missing: {name_some(absent)}. Orders with a customer reference stand for subscriptions.",
        "Install Odoo's Subscriptions (sale_subscription) before Odoo is to bill.",
    )


def examine_fusion(client: OdooClient, _expected: Expected) -> Finding:
    found = [model for model in FUSION_MODELS if describe_fields(client, model, ["id"]) is not None]
    if not found:
        return ok("Not installed, and not needed.")
    absent = [model for model in FUSION_MODELS if model not in found]
    return ok(f"Installed: {name_some(found)}." + (f" Absent: {name_some(absent)}." if absent else ""))
