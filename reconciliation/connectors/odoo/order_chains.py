"""The order that bills a subscription now: the one it is linked to, or after a renewal the one that renewed it.

Odoo Enterprise keeps a renewed order as `5_renewed` and names it in `subscription_id` of the order that renewed it.
These fields are read where the server has them; nothing here depends on writing them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.odoo.classification import SYSTEM
from reconciliation.connectors.odoo.client import OdooClient, Record
from reconciliation.connectors.odoo.order_drafts import OrderDraft
from reconciliation.connectors.odoo.values import read_id, read_name, read_text

FIELDS = ("name", "state", "partner_id", "currency_id")
OPTIONAL_FIELDS = ("subscription_state", "subscription_id")
RENEWED, CLOSED, UPSELL = "5_renewed", "6_churn", "7_upsell"
# A subscription that was renewed more often than this is a circle.
MOST_RENEWALS = 100


@dataclass(frozen=True, slots=True)
class Order:
    """What of an order decides whether it can take usage."""

    id: int
    name: str
    state: str
    partner_id: int | None
    currency: str
    subscription_state: str | None


def find_targets(
    client: OdooClient, drafts: Iterable[OrderDraft]
) -> tuple[dict[str, Order], dict[str, ConnectorError]]:
    """The order that each draft's lines go onto, and why not for each other one."""
    every = list(drafts)
    chains = read_chains(client, [draft.order_id for draft in every])
    targets: dict[str, Order] = {}
    errors: dict[str, ConnectorError] = {}
    for draft in every:
        chain = chains.get(draft.order_id)
        order = chain[-1] if chain else None
        error = _find_obstacle(draft, order)
        if order is not None:
            targets[draft.key] = order
        if error is not None:
            errors[draft.key] = error
    return targets, errors


def read_chains(client: OdooClient, order_ids: Iterable[int]) -> dict[int, list[Order]]:
    """Each order that Odoo has, followed by those that renewed it, the one that bills now last."""
    wanted = sorted(set(order_ids))
    if not wanted:
        return {}
    fields = [*FIELDS, *sorted(client.existing_fields("sale.order", OPTIONAL_FIELDS))]
    rows = client.call("sale.order", "search_read", [["id", "in", wanted]], fields=fields)
    chains = {row["id"]: [_order(row)] for row in rows}
    if "subscription_id" in fields:
        _follow(client, chains, fields)
    return chains


def _follow(client: OdooClient, chains: Mapping[int, list[Order]], fields: list[str]) -> None:
    for _ in range(MOST_RENEWALS):
        ends = {chain[-1].id: chain for chain in chains.values() if chain[-1].subscription_state == RENEWED}
        if not ends:
            return
        domain = [
            ["subscription_id", "in", sorted(ends)],
            ["state", "=", "sale"],
            ["subscription_state", "!=", UPSELL],
        ]
        rows = client.call("sale.order", "search_read", domain, fields=fields, order="id")
        found = {read_id(row["subscription_id"]): _order(row) for row in rows}
        if not found:
            return
        for root, chain in chains.items():
            successor = found.get(chain[-1].id)
            if successor is not None and successor.id != root:
                chain.append(successor)


def _order(row: Record) -> Order:
    return Order(
        id=row["id"],
        name=row["name"],
        state=row["state"],
        partner_id=read_id(row["partner_id"]),
        currency=read_name(row["currency_id"]) or "",
        subscription_state=read_text(row.get("subscription_state")),
    )


def _find_obstacle(draft: OrderDraft, order: Order | None) -> ConnectorError | None:
    """Why an order cannot take the usage, in words that say what to do."""
    if order is None:
        return _error(
            "order_missing",
            f"Odoo has no order {draft.order_id} in this company: link the subscription to the order that bills it.",
        )
    if order.subscription_state == RENEWED:
        return _error(
            "order_renewed",
            f"Order {order.name} was renewed, and the order that renewed it is not confirmed: confirm that one.",
        )
    if order.state != "sale" or order.subscription_state == CLOSED:
        is_closed = order.subscription_state == CLOSED
        state = "closed" if is_closed else f"“{order.state}”"
        return _error(
            "order_closed" if is_closed else "order_not_confirmed",
            f"Order {order.name} is {state} in Odoo and bills nothing: open or confirm it there, or link the"
            " subscription to the order that bills it.",
        )
    if order.partner_id != draft.partner_id:
        return _error(
            "other_partner",
            f"Order {order.name} is of another partner in Odoo (id {order.partner_id}) than the customer is linked to"
            f" (id {draft.partner_id}), perhaps since partners were merged: link the customer again.",
        )
    if order.currency != draft.currency:
        return _error(
            "other_currency",
            f"Order {order.name} is in {order.currency}, the fees are in {draft.currency}: give the order a pricelist"
            f" in {draft.currency}.",
        )
    return None


def _error(code: str, message: str) -> ConnectorError:
    return ConnectorError(code, message, SYSTEM)
