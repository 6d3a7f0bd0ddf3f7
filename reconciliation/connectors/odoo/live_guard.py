"""The part of the write guard for what Odoo bills: usage on orders, and drafts of corrections.

What is put on a confirmed order is invoiced, and charged, by Odoo's own schedule. So each line is named after its
fee, and the guard asks whether Odoo bills that fee's period before anything leaves; without somebody to ask nothing
does. A correction is an invoice or a credit note without a state: a draft, which a person may post.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.odoo.classification import SYSTEM
from reconciliation.connectors.odoo.external_ids import name_correction_line, parse_correction, parse_fee

USAGE_COLUMNS = (
    "id",
    "order_id/.id",
    "product_id/.id",
    "name",
    "product_uom_qty",
    "qty_delivered",
    "price_unit",
)

CORRECTION_COLUMNS = (
    "id",
    "move_type",
    "partner_id/.id",
    "currency_id/.id",
    "ref",
    "invoice_line_ids/id",
    "invoice_line_ids/product_id/.id",
    "invoice_line_ids/name",
    "invoice_line_ids/quantity",
    "invoice_line_ids/price_unit",
)
MOVE_TYPES = ("out_invoice", "out_refund")

# Which of these fees or corrections are of a period that Odoo bills.
AskBiller = Callable[[Collection[str]], Collection[str]]


def is_usage_load(args: Sequence[Any]) -> bool:
    """Whether a `load()` has the columns of usage on an order."""
    return bool(args) and tuple(args[0]) == USAGE_COLUMNS


def check_usage_load(args: Sequence[Any], ask: AskBiller | None) -> None:
    """Refuse a line that is no fee's, or whose fee the service itself bills."""
    if len(args) != 2 or ask is None:
        raise _refusal("usage on an order without knowing who bills it")
    fees = [parse_fee(str(row[0])) for row in args[1]]
    keys = {fee for fee in fees if fee}
    if len(keys) != len(fees) or not all(str(row[1]).isdecimal() for row in args[1]):
        raise _refusal("a line on an order that is not one fee of the console")
    if not keys.issubset(ask(keys)):
        raise _refusal("usage on an order for a period that the service itself bills")


def check_correction_load(args: Sequence[Any], ask: AskBiller | None) -> None:
    """Refuse a document that is no correction of ours, or of a period that the service itself bills."""
    if ask is None or len(args) != 2 or tuple(args[0]) != CORRECTION_COLUMNS:
        raise _refusal("account.move.load with columns that the console does not write")
    keys = [parse_correction(str(row[0])) for row in args[1]]
    for key, row in zip(keys, args[1], strict=True):
        if key is None or row[1] not in MOVE_TYPES or row[5] != name_correction_line(key):
            raise _refusal("a document that is not a correction of the console")
    if not set(keys).issubset(ask({key for key in keys if key})):
        raise _refusal("a correction of a period that the service itself bills")


def _refusal(what: str) -> ConnectorError:
    return ConnectorError("refused_by_guard", f"The write guard refused {what}.", SYSTEM)
