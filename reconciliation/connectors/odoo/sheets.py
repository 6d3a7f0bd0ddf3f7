"""A draft as rows of `load()`: which columns, which cells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from reconciliation.connectors.odoo.drafts import QuotationDraft
from reconciliation.connectors.odoo.external_ids import name_line, name_quotation
from reconciliation.connectors.odoo.guard import HEADER_COLUMNS, PLAN_COLUMNS, USAGE_COLUMNS
from reconciliation.connectors.odoo.values import write_decimal

Row = list[str]

INSERT_ONLY = {"mode": "update", "noupdate": True}


class Keyed(Protocol):
    """A draft, whose key names what it becomes."""

    @property
    def key(self) -> str: ...


Draft = TypeVar("Draft", bound=Keyed)


@dataclass(frozen=True, slots=True)
class Sheet(Generic[Draft]):
    """What one `load()` sends: the model, its columns, the rows that a draft makes, and a context."""

    model: str
    columns: tuple[str, ...]
    rows: Callable[[Draft], list[Row]]
    context: Mapping[str, Any] = field(default_factory=dict)


def header_sheet(tag_id: int) -> Sheet[QuotationDraft]:
    """The quotations without lines: only inserted, so that those which are there keep what they hold."""
    return Sheet("sale.order", HEADER_COLUMNS, lambda draft: [_header_cells(draft, tag_id)], INSERT_ONLY)


def usage_sheet(tag_id: int) -> Sheet[QuotationDraft]:
    """The quotations with their usage lines, inserted or updated."""
    return Sheet("sale.order", HEADER_COLUMNS + USAGE_COLUMNS, lambda draft: _usage_rows(draft, tag_id))


def _header_cells(draft: QuotationDraft, tag_id: int) -> Row:
    return [
        name_quotation(draft.key),
        str(draft.partner_id),
        str(draft.company_id),
        str(draft.pricelist_id),
        draft.reference,
        "False",
        "False",
        str(tag_id),
    ]


def _usage_rows(draft: QuotationDraft, tag_id: int) -> list[Row]:
    """The quotation with its first line, then a row per further line: empty cells carry on those above."""
    lines = [
        [name_line(draft.key, line.key), str(line.product_id), line.name, "1", write_decimal(line.amount)]
        for line in draft.usage_lines
    ] or [[""] * len(USAGE_COLUMNS)]
    first, *others = lines
    empty = [""] * len(HEADER_COLUMNS)
    return [_header_cells(draft, tag_id) + first, *(empty + line for line in others)]


def _plan_rows(draft: QuotationDraft) -> list[Row]:
    order = name_quotation(draft.key)
    return [
        [
            name_line(draft.key, line.key),
            order,
            str(line.product_id),
            line.name,
            write_decimal(line.quantity),
        ]
        for line in draft.plan_lines
    ]


# No price column: Odoo prices these lines.
PLAN_SHEET = Sheet("sale.order.line", PLAN_COLUMNS, _plan_rows)
