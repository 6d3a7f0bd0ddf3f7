"""Customer invoices and credit notes, draft and posted, with their lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

from reconciliation.connectors.odoo.client import (
    LINES_PAGE_SIZE,
    PAGE_SIZE,
    Domain,
    OdooClient,
    Record,
    in_batches,
)
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

ORDER_PATH = "line_ids.sale_line_ids.order_id"

FIELDS = (
    "name",
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
    "write_date",
)
LINE_FIELDS = ("product_id", "name", "quantity", "price_subtotal", "sale_line_ids")

# The other lines of an invoice are its taxes, its receivable, and sections and notes.
IS_BILLED: Domain = [["display_type", "=", "product"]]


def read_invoices(
    client: OdooClient, *, order_ids: Iterable[int] = (), partner_ids: Iterable[int] = ()
) -> Iterator[Invoice]:
    """The invoices and credit notes that bill one of these orders, and those of these partners, each once.

    Drafts and cancelled ones are among them: `state` tells.
    """
    seen: set[int] = set()
    for path, ids in ((ORDER_PATH, order_ids), ("partner_id", partner_ids)):
        for batch in in_batches(sorted(set(ids)), PAGE_SIZE):
            domain: Domain = [
                ["company_id", "=", client.company_id],
                ["move_type", "in", list(SIGNS)],
                [path, "in", batch],
            ]
            for page in client.read_pages("account.move", domain, FIELDS):
                yield from _invoices(client, [row for row in page if row["id"] not in seen])
                seen.update(row["id"] for row in page)


def _invoices(client: OdooClient, page: Sequence[Record]) -> Iterator[Invoice]:
    ids = [row["id"] for row in page]
    lines = client.read_lines("account.move.line", "move_id", ids, LINE_FIELDS, IS_BILLED)
    orders = _read_orders(client, (line for each in lines.values() for line in each))
    return (_invoice(client, row, lines[row["id"]], orders) for row in page)


def _read_orders(client: OdooClient, lines: Iterable[Record]) -> Mapping[int, int]:
    """The order of each order line that invoice lines bill."""
    ids = sorted({each for line in lines for each in line["sale_line_ids"]})
    domain: Domain = [["id", "in", ids]]
    pages = client.read_pages("sale.order.line", domain, ["order_id"], size=LINES_PAGE_SIZE) if ids else ()
    return {row["id"]: row["order_id"][0] for page in pages for row in page}


def _invoice(client: OdooClient, row: Record, lines: list[Record], orders: Mapping[int, int]) -> Invoice:
    rounding, sign = client.rounding(row["currency_id"][0]), SIGNS[row["move_type"]]
    billed = {orders[each] for line in lines for each in line["sale_line_ids"] if each in orders}
    return Invoice(
        id=row["id"],
        name=read_text(row["name"]),
        state=row["state"],
        move_type=row["move_type"],
        partner_id=row["partner_id"][0],
        order_ids=tuple(sorted(billed)),
        origin=read_text(row["invoice_origin"]),
        currency=read_name(row["currency_id"]) or "",
        untaxed=read_money(sign * row["amount_untaxed"], rounding),
        tax=read_money(sign * row["amount_tax"], rounding),
        total=read_money(sign * row["amount_total"], rounding),
        payment_state=row["payment_state"],
        invoice_date=read_date(row["invoice_date"]),
        lines=tuple(_line(line, rounding, sign) for line in lines),
        write_date=read_datetime(row["write_date"]),
        raw={**keep_raw(row), "lines": [keep_raw(line) for line in lines]},
    )


def _line(row: Record, rounding: Decimal, sign: int) -> InvoiceLine:
    return InvoiceLine(
        id=row["id"],
        product_id=read_id(row["product_id"]),
        name=read_text(row["name"]),
        quantity=read_decimal(row["quantity"]),
        untaxed=read_money(sign * row["price_subtotal"], rounding),
        sale_line_ids=tuple(row["sale_line_ids"]),
    )
