"""Companies, partners, products and pricelists as Odoo holds them.

`since` asks for what changed from then on, with an overlap: some records come again, deleted ones never.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from reconciliation.connectors.odoo.client import OdooClient, Record, changed_since
from reconciliation.connectors.odoo.records import Company, Partner, Pricelist, Product
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
PRICELIST_FIELDS = ("name", "currency_id", "company_id")

COUNTRY = "res.country"
STATE = "res.country.state"


def read_companies(client: OdooClient) -> Iterator[Company]:
    """The companies that the connection may see: with one company allowed, that one."""
    for page in client.read_pages("res.company", [], COMPANY_FIELDS):
        yield from map(_company, page)


def read_partners(client: OdooClient, since: datetime | None = None) -> Iterator[Partner]:
    """The company's and the shared partners, archived ones included, by id."""
    domain = client.company_domain() + changed_since(since)
    for page in client.read_pages("res.partner", domain, PARTNER_FIELDS, has_archived=True):
        countries = client.read_codes(COUNTRY, _ids(page, "country_id"))
        states = client.read_codes(STATE, _ids(page, "state_id"))
        yield from (_partner(row, countries, states) for row in page)


def read_products(client: OdooClient, since: datetime | None = None) -> Iterator[Product]:
    """The company's and the shared products, archived ones included, by id."""
    domain = client.company_domain() + changed_since(since)
    for page in client.read_pages("product.product", domain, PRODUCT_FIELDS, has_archived=True):
        yield from map(_product, page)


def read_pricelists(client: OdooClient) -> Iterator[Pricelist]:
    """The company's and the shared pricelists that are in use, by id."""
    for page in client.read_pages("product.pricelist", client.company_domain(), PRICELIST_FIELDS):
        yield from map(_pricelist, page)


def _ids(page: list[Record], field: str) -> Iterator[int]:
    return (row[field][0] for row in page if row[field])


def _company(row: Record) -> Company:
    return Company(
        id=row["id"],
        name=row["name"],
        currency=read_name(row["currency_id"]) or "",
        rounding_method=row["tax_calculation_rounding_method"],
    )


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


def _product(row: Record) -> Product:
    return Product(
        id=row["id"],
        name=row["name"],
        default_code=read_text(row["default_code"]),
        list_price=read_decimal(row["list_price"]),
        tax_ids=tuple(row["taxes_id"]),
        is_active=row["active"],
        write_date=read_datetime(row["write_date"]),
        raw=keep_raw(row),
    )


def _pricelist(row: Record) -> Pricelist:
    return Pricelist(
        id=row["id"],
        name=row["name"],
        currency=read_name(row["currency_id"]) or "",
        company_id=read_id(row["company_id"]),
        raw=keep_raw(row),
    )
