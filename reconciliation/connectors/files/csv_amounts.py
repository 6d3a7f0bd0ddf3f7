"""Our own CSV of billed amounts, for a service that can export a table and nothing better.

UTF-8 with or without a byte order mark; cells separated by comma, semicolon or tab; the first row names the
columns, in any order. One row is one billed line.

| column         |                                                                                        |
| -------------- | -------------------------------------------------------------------------------------- |
| `customer`     | required: the customer's id at the service                                             |
| `currency`     | required: ISO 4217, such as CAD                                                        |
| `period_start` | required: the first day of the billing period, 2026-10-01                              |
| `period_end`   | required: the day after its last one, 2026-11-01                                       |
| `description`  | required column, may be empty                                                          |
| `untaxed`      | the amount before tax                                                                  |
| `tax`          | the tax on it                                                                          |
| `total`        | the amount with tax; `untaxed` or `total` is required in each row                      |
| `code`         | the code of the metric or the plan, by which lines are compared                        |
| `kind`         | usage (if empty), plan, one_time, discount, credit, adjustment or tax                  |
| `quantity`     |                                                                                        |
| `unit_price`   |                                                                                        |
| `document`     | the invoice's number                                                                   |
| `customer_name`|                                                                                        |

Other columns are kept with the row and not read. Numbers are plain decimals, `-1204.10`. Of `untaxed`, `tax`
and `total` two give the third; where all three are stated they must add up. A row of kind tax states the tax on
the bill's other rows, which then state none: its `untaxed` is empty or 0.
"""

from collections.abc import Mapping

from reconciliation.connectors.files.amounts import complete_amounts, complete_tax
from reconciliation.connectors.files.cells import (
    CellError,
    read_currency,
    read_day,
    read_decimal,
    read_text,
)
from reconciliation.connectors.files.records import ExternalLine, FileFormat, LineKind

_AMOUNTS = ("untaxed", "tax", "total")


def parse_row(row: int, cells: Mapping[str, str]) -> ExternalLine:
    """The line that a row states; raises CellError for the first cell that is wrong."""
    period_start, period_end = read_day(cells, "period_start"), read_day(cells, "period_end")
    if period_end <= period_start:
        raise CellError("period_end", "empty_period", "must lie after period_start")
    kind = _read_kind(cells)
    complete = complete_tax if kind is LineKind.TAX else complete_amounts
    untaxed, tax, total = complete(_AMOUNTS, [read_decimal(cells, column) for column in _AMOUNTS])
    return ExternalLine(
        row=row,
        customer=read_text(cells, "customer", is_required=True),
        customer_name=read_text(cells, "customer_name"),
        currency=read_currency(cells, "currency"),
        period_start=period_start,
        period_end=period_end,
        document=read_text(cells, "document"),
        kind=kind,
        code=read_text(cells, "code"),
        description=read_text(cells, "description", longest=1024),
        quantity=read_decimal(cells, "quantity"),
        unit_price=read_decimal(cells, "unit_price"),
        untaxed=untaxed,
        tax=tax,
        total=total,
        raw=dict(cells),
    )


def _read_kind(cells: Mapping[str, str]) -> LineKind:
    text = read_text(cells, "kind") or LineKind.USAGE
    try:
        return LineKind(text)
    except ValueError:
        raise CellError("kind", "unknown_kind", f"must be one of {', '.join(LineKind)}") from None


FORMAT = FileFormat(
    name="csv",
    columns=frozenset({"customer", "currency", "period_start", "period_end", "description"}),
    parse_row=parse_row,
)
