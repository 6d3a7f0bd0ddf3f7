"""Usage on the order of a subscription that Odoo bills: a line per fee, written so that twice is once.

Per thousand lines, whatever the number of orders:

1. The orders are read, and where one was renewed, the order that renewed it. An order that cannot take usage fails
   its draft and no other: one that is not confirmed, is closed, is of another customer or in another currency.
2. Where a line is taken back that Odoo has invoiced already, nothing of the draft is written: what took its place
   would be billed beside it, and only a correction helps.
3. A `load()` that only inserts. It answers each line's id by its external id and changes nothing that is there; what
   a lost answer left behind is found the same way, on whichever order of the chain it is.
4. The lines are read. One that differs is written again by a second `load()`, unless Odoo has invoiced it already:
   then a correction helps here too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.odoo.classification import SYSTEM
from reconciliation.connectors.odoo.client import OdooClient, Record
from reconciliation.connectors.odoo.drafts import UsageLine, refuse_repeated
from reconciliation.connectors.odoo.external_ids import name_fee, parse_fee
from reconciliation.connectors.odoo.live_guard import USAGE_COLUMNS
from reconciliation.connectors.odoo.loading import load_drafts
from reconciliation.connectors.odoo.order_chains import Order, find_targets, read_chains
from reconciliation.connectors.odoo.order_drafts import OrderDraft
from reconciliation.connectors.odoo.outcomes import WriteOutcome
from reconciliation.connectors.odoo.sheets import INSERT_ONLY, Row, Sheet
from reconciliation.connectors.odoo.values import read_decimal, write_decimal

LINE_FIELDS = ("order_id", "product_id", "product_uom_qty", "qty_delivered", "price_unit", "qty_invoiced")
RECURRING = "recurring_invoice"


@dataclass(frozen=True, slots=True)
class HeldLine:
    """A usage line as Odoo holds it."""

    fee_key: str
    id: int
    order_id: int
    product_id: int | None
    quantity: Decimal
    delivered: Decimal
    price_unit: Decimal
    invoiced: Decimal

    def differs(self, meant: UsageLine) -> list[str]:
        """How it is not what was meant, in words."""
        quantity = _quantity(meant)
        pairs = (
            ("product", meant.product_id, self.product_id),
            ("quantity", quantity, self.quantity),
            ("delivered quantity", quantity, self.delivered),
            ("amount", meant.amount, self.price_unit),
        )
        return [
            f"line {meant.key}: {name} {held} in Odoo, {intended} intended"
            for name, intended, held in pairs
            if held != intended
        ]


@dataclass(frozen=True, slots=True)
class OrderUsage:
    """What Odoo holds of a draft: its lines by fee, on the order that bills it now."""

    order: Order
    lines: Mapping[str, HeldLine]


def write_order_lines(client: OdooClient, drafts: Iterable[OrderDraft]) -> dict[str, WriteOutcome]:
    """Makes each draft's lines on its order what the draft says, and tells of each what became of it.

    Raises `ConnectorError` for what concerns no single draft: then any of them may have been written, and all may be
    written again.
    """
    every = list(drafts)
    refuse_repeated((line.key for draft in every for line in draft.lines), "the drafts")
    if not every:
        return {}
    targets, errors = find_targets(client, every)
    errors |= _refuse_recurring(client, [draft for draft in every if draft.key not in errors])
    errors |= _refuse_withdrawn(client, [draft for draft in every if draft.key not in errors])
    open_drafts = [draft for draft in every if draft.key not in errors]
    inserted = load_drafts(client, _insert_sheet(targets), open_drafts)
    held = _read_lines(client, _match(open_drafts, inserted.ids))
    errors |= inserted.errors | _refuse_invoiced(open_drafts, held)
    revised = [draft for draft in open_drafts if draft.key not in errors]
    errors |= load_drafts(client, _revise_sheet(held), revised).errors
    orders = {key: order.id for key, order in targets.items()}
    return {
        draft.key: WriteOutcome(draft.key, orders.get(draft.key), errors.get(draft.key)) for draft in every
    }


def read_order_usage(client: OdooClient, drafts: Iterable[OrderDraft]) -> dict[str, OrderUsage]:
    """What Odoo holds of these drafts, wherever on the chain of their orders; one without a line is absent."""
    every = list(drafts)
    chains = read_chains(client, [draft.order_id for draft in every])
    order_ids = sorted({order.id for chain in chains.values() for order in chain})
    products = sorted({line.product_id for draft in every for line in draft.lines})
    domain = [["order_id", "in", order_ids], ["product_id", "in", products]]
    rows = [row for page in client.read_pages("sale.order.line", domain, ["order_id"]) for row in page]
    names = client.read_external_ids("sale.order.line", [row["id"] for row in rows])
    ids = {fee: line_id for line_id, name in names.items() if (fee := parse_fee(name))}
    wanted = {line.key for draft in every for line in draft.lines}
    held = _read_lines(client, {fee: line_id for fee, line_id in ids.items() if fee in wanted})
    return {
        draft.key: OrderUsage(chains[draft.order_id][-1], lines)
        for draft in every
        if chains.get(draft.order_id)
        and (lines := {line.key: held[line.key] for line in draft.lines if line.key in held})
    }


def verify_usage(draft: OrderDraft, usage: OrderUsage) -> list[str]:
    """How Odoo's lines differ from the draft, in words; empty when they are equal to the payload."""
    differences = []
    for line in draft.lines:
        held = usage.lines.get(line.key)
        differences += held.differs(line) if held else [f"line {line.key}: missing in Odoo"]
    return differences


def _quantity(line: UsageLine) -> Decimal:
    """1 × the amount; nothing of a line that is taken back, whose product Odoo then lists no more."""
    return Decimal(1 if line.amount else 0)


def _refuse_recurring(client: OdooClient, drafts: Sequence[OrderDraft]) -> dict[str, ConnectorError]:
    """A product that recurs would be billed again each period, with the amount of this one."""
    products = sorted({line.product_id for draft in drafts for line in draft.lines})
    if not products or RECURRING not in client.existing_fields("product.product", [RECURRING]):
        return {}
    rows = client.call("product.product", "read", products, fields=["display_name", RECURRING])
    recurring = {row["id"]: row["display_name"] for row in rows if row[RECURRING]}
    errors = {}
    for draft in drafts:
        named = sorted({recurring[line.product_id] for line in draft.lines if line.product_id in recurring})
        if named:
            message = (
                f"{', '.join(named)} is a subscription product in Odoo: usage on it would be billed again each"
                " period. Set a product that does not recur on the charge."
            )
            errors[draft.key] = ConnectorError("recurring_product", message, SYSTEM)
    return errors


def _insert_sheet(targets: Mapping[str, Order]) -> Sheet[OrderDraft]:
    """Every line, onto its draft's order: only inserted."""
    return Sheet(
        "sale.order.line",
        USAGE_COLUMNS,
        lambda draft: [_cells(line, targets[draft.key].id) for line in draft.lines],
        INSERT_ONLY,
    )


def _revise_sheet(held: Mapping[str, HeldLine]) -> Sheet[OrderDraft]:
    """The lines that differ, each on the order where it is."""
    return Sheet(
        "sale.order.line",
        USAGE_COLUMNS,
        lambda draft: [
            _cells(line, held[line.key].order_id)
            for line in draft.lines
            if line.key in held and held[line.key].differs(line)
        ],
    )


def _cells(line: UsageLine, order_id: int) -> Row:
    quantity = write_decimal(_quantity(line))
    product, amount = str(line.product_id), write_decimal(line.amount)
    return [name_fee(line.key), str(order_id), product, line.name, quantity, quantity, amount]


def _match(drafts: Iterable[OrderDraft], ids: Mapping[str, Sequence[int]]) -> dict[str, int]:
    """The line's id by its fee; `load()` answers the ids in the order of the rows."""
    return {
        line.key: line_id
        for draft in drafts
        if draft.key in ids
        for line, line_id in zip(draft.lines, ids[draft.key], strict=True)
    }


def _refuse_withdrawn(client: OdooClient, drafts: Iterable[OrderDraft]) -> dict[str, ConnectorError]:
    """Drafts that take back a line which Odoo has invoiced; of the others nothing is read."""
    withdrawing = [draft for draft in drafts if not all(line.amount for line in draft.lines)]
    held: dict[str, HeldLine] = {}
    for usage in read_order_usage(client, withdrawing).values() if withdrawing else ():
        held |= {key: line for key, line in usage.lines.items() if line.invoiced}
    gone = [
        replace(draft, lines=tuple(line for line in draft.lines if not line.amount)) for draft in withdrawing
    ]
    return _refuse_invoiced(gone, held)


def _refuse_invoiced(drafts: Iterable[OrderDraft], held: Mapping[str, HeldLine]) -> dict[str, ConnectorError]:
    """What Odoo has invoiced stays as it is: another price on the order's line would change no invoice."""
    errors = {}
    for draft in drafts:
        billed = [
            difference
            for line in draft.lines
            if line.key in held and held[line.key].invoiced
            for difference in held[line.key].differs(line)
        ]
        if billed:
            message = f"Odoo has invoiced this already ({'; '.join(billed)}): draft a correction for the difference."
            errors[draft.key] = ConnectorError("already_invoiced", message, SYSTEM)
    return errors


def _read_lines(client: OdooClient, ids: Mapping[str, int]) -> dict[str, HeldLine]:
    """The lines of these ids as Odoo holds them, by fee; one that is gone is absent."""
    if not ids:
        return {}
    fees = {line_id: fee for fee, line_id in ids.items()}
    rows = client.call("sale.order.line", "read", sorted(fees), fields=list(LINE_FIELDS))
    return {fees[row["id"]]: _held(fees[row["id"]], row) for row in rows}


def _held(fee_key: str, row: Record) -> HeldLine:
    return HeldLine(
        fee_key=fee_key,
        id=row["id"],
        order_id=row["order_id"][0],
        product_id=row["product_id"][0] if row["product_id"] else None,
        quantity=read_decimal(row["product_uom_qty"]),
        delivered=read_decimal(row["qty_delivered"]),
        price_unit=read_decimal(row["price_unit"]),
        invoiced=read_decimal(row["qty_invoiced"]),
    )
