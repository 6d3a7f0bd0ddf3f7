"""What Odoo holds of the shadow quotations, and whether that is what was meant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.odoo.client import (
    OdooClient,
    Record,
    in_batches,
)
from reconciliation.connectors.odoo.drafts import PlanLine, QuotationDraft, UsageLine
from reconciliation.connectors.odoo.external_ids import MODULE, name_quotation, parse_line
from reconciliation.connectors.odoo.records import Quotation, QuotationLine
from reconciliation.connectors.odoo.values import (
    keep_raw,
    read_datetime,
    read_decimal,
    read_id,
    read_money,
    read_name,
)

BATCH = 1000
FIELDS = (
    "name",
    "state",
    "partner_id",
    "company_id",
    "pricelist_id",
    "currency_id",
    "amount_untaxed",
    "amount_tax",
    "amount_total",
    "write_date",
)
LINE_FIELDS = (
    "product_id",
    "name",
    "product_uom_qty",
    "price_unit",
    "price_subtotal",
    "price_tax",
    "price_total",
    "tax_ids",
)


def read_quotations(
    client: OdooClient, keys: Iterable[str], known_ids: Mapping[str, int] | None = None
) -> dict[str, Quotation]:
    """The quotations of these keys as Odoo holds them now; a key that Odoo does not know is absent.

    Pass the ids that writing returned: one call checks them all against the external ids. A key without a
    known id, or whose id is another record's by now, costs a call of its own. Three calls read 1,000 of them.
    """
    ids = _resolve(client, list(dict.fromkeys(keys)), known_ids or {})
    found = {order_id: key for key, order_id in ids.items()}
    quotations: dict[str, Quotation] = {}
    for batch in in_batches(sorted(found), BATCH):
        for quotation in _read_batch(client, batch, found):
            quotations[quotation.external_key] = quotation
    return quotations


def verify_own(draft: QuotationDraft, quotation: Quotation) -> list[str]:
    """As `verify`, without the lines that somebody else put there."""
    own = tuple(line for line in quotation.lines if line.external_key)
    return verify(draft, replace(quotation, lines=own))


def verify(draft: QuotationDraft, quotation: Quotation) -> list[str]:
    """How Odoo's quotation differs from the draft, in words; empty when it is equal to the payload.

    Usage lines are held to our amount, plan lines to product and quantity only: their price is Odoo's own.
    """
    return [*_verify_header(draft, quotation), *_verify_lines(draft, quotation)]


def _resolve(client: OdooClient, keys: Sequence[str], known_ids: Mapping[str, int]) -> dict[str, int]:
    wanted = {key: known_ids[key] for key in keys if key in known_ids}
    names = client.read_external_ids("sale.order", sorted(wanted.values()))
    ids = {key: order_id for key, order_id in wanted.items() if names.get(order_id) == name_quotation(key)}
    for key in keys:
        order_id = ids.get(key) or _look_up(client, key)
        if order_id:
            ids[key] = order_id
    return ids


def _look_up(client: OdooClient, key: str) -> int | None:
    """A quotation's id by its external id; Odoo answers an unknown one with a ValueError."""
    name = name_quotation(key).removeprefix(f"{MODULE}.")
    try:
        model, order_id = client.call("ir.model.data", "check_object_reference", MODULE, name)
    except ConnectorError as error:
        if error.code != "bad_value":
            raise
        return None
    return order_id if model == "sale.order" and order_id else None


def _read_batch(client: OdooClient, ids: list[int], keys: Mapping[int, str]) -> Iterator[Quotation]:
    domain, limit = [["id", "in", ids]], BATCH + 1  # a page that is not full needs no other one after it
    rows = [row for page in client.read_pages("sale.order", domain, FIELDS, size=limit) for row in page]
    lines = client.read_lines("sale.order.line", "order_id", ids, LINE_FIELDS)
    every_line = [line["id"] for each in lines.values() for line in each]
    names = client.read_external_ids("sale.order.line", every_line)
    return (_quotation(client, row, keys[row["id"]], lines[row["id"]], names) for row in rows)


def _quotation(
    client: OdooClient, row: Record, key: str, lines: Sequence[Record], names: Mapping[int, str]
) -> Quotation:
    rounding = client.rounding(row["currency_id"][0])
    return Quotation(
        external_key=key,
        id=row["id"],
        name=row["name"],
        state=row["state"],
        partner_id=row["partner_id"][0],
        currency=read_name(row["currency_id"]) or "",
        company_id=row["company_id"][0],
        pricelist_id=read_id(row["pricelist_id"]),
        untaxed=read_money(row["amount_untaxed"], rounding),
        tax=read_money(row["amount_tax"], rounding),
        total=read_money(row["amount_total"], rounding),
        lines=tuple(
            QuotationLine(
                external_key=_line_key(key, names.get(line["id"], "")),
                id=line["id"],
                product_id=read_id(line["product_id"]),
                name=line["name"],
                quantity=read_decimal(line["product_uom_qty"]),
                price_unit=read_decimal(line["price_unit"]),
                untaxed=read_money(line["price_subtotal"], rounding),
                tax=read_money(line["price_tax"], rounding),
                total=read_money(line["price_total"], rounding),
                tax_ids=tuple(line["tax_ids"]),
            )
            for line in lines
        ),
        write_date=read_datetime(row["write_date"]),
        raw={**keep_raw(row), "lines": [keep_raw(line) for line in lines]},
    )


def _line_key(key: str, external_id: str) -> str | None:
    """The line's key when its external id belongs to this quotation."""
    owner, line_key = parse_line(external_id) or (None, None)
    return line_key if owner == key else None


def _verify_header(draft: QuotationDraft, quotation: Quotation) -> list[str]:
    pairs = (
        ("key", draft.key, quotation.external_key),
        ("state", "draft", quotation.state),
        ("partner", draft.partner_id, quotation.partner_id),
        ("company", draft.company_id, quotation.company_id),
        ("pricelist", draft.pricelist_id, quotation.pricelist_id),
    )
    return [f"{name}: {held} in Odoo, {meant} intended" for name, meant, held in pairs if held != meant]


def _verify_lines(draft: QuotationDraft, quotation: Quotation) -> list[str]:
    held = {line.external_key: line for line in quotation.lines if line.external_key}
    differences = [
        f"line {line.external_key or f'“{line.name}”'}: not intended"
        for line in quotation.lines
        if line.external_key not in draft.line_keys
    ]
    for line in draft.lines:
        if line.key in held:
            differences += _verify_line(line, held[line.key])
        else:
            differences.append(f"line {line.key}: missing in Odoo")
    return differences


def _verify_line(meant: UsageLine | PlanLine, held: QuotationLine) -> list[str]:
    pairs: list[tuple[str, object, object]] = [("product", meant.product_id, held.product_id)]
    match meant:
        case UsageLine():
            pairs += [("quantity", 1, held.quantity), ("amount", meant.amount, held.untaxed)]
        case PlanLine():
            pairs += [("quantity", meant.quantity, held.quantity)]
    return [
        f"line {meant.key}: {name} {now} in Odoo, {intended} intended"
        for name, intended, now in pairs
        if now != intended
    ]
