"""Subscription orders with their lines: what Odoo's own schedule bills."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from reconciliation.connectors.odoo.client import (
    Domain,
    OdooClient,
    Record,
    changed_since,
)
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
LINE_FIELDS = ("product_id", "name", "product_uom_qty", "price_unit", "price_subtotal")


def read_subscription_orders(
    client: OdooClient, since: datetime | None = None
) -> Iterator[SubscriptionOrder]:
    """The company's subscription orders by id, those whose lines alone have changed included.

    On a server without subscriptions (`is_subscription` belongs to Odoo Enterprise) every order that left the
    state of a quotation and carries a customer reference stands for one; plan and dates are None then.
    """
    has_field = client.existing_fields("sale.order", SUBSCRIPTION_FIELDS)
    fields = [*FIELDS, *(name for name in SUBSCRIPTION_FIELDS if name in has_field)]
    domain = [
        ["company_id", "=", client.company_id],
        *_subscriptions("is_subscription" in has_field),
        *_order_or_line_changed(since),
    ]
    for page in client.read_pages("sale.order", domain, fields):
        ids = [row["id"] for row in page]
        lines = client.read_lines("sale.order.line", "order_id", ids, LINE_FIELDS)
        yield from (_order(client, row, lines[row["id"]]) for row in page)


def _subscriptions(is_marked: bool) -> Domain:
    if is_marked:
        return [["is_subscription", "=", True]]
    return [["client_order_ref", "!=", False], ["state", "!=", "draft"]]


def _order_or_line_changed(since: datetime | None) -> Domain:
    """A quantity that changes on a line leaves the order's own `write_date` as it was."""
    if since is None:
        return []
    return ["|", *changed_since(since), *changed_since(since, "order_line.write_date")]


def _order(client: OdooClient, row: Record, lines: Sequence[Record]) -> SubscriptionOrder:
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
        lines=tuple(
            OrderLine(
                id=line["id"],
                product_id=read_id(line["product_id"]),
                name=line["name"],
                quantity=read_decimal(line["product_uom_qty"]),
                price_unit=read_decimal(line["price_unit"]),
                untaxed=read_money(line["price_subtotal"], rounding),
            )
            for line in lines
        ),
        write_date=read_datetime(row["write_date"]),
        raw={**keep_raw(row), "lines": [keep_raw(line) for line in lines]},
    )
