"""Customer invoices and credit notes, draft, posted and cancelled, and their lines."""

from __future__ import annotations

from reconciliation.connectors.odoo.client import LINES_PAGE_SIZE, Domain, OdooClient, Record
from reconciliation.connectors.odoo.kinds import Kind
from reconciliation.connectors.odoo.records import Invoice, InvoiceLine
from reconciliation.connectors.odoo.values import (
    keep_raw,
    read_date,
    read_datetime,
    read_decimal,
    read_id,
    read_money,
    read_name,
    read_text,
)

# An amount of a credit note is positive on the wire; here it is what it does to the customer's account.
SIGNS = {"out_invoice": 1, "out_refund": -1}

FIELDS = (
    "name",
    "ref",
    "state",
    "move_type",
    "partner_id",
    "invoice_origin",
    "currency_id",
    "amount_untaxed",
    "amount_tax",
    "amount_total",
    "payment_state",
    "invoice_date",
    "invoice_date_due",
    "reversed_entry_id",
    "write_date",
)
LINE_FIELDS = (
    "move_id",
    "display_type",
    "product_id",
    "name",
    "quantity",
    "price_unit",
    "price_subtotal",
    "price_total",
    "balance",
    "tax_ids",
    "sale_line_ids",
    "write_date",
)
DEFERRED_FIELDS = ("deferred_start_date", "deferred_end_date")

# What is billed, and the taxes on it; the other lines are the receivable, sections and notes.
DISPLAY_TYPES = ["product", "tax"]


def customer_documents(client: OdooClient) -> Domain:
    """The company's invoices and credit notes to customers."""
    return [["company_id", "=", client.company_id], ["move_type", "in", list(SIGNS)]]


def document_lines(client: OdooClient) -> Domain:
    """The lines of these documents: polled apart, as an edited line of a posted one leaves its header alone."""
    headers = [[f"move_id.{field}", operator, value] for field, operator, value in customer_documents(client)]
    return [*headers, ["display_type", "in", DISPLAY_TYPES]]


def _invoices(client: OdooClient, page: list[Record]) -> list[Invoice]:
    return [_invoice(client, row) for row in page]


def _invoice(client: OdooClient, row: Record) -> Invoice:
    rounding, sign = client.rounding(row["currency_id"][0]), SIGNS[row["move_type"]]
    return Invoice(
        id=row["id"],
        name=read_text(row["name"]),
        ref=read_text(row["ref"]),
        state=row["state"],
        move_type=row["move_type"],
        partner_id=read_id(row["partner_id"]) or 0,  # a draft may have none yet
        origin=read_text(row["invoice_origin"]),
        currency=read_name(row["currency_id"]) or "",
        untaxed=read_money(sign * row["amount_untaxed"], rounding),
        tax=read_money(sign * row["amount_tax"], rounding),
        total=read_money(sign * row["amount_total"], rounding),
        payment_state=read_text(row["payment_state"]) or "",
        invoice_date=read_date(row["invoice_date"]),
        due_date=read_date(row["invoice_date_due"]),
        reversed_id=read_id(row["reversed_entry_id"]),
        write_date=read_datetime(row["write_date"]),
        raw=keep_raw(row),
    )


def _lines(client: OdooClient, page: list[Record]) -> list[InvoiceLine]:
    billed = [row["id"] for row in page if row["display_type"] == "product"]
    names = client.read_external_ids("account.move.line", billed)
    return [
        InvoiceLine(
            id=row["id"],
            move_id=row["move_id"][0],
            display_type=row["display_type"],
            product_id=read_id(row["product_id"]),
            name=read_text(row["name"]),
            quantity=read_decimal(row["quantity"] or 0),
            price_unit=read_decimal(row["price_unit"] or 0),
            untaxed=read_decimal(row["price_subtotal"] or 0),  # false on a line of tax
            total=read_decimal(row["price_total"] or 0),
            balance=read_decimal(row["balance"]),
            tax_ids=tuple(row["tax_ids"]),
            sale_line_ids=tuple(row["sale_line_ids"]),
            deferred_from=read_date(row.get("deferred_start_date")),
            deferred_to=read_date(row.get("deferred_end_date")),
            external_id=names.get(row["id"], ""),
            write_date=read_datetime(row["write_date"]),
            raw=keep_raw(row),
        )
        for row in page
    ]


INVOICES = Kind("invoices", "account.move", FIELDS, _invoices, customer_documents, size=1000)
INVOICE_LINES = Kind(
    "invoice lines",
    "account.move.line",
    LINE_FIELDS,
    _lines,
    document_lines,
    optional=DEFERRED_FIELDS,
    size=LINES_PAGE_SIZE,
)
