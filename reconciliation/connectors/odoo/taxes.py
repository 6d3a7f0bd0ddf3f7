"""Taxes and fiscal positions: what a product's tax is, and what becomes of it for a customer elsewhere.

Both are read whole each time, archived ones included. A mapping is a relation between the two: written on one
side it leaves the other's `write_date` as it was, so that no `since` finds every change, and there are few.
"""

from __future__ import annotations

from reconciliation.connectors.odoo.client import OdooClient, Record
from reconciliation.connectors.odoo.kinds import Kind, shared_records
from reconciliation.connectors.odoo.records import FiscalPosition, Tax
from reconciliation.connectors.odoo.values import keep_raw, read_datetime, read_decimal, read_id

TAX_FIELDS = (
    "name",
    "amount",
    "amount_type",
    "price_include",
    "price_include_override",
    "include_base_amount",
    "type_tax_use",
    "company_id",
    "children_tax_ids",
    "original_tax_ids",
    "fiscal_position_ids",
    "sequence",
    "active",
    "write_date",
)
POSITION_FIELDS = (
    "name",
    "sequence",
    "auto_apply",
    "vat_required",
    "country_id",
    "country_group_id",
    "state_ids",
    "zip_from",
    "zip_to",
    "tax_ids",
    "company_id",
    "active",
    "write_date",
)


def _taxes(_client: OdooClient, page: list[Record]) -> list[Tax]:
    return [_tax(row) for row in page]


def _positions(_client: OdooClient, page: list[Record]) -> list[FiscalPosition]:
    return [_position(row) for row in page]


def _tax(row: Record) -> Tax:
    return Tax(
        id=row["id"],
        name=row["name"],
        amount=read_decimal(row["amount"]),
        amount_type=row["amount_type"],
        # Odoo computes it: the tax's own choice, else the company's.
        is_price_included=row["price_include"],
        affects_base=row["include_base_amount"],
        use=row["type_tax_use"],
        company_id=row["company_id"][0],
        child_ids=tuple(row["children_tax_ids"]),
        original_ids=tuple(row["original_tax_ids"]),
        is_active=row["active"],
        write_date=read_datetime(row["write_date"]),
        raw=keep_raw(row),
    )


def _position(row: Record) -> FiscalPosition:
    conditions = ("vat_required", "country_group_id", "zip_from", "zip_to")
    return FiscalPosition(
        id=row["id"],
        name=row["name"],
        sequence=row["sequence"],
        is_automatic=row["auto_apply"],
        is_conditional=any(row[name] for name in conditions),
        country_id=read_id(row["country_id"]),
        state_ids=tuple(row["state_ids"]),
        tax_ids=tuple(row["tax_ids"]),
        company_id=row["company_id"][0],
        is_active=row["active"],
        write_date=read_datetime(row["write_date"]),
        raw=keep_raw(row),
    )


# Taxes for purchases are among them.
TAXES = Kind("taxes", "account.tax", TAX_FIELDS, _taxes, shared_records, has_archived=True, is_whole=True)
FISCAL_POSITIONS = Kind(
    "fiscal positions",
    "account.fiscal.position",
    POSITION_FIELDS,
    _positions,
    shared_records,
    has_archived=True,
    is_whole=True,
)
