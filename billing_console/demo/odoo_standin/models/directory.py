"""Companies, users, customers, and where they are."""

from billing_console.demo.odoo_standin.environment import Environment
from billing_console.demo.odoo_standin.errors import AccessError
from billing_console.demo.odoo_standin.fields import (
    Record,
    boolean,
    char,
    date,
    floating,
    integer,
    many2many,
    many2one,
    one2many,
    selection,
    text,
)
from billing_console.demo.odoo_standin.model import Given, Rules, define
from billing_console.demo.odoo_standin.pricing import Rounding


def _join_company(env: Environment, company: Record, _given: Given) -> None:
    """Who creates a company may work in it."""
    companies = env.get("res.users", env.user_id)["company_ids"]
    env.update("res.users", env.user_id, {"company_ids": [*companies, company["id"]]})


def _show_partner(env: Environment, partner: Record) -> str:
    parent = env.related("res.partner", partner["parent_id"], "name")
    return ", ".join(name for name in (parent, partner["name"]) if name)


def _show_state(env: Environment, state: Record) -> str:
    return f"{state['name']} ({env.related('res.country', state['country_id'], 'code')})"


def _get_context(env: Environment) -> Record:
    return {"lang": "en_US", "tz": "America/Toronto", "uid": env.user_id}


def _read_oneself(env: Environment, ids: list[int], fields: list[str] | None = None) -> list[Record]:
    """Users read their own name and login, and nobody else's."""
    if ids != [env.user_id] or not set(fields or ()) <= {"name", "login"}:
        raise AccessError("You are not allowed to access 'User' (res.users) records.")
    user = env.get("res.users", env.user_id)
    return [{"id": user["id"]} | {name: user[name] for name in fields or ("name", "login")}]


COUNTRY = define(
    "res.country",
    "Country",
    {
        "name": char("Country Name", required=True),
        "code": char("Country Code", required=True),
        "currency_id": many2one("Currency", "res.currency"),
        "state_ids": one2many("States", "res.country.state", inverse="country_id"),
    },
    order="name, id",
    is_open=True,
)

STATE = define(
    "res.country.state",
    "Country state",
    {
        "name": char("State Name", required=True),
        "code": char("State Code", required=True),
        "country_id": many2one("Country", "res.country", required=True),
    },
    order="code, id",
    display=_show_state,
    is_open=True,
)

GROUP = define(
    "res.country.group",
    "Country Group",
    {
        "name": char("Name", required=True),
        "country_ids": many2many("Countries", "res.country"),
    },
    is_open=True,
)

CURRENCY = define(
    "res.currency",
    "Currency",
    {
        "name": char("Currency", required=True),
        "symbol": char("Symbol"),
        "full_name": char("Name"),
        "rounding": floating("Rounding Factor"),
        "decimal_places": integer(
            "Decimal Places", compute=lambda _env, currency: -currency["rounding"].adjusted()
        ),
        "rate": floating("Current Rate"),
        "date": date("Date", compute=lambda env, _currency: env.today),
        "active": boolean("Active", default=True),
    },
    order="name, id",
    is_open=True,
)

COMPANY = define(
    "res.company",
    "Companies",
    {
        "name": char("Company Name", required=True),
        "sequence": integer("Sequence", default=10),
        "currency_id": many2one(
            "Currency", "res.currency", required=True, default=lambda env: env.currency_id
        ),
        "country_id": many2one("Country", "res.country"),
        "tax_calculation_rounding_method": selection(
            "Tax Calculation Rounding Method", *Rounding, default=Rounding.GLOBALLY.value
        ),
        "account_sale_tax_id": many2one("Default Sale Tax", "account.tax"),
    },
    order="sequence, name",
    is_open=True,
)

USER = define(
    "res.users",
    "User",
    {
        "name": char("Name", required=True),
        "login": char("Login", required=True),
        "company_id": many2one("Company", "res.company", required=True),
        "company_ids": many2many("Companies", "res.company"),
        "has_groups": boolean("Has Groups"),
    },
    unique=(("login",),),
    is_technical=True,
)

PARTNER = define(
    "res.partner",
    "Contact",
    {
        "name": char("Name", required=True),
        "ref": char("Reference", indexed=True),
        "is_company": boolean("Is a Company"),
        "parent_id": many2one("Related Company", "res.partner"),
        "type": selection("Address Type", "contact", "invoice", "delivery", "other", default="contact"),
        "property_account_position_id": many2one("Fiscal Position", "account.fiscal.position"),
        "child_ids": one2many("Contacts", "res.partner", inverse="parent_id"),
        "email": char("Email"),
        "phone": char("Phone"),
        "vat": char("Tax ID"),
        "street": char("Street"),
        "street2": char("Street2"),
        "city": char("City"),
        "zip": char("Zip"),
        "state_id": many2one("State", "res.country.state"),
        "country_id": many2one("Country", "res.country"),
        "lang": char("Language", default="en_US"),
        "comment": text("Notes"),
        "company_id": many2one("Company", "res.company"),
        "active": boolean("Active", default=True),
    },
    order="name, id desc",
    display=_show_partner,
    is_open=True,
)

MODELS = (COUNTRY, STATE, GROUP, CURRENCY, COMPANY, USER, PARTNER)

RULES = {
    COMPANY.name: Rules(complete=_join_company),
    USER.name: Rules(methods={"context_get": _get_context, "read": _read_oneself}),
}
