"""Subscription orders and their lines: what Odoo's own schedule bills."""

from __future__ import annotations

from reconciliation.connectors.odoo.client import LINES_PAGE_SIZE, Domain, OdooClient, Record
from reconciliation.connectors.odoo.kinds import Kind
from reconciliation.connectors.odoo.records import OrderLine, SubscriptionOrder
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

FIELDS = (
    "name",
    "state",
    "partner_id",
    "pricelist_id",
    "currency_id",
    "client_order_ref",
    "amount_untaxed",
    "amount_tax",
    "amount_total",
    "write_date",
)
SUBSCRIPTION_FIELDS = ("is_subscription", "plan_id", "subscription_state", "start_date", "next_invoice_date")
LINE_FIELDS = (
    "order_id",
    "product_id",
    "name",
    "product_uom_qty",
    "qty_delivered",
    "qty_invoiced",
    "qty_to_invoice",
    "price_unit",
    "price_subtotal",
    "price_total",
    "untaxed_amount_to_invoice",
    "tax_ids",
    "write_date",
)


def subscription_orders(client: OdooClient) -> Domain:
    """The company's subscription orders.

    On a server without subscriptions (`is_subscription` belongs to Odoo Enterprise) every order that left the
    state of a quotation and carries a customer reference stands for one.
    """
    if "is_subscription" in client.existing_fields("sale.order", SUBSCRIPTION_FIELDS):
        which: Domain = [["is_subscription", "=", True]]
    else:
        which = [["client_order_ref", "!=", False], ["state", "!=", "draft"]]
    return [["company_id", "=", client.company_id], *which]


def subscription_lines(client: OdooClient) -> Domain:
    """The lines of these orders: polled apart, as a line's quantity leaves its order's `write_date` as it was."""
    return [[f"order_id.{field}", operator, value] for field, operator, value in subscription_orders(client)]


def _orders(client: OdooClient, page: list[Record]) -> list[SubscriptionOrder]:
    return [_order(client, row) for row in page]


def _order(client: OdooClient, row: Record) -> SubscriptionOrder:
    rounding = client.rounding(row["currency_id"][0])
    plan = row.get("plan_id") or None
    return SubscriptionOrder(
        id=row["id"],
        name=row["name"],
        state=row["state"],
        partner_id=row["partner_id"][0],
        pricelist_id=read_id(row["pricelist_id"]),
        currency=read_name(row["currency_id"]) or "",
        client_order_ref=read_text(row["client_order_ref"]),
        plan=(plan[0], plan[1]) if plan else None,
        subscription_state=read_text(row.get("subscription_state")),
        start_date=read_date(row.get("start_date")),
        next_invoice_date=read_date(row.get("next_invoice_date")),
        untaxed=read_money(row["amount_untaxed"], rounding),
        tax=read_money(row["amount_tax"], rounding),
        total=read_money(row["amount_total"], rounding),
        write_date=read_datetime(row["write_date"]),
        raw=keep_raw(row),
    )


def _lines(client: OdooClient, page: list[Record]) -> list[OrderLine]:
    names = client.read_external_ids("sale.order.line", [row["id"] for row in page])
    return [
        OrderLine(
            id=row["id"],
            order_id=row["order_id"][0],
            product_id=read_id(row["product_id"]),
            name=read_text(row["name"]) or "",
            quantity=read_decimal(row["product_uom_qty"]),
            delivered=read_decimal(row["qty_delivered"]),
            invoiced=read_decimal(row["qty_invoiced"]),
            to_invoice=read_decimal(row["qty_to_invoice"]),
            price_unit=read_decimal(row["price_unit"]),
            untaxed=read_decimal(row["price_subtotal"]),
            total=read_decimal(row["price_total"]),
            untaxed_to_invoice=read_decimal(row["untaxed_amount_to_invoice"]),
            tax_ids=tuple(row["tax_ids"]),
            external_id=names.get(row["id"], ""),
            write_date=read_datetime(row["write_date"]),
            raw=keep_raw(row),
        )
        for row in page
    ]


ORDERS = Kind(
    "orders", "sale.order", FIELDS, _orders, subscription_orders, optional=SUBSCRIPTION_FIELDS, size=1000
)
ORDER_LINES = Kind(
    "order lines", "sale.order.line", LINE_FIELDS, _lines, subscription_lines, size=LINES_PAGE_SIZE
)
