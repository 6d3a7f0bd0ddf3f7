"""The files in which the services say what they billed: our own CSV, and FOCUS for NexaCloud."""

import csv
import json
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

from billing_console.demo import focus_sample
from billing_console.demo.bills import tax_lines
from billing_console.demo.terms import Bill, Format

Row = dict[str, str]

# Generated rows say so themselves, wherever their document is shown.
ORIGIN = "generated for the demo"

FOCUS_CATEGORIES = {"usage": "Usage", "credit": "Credit", "adjustment": "Adjustment"}


def write_statement(path: Path, bills: Iterable[Bill], make_rows: Format) -> None:
    """Writes the bills as a file; writing it again gives the same bytes."""
    rows = [row for bill in bills for row in make_rows(bill)]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def make_csv_rows(bill: Bill) -> Iterator[Row]:
    """A bill in our own CSV, a row for each line."""
    for number, (line, tax) in enumerate(zip(bill.lines, tax_lines(bill), strict=True), start=1):
        yield {
            "customer": bill.account.id,
            "customer_name": bill.account.company.name,
            "currency": bill.currency,
            "period_start": bill.period_start.isoformat(),
            "period_end": bill.period_end.isoformat(),
            "document": bill.number,
            "kind": line.kind,
            "code": line.code,
            "description": line.description,
            "quantity": _write(line.quantity),
            "unit_price": _write(line.unit_price),
            "untaxed": _write(line.untaxed),
            "tax": _write(tax),
            "origin": ORIGIN,
            # What is billed twice is two lines: without it the import would take them for one that stands twice.
            "line": str(number),
        }


def make_focus_rows(bill: Bill) -> Iterator[Row]:
    """A bill as FOCUS 1.0 has it; credits and adjustments carry no price."""
    prices = focus_sample.read_price_list()
    for number, line in enumerate(bill.lines, start=1):
        price = prices.get(line.code)
        yield {
            "BilledCost": _write(line.untaxed),
            "BillingCurrency": bill.currency,
            "BillingPeriodEnd": _write_instant(bill.period_end),
            "BillingPeriodStart": _write_instant(bill.period_start),
            "ChargeCategory": FOCUS_CATEGORIES[line.kind],
            "ChargeDescription": f"{line.description} ({ORIGIN})",
            "ListUnitPrice": _write(price.unit_price) if price else "NULL",
            "PricingQuantity": _write(line.quantity) or "NULL",
            "ServiceName": price.service_name if price else "NULL",
            "SkuId": price.sku_id if price else "NULL",
            "SkuPriceId": price.price_id if price else "NULL",
            "SubAccountId": bill.account.id,
            "SubAccountName": bill.account.company.name,
            "Tags": json.dumps({"origin": ORIGIN, "line": str(number)}),
        }


def _write(number: Decimal | None) -> str:
    return "" if number is None else f"{number:f}"


def _write_instant(day: date) -> str:
    return f"{day.isoformat()}T00:00:00Z"
