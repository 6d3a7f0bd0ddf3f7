"""The part of the write guard for orders that Odoo bills: usage lines, each asked for by its fee.

What is put on a confirmed order is invoiced, and charged, by Odoo's own schedule. So each line is named after its
fee, and the guard asks whether Odoo bills that fee's period before anything leaves; without somebody to ask nothing
does.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.odoo.classification import SYSTEM
from reconciliation.connectors.odoo.external_ids import parse_fee

USAGE_COLUMNS = (
    "id",
    "order_id/.id",
    "product_id/.id",
    "name",
    "product_uom_qty",
    "qty_delivered",
    "price_unit",
)

# Which of these fees are of a period that Odoo bills.
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


def _refusal(what: str) -> ConnectorError:
    return ConnectorError("refused_by_guard", f"The write guard refused {what}.", SYSTEM)
