"""What a fresh server holds: one company in Canada with its taxes, currencies and pricelists."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from .environment import Environment
from .model import Registry
from .settings import RESTRICTED_LOGIN, Settings
from .store import Store

COMPANY = "Nexa Systems (Odoo stand-in)"

# Currency per Canadian dollar.
CURRENCIES = {"USD": ("US Dollar", "$", "0.72"), "CAD": ("Canadian Dollar", "$", "1")}

COUNTRIES = {
    "AU": "Australia",
    "BR": "Brazil",
    "CA": "Canada",
    "DE": "Germany",
    "FR": "France",
    "GB": "United Kingdom",
    "IN": "India",
    "JP": "Japan",
    "MX": "Mexico",
    "US": "United States",
}

TAXES = {
    "13% HST": "13",
    "5% GST": "5",
    "14% HST": "14",
    "15% HST": "15",
    "9.975% QST": "9.975",
    "7% PST": "7",
    "6% PST": "6",
}

# The tax of a product that nobody gave one; a fiscal position replaces it by its own.
DEFAULT_TAX = "13% HST"

PROVINCES: dict[str, tuple[str, tuple[str, ...]]] = {
    "AB": ("Alberta", ("5% GST",)),
    "BC": ("British Columbia", ("5% GST", "7% PST")),
    "MB": ("Manitoba", ("5% GST", "7% PST")),
    "NB": ("New Brunswick", ("15% HST",)),
    "NL": ("Newfoundland and Labrador", ("15% HST",)),
    "NS": ("Nova Scotia", ("14% HST",)),
    "NT": ("Northwest Territories", ("5% GST",)),
    "NU": ("Nunavut", ("5% GST",)),
    "ON": ("Ontario", ("13% HST",)),
    "PE": ("Prince Edward Islands", ("15% HST",)),
    "QC": ("Quebec", ("5% GST", "9.975% QST")),
    "SK": ("Saskatchewan", ("5% GST", "6% PST")),
    "YT": ("Yukon", ("5% GST",)),
}


def seed(store: Store, registry: Registry, settings: Settings) -> None:
    """Create the company on first start, and a user for each login that has none."""
    now = datetime.now(UTC)
    if not store.list_records("res.company"):
        _seed_company(Environment(store, registry, user_id=0, now=now, context={}))
    _seed_users(Environment(store, registry, user_id=0, now=now, context={}), settings)


def _seed_company(env: Environment) -> None:
    currencies = _seed_currencies(env)
    countries = {
        code: env.insert("res.country", {"name": name, "code": code})["id"]
        for code, name in COUNTRIES.items()
    }
    company = env.insert(
        "res.company", {"name": COMPANY, "currency_id": currencies["CAD"], "country_id": countries["CA"]}
    )["id"]
    taxes = _seed_taxes(env, company, countries["CA"])
    env.update("res.company", company, {"account_sale_tax_id": taxes[DEFAULT_TAX]})
    _seed_positions(env, company, countries["CA"], taxes)
    env.insert("account.journal", {"name": "Sales", "code": "INV", "type": "sale", "company_id": company})
    for code in ("CAD", "USD"):
        env.insert(
            "product.pricelist", {"name": code, "currency_id": currencies[code], "company_id": company}
        )


def _seed_currencies(env: Environment) -> dict[str, int]:
    return {
        code: env.insert(
            "res.currency",
            {
                "name": code,
                "full_name": name,
                "symbol": symbol,
                "rate": Decimal(rate),
                "rounding": Decimal("0.01"),
            },
        )["id"]
        for code, (name, symbol, rate) in CURRENCIES.items()
    }


def _seed_taxes(env: Environment, company: int, canada: int) -> dict[str, int]:
    taxes: dict[str, int] = {}
    for name, percent in TAXES.items():
        replaced = [taxes[DEFAULT_TAX]] if taxes else []
        values = {"name": name, "amount": Decimal(percent), "company_id": company, "country_id": canada}
        taxes[name] = env.insert("account.tax", {**values, "original_tax_ids": replaced})["id"]
    return taxes


def _seed_positions(env: Environment, company: int, canada: int, taxes: dict[str, int]) -> None:
    for code, (name, charged) in PROVINCES.items():
        state = env.insert("res.country.state", {"name": name, "code": code, "country_id": canada})["id"]
        position = {
            "name": f"{name} ({code})",
            "company_id": company,
            "country_id": canada,
            "state_ids": [state],
            "tax_ids": [taxes[tax] for tax in charged],
        }
        env.insert("account.fiscal.position", position)
    env.insert("account.fiscal.position", {"name": "International (INTL)", "company_id": company})


def _seed_users(env: Environment, settings: Settings) -> None:
    logins = {user["login"] for user in env.store.list_records("res.users")}
    for login in settings.keys.keys() - logins:
        values = {
            "name": login,
            "login": login,
            "company_id": env.company_id,
            "company_ids": [env.company_id],
            "has_groups": login != RESTRICTED_LOGIN,
        }
        env.insert("res.users", values)
