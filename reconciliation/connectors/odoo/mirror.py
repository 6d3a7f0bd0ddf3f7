"""Companies, partners, products, pricelists and recurring plans as Odoo holds them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reconciliation.connectors.odoo.client import OdooClient, Record
from reconciliation.connectors.odoo.kinds import Kind, shared_records
from reconciliation.connectors.odoo.records import Company, Partner, Pricelist, Product, RecurringPlan
from reconciliation.connectors.odoo.values import (
    keep_raw,
    read_datetime,
    read_decimal,
    read_id,
    read_name,
    read_text,
)

COMPANY_FIELDS = ("name", "currency_id", "tax_calculation_rounding_method")
PARTNER_FIELDS = (
    "name",
    "ref",
    "email",
    "vat",
    "country_id",
    "state_id",
    "parent_id",
    "type",
    "property_account_position_id",
    "active",
    "write_date",
)
PRODUCT_FIELDS = ("name", "default_code", "list_price", "taxes_id", "active", "write_date")
# Odoo Enterprise: what a subscription bills each period.
RECURRING = "recurring_invoice"
PRICELIST_FIELDS = ("name", "currency_id", "company_id", "active", "write_date")
PLAN_FIELDS = ("name", "billing_period_value", "billing_period_unit", "write_date")

COUNTRY = "res.country"
STATE = "res.country.state"


def read_companies(client: OdooClient) -> Iterator[Company]:
    """The companies that the connection may see: with one company allowed, that one."""
    for page in client.read_pages("res.company", [], COMPANY_FIELDS):
        yield from map(_company, page)


def _ids(page: list[Record], field: str) -> Iterator[int]:
    return (row[field][0] for row in page if row[field])


def _company(row: Record) -> Company:
    return Company(
        id=row["id"],
        name=row["name"],
        currency=read_name(row["currency_id"]) or "",
        rounding_method=row["tax_calculation_rounding_method"],
    )


def _partners(client: OdooClient, page: list[Record]) -> list[Partner]:
    countries = client.read_codes(COUNTRY, _ids(page, "country_id"))
    states = client.read_codes(STATE, _ids(page, "state_id"))
    return [_partner(row, countries, states) for row in page]


def _partner(row: Record, countries: Mapping[int, str], states: Mapping[int, str]) -> Partner:
    return Partner(
        id=row["id"],
        name=read_text(row["name"]) or "",  # an address may have none
        ref=read_text(row["ref"]),
        email=read_text(row["email"]),
        vat=read_text(row["vat"]),
        country_id=read_id(row["country_id"]),
        country_code=countries.get(read_id(row["country_id"]) or 0),
        state_id=read_id(row["state_id"]),
        state_code=states.get(read_id(row["state_id"]) or 0),
        parent_id=read_id(row["parent_id"]),
        address_type=read_text(row["type"]) or "",
        fiscal_position_id=read_id(row["property_account_position_id"]),
        is_active=row["active"],
        write_date=read_datetime(row["write_date"]),
        raw=keep_raw(row),
    )


def _products(_client: OdooClient, page: list[Record]) -> list[Product]:
    return [_product(row) for row in page]


def _product(row: Record) -> Product:
    return Product(
        id=row["id"],
        name=row["name"],
        default_code=read_text(row["default_code"]),
        list_price=read_decimal(row["list_price"]),
        tax_ids=tuple(row["taxes_id"]),
        is_recurring=row.get(RECURRING),
        is_active=row["active"],
        write_date=read_datetime(row["write_date"]),
        raw=keep_raw(row),
    )


def _pricelists(_client: OdooClient, page: list[Record]) -> list[Pricelist]:
    return [_pricelist(row) for row in page]


def _pricelist(row: Record) -> Pricelist:
    return Pricelist(
        id=row["id"],
        name=row["name"],
        currency=read_name(row["currency_id"]) or "",
        company_id=read_id(row["company_id"]),
        is_active=row["active"],
        write_date=read_datetime(row["write_date"]),
        raw=keep_raw(row),
    )


def _plans(_client: OdooClient, page: list[Record]) -> list[RecurringPlan]:
    return [
        RecurringPlan(
            id=row["id"],
            name=row["name"],
            every=row["billing_period_value"],
            unit=read_text(row["billing_period_unit"]) or "",
            write_date=read_datetime(row["write_date"]),
            raw=keep_raw(row),
        )
        for row in page
    ]


PARTNERS = Kind("partners", "res.partner", PARTNER_FIELDS, _partners, shared_records, has_archived=True)
PRODUCTS = Kind(
    "products",
    "product.product",
    PRODUCT_FIELDS,
    _products,
    shared_records,
    optional=(RECURRING,),
    has_archived=True,
)
PRICELISTS = Kind(
    "pricelists", "product.pricelist", PRICELIST_FIELDS, _pricelists, shared_records, has_archived=True
)
PLANS = Kind(
    "plans",
    "sale.subscription.plan",
    PLAN_FIELDS,
    _plans,
    lambda _client: [],
    has_archived=True,
    is_optional=True,
)
