"""FOCUS 1.0, the FinOps Foundation's format of billing data from cloud and SaaS vendors.

A sub-account is a customer, and the row's billing period decides its period, whenever the usage itself was.
Costs are without tax: FOCUS states tax in rows of their own. A statement with such rows states its tax, which is
their sum; one without any leaves it unsaid.
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal

from reconciliation.connectors.files.cells import CellError, read_currency, read_decimal, read_text
from reconciliation.connectors.files.records import ExternalLine, FileFormat, LineKind

_COLUMNS = frozenset(
    {
        "BilledCost",
        "BillingCurrency",
        "BillingPeriodEnd",
        "BillingPeriodStart",
        "ChargeCategory",
        "ChargeDescription",
        "ListUnitPrice",
        "PricingQuantity",
        "SkuId",
        "SkuPriceId",
        "SubAccountId",
        "SubAccountName",
    }
)

_KINDS = {
    "Usage": LineKind.USAGE,
    "Purchase": LineKind.ONE_TIME,
    "Credit": LineKind.CREDIT,
    "Adjustment": LineKind.ADJUSTMENT,
    "Tax": LineKind.TAX,
}

# FOCUS allows 3.5E-05; an exponent of three digits is no amount of money.
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([Ee][+-]?[0-9]{1,2})?")

_LONGEST_CODE = 255
_YEARS = range(1900, 3000)


def focus_metric_code(row: Mapping[str, str]) -> str | None:
    """The code of the metric that a row's usage belongs to: its price id at its list price.

    One price id sold at two prices is two metrics. The code is stable however the price is written (`0.10` is
    `0.1`) and at most 255 characters; a longer one ends in a digest. None for a row without a price id or a
    list price: such a row is a billed line and no usage event.
    """
    return _metric_code(_read_stated(row))


def parse_row(row: int, cells: Mapping[str, str]) -> ExternalLine:
    """The line that a row states; raises CellError for the first cell that is wrong."""
    stated = _read_stated(cells)
    kind = _read_kind(stated)
    period_start, period_end = _read_day(stated, "BillingPeriodStart"), _read_day(stated, "BillingPeriodEnd")
    if period_end <= period_start:
        raise CellError("BillingPeriodEnd", "empty_period", "must lie after BillingPeriodStart")
    cost = read_decimal(stated, "BilledCost", pattern=_NUMBER)
    if cost is None:
        raise CellError("BilledCost", "missing", "must not be empty")
    is_tax = kind is LineKind.TAX
    return ExternalLine(
        row=row,
        customer=read_text(stated, "SubAccountId", is_required=True),
        customer_name=read_text(stated, "SubAccountName"),
        currency=read_currency(stated, "BillingCurrency"),
        period_start=period_start,
        period_end=period_end,
        document="",
        kind=kind,
        code=_metric_code(stated) or _line_code(stated),
        description=read_text(stated, "ChargeDescription", longest=1024),
        quantity=read_decimal(stated, "PricingQuantity", pattern=_NUMBER),
        unit_price=read_decimal(stated, "ListUnitPrice", pattern=_NUMBER),
        untaxed=Decimal(0) if is_tax else cost,
        tax=cost if is_tax else None,
        total=cost if is_tax else None,
        raw=dict(cells),
    )


def _read_stated(row: Mapping[str, str]) -> Mapping[str, str]:
    """The cells that are read, empty where the source says NULL or says nothing."""
    return {column: "" if (text := row.get(column, "").strip()) == "NULL" else text for column in _COLUMNS}


def _read_kind(cells: Mapping[str, str]) -> LineKind:
    category = read_text(cells, "ChargeCategory", is_required=True)
    if category not in _KINDS:
        raise CellError("ChargeCategory", "unknown_kind", f"must be one of {', '.join(_KINDS)}")
    return _KINDS[category]


def _read_day(cells: Mapping[str, str], column: str) -> date:
    """The UTC day of an ISO 8601 instant; sources write it with or without its zone."""
    text = read_text(cells, column, is_required=True)
    try:
        instant = datetime.fromisoformat(text)
        if instant.year in _YEARS:
            return (instant.astimezone(UTC) if instant.tzinfo else instant).date()
    except ValueError:
        pass
    raise CellError(
        column, "not_a_date", f"must be an instant such as 2026-10-01T00:00:00Z, not {text[:40]!r}"
    )


def _metric_code(stated: Mapping[str, str]) -> str | None:
    price_id, price = stated["SkuPriceId"], read_decimal(stated, "ListUnitPrice", pattern=_NUMBER)
    return _shorten(f"{price_id}@{_write_plainly(price)}") if price_id and price is not None else None


def _line_code(stated: Mapping[str, str]) -> str:
    """What a row without a metric is compared by: its category and what was sold."""
    return _shorten(f"{stated['ChargeCategory'].lower()}:{stated['SkuId'] or 'none'}")


def _write_plainly(price: Decimal) -> str:
    text = f"{price:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _shorten(code: str) -> str:
    if len(code) <= _LONGEST_CODE:
        return code
    digest = hashlib.sha256(code.encode()).hexdigest()[:16]
    return f"{code[: _LONGEST_CODE - 17]}~{digest}"


FORMAT = FileFormat(name="focus", columns=_COLUMNS, parse_row=parse_row)
