"""FOCUS 1.0 to 1.2, the FinOps Foundation's format of billing data from cloud and SaaS vendors.

A sub-account is a customer. The bill is that of the billing period, and each row is for its charge period. The
three versions call alike what is read here; 1.2 adds the invoice's number, and columns that vendors need not have
are optional. Costs are without tax: FOCUS states tax in rows of their own. A statement with such rows states its
tax, which is their sum; one without any leaves it unsaid.
"""

import hashlib
import re
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal

from reconciliation.connectors.files.cells import CellError, read_currency, read_decimal, read_text
from reconciliation.connectors.files.records import ExternalLine, FileFormat, LineKind

_REQUIRED = frozenset(
    {
        "BilledCost",
        "BillingCurrency",
        "BillingPeriodEnd",
        "BillingPeriodStart",
        "ChargeCategory",
        "ChargeDescription",
        "SubAccountId",
    }
)
_OPTIONAL = frozenset(
    {
        "ChargePeriodEnd",
        "ChargePeriodStart",
        "InvoiceId",
        "ListUnitPrice",
        "PricingQuantity",
        "SkuId",
        "SkuPriceId",
        "SubAccountName",
    }
)
_COLUMNS = _REQUIRED | _OPTIONAL
# What only a file of that version or a later one has, the latest first.
_NEW_COLUMNS = (
    ("1.2", frozenset({"InvoiceId", "BillingAccountType", "SubAccountType", "PricingCurrency"})),
    ("1.1", frozenset({"SkuMeter", "SkuPriceDetails", "ServiceSubcategory", "CapacityReservationId"})),
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


def find_version(header: Collection[str]) -> str:
    """Which version of FOCUS a header is of, as far as its columns tell."""
    return next((version for version, columns in _NEW_COLUMNS if columns & {*header}), "1.0")


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
    used_from, used_to = _read_use(stated)
    return ExternalLine(
        row=row,
        customer=read_text(stated, "SubAccountId", is_required=True),
        customer_name=read_text(stated, "SubAccountName"),
        currency=read_currency(stated, "BillingCurrency"),
        period_start=period_start,
        period_end=period_end,
        document=read_text(stated, "InvoiceId"),
        kind=kind,
        code=_metric_code(stated) or _line_code(stated),
        description=read_text(stated, "ChargeDescription", longest=1024),
        quantity=read_decimal(stated, "PricingQuantity", pattern=_NUMBER),
        unit_price=read_decimal(stated, "ListUnitPrice", pattern=_NUMBER),
        untaxed=Decimal(0) if is_tax else cost,
        tax=cost if is_tax else None,
        total=cost if is_tax else None,
        raw=dict(cells),
        used_from=used_from,
        used_to=used_to,
    )


def _read_use(cells: Mapping[str, str]) -> tuple[datetime | None, datetime | None]:
    """What the charge is for; neither where the file does not say so."""
    columns = ("ChargePeriodStart", "ChargePeriodEnd")
    if not any(cells[column] for column in columns):
        return None, None
    start, end = (_read_instant(cells, column) for column in columns)
    if end < start:
        raise CellError(columns[1], "empty_period", f"must not lie before {columns[0]}")
    return start, end


def _read_stated(row: Mapping[str, str]) -> Mapping[str, str]:
    """The cells that are read, empty where the source says NULL or says nothing."""
    return {column: "" if (text := row.get(column, "").strip()) == "NULL" else text for column in _COLUMNS}


def _read_kind(cells: Mapping[str, str]) -> LineKind:
    category = read_text(cells, "ChargeCategory", is_required=True)
    if category not in _KINDS:
        raise CellError("ChargeCategory", "unknown_kind", f"must be one of {', '.join(_KINDS)}")
    return _KINDS[category]


def _read_day(cells: Mapping[str, str], column: str) -> date:
    """The UTC day of an instant."""
    return _read_instant(cells, column).date()


def _read_instant(cells: Mapping[str, str], column: str) -> datetime:
    """An ISO 8601 instant in UTC; sources write it with or without its zone."""
    text = read_text(cells, column, is_required=True)
    try:
        instant = datetime.fromisoformat(text)
        if instant.year in _YEARS:
            return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
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


FORMAT = FileFormat(name="focus", columns=_REQUIRED, parse_row=parse_row, optional=_OPTIONAL)
