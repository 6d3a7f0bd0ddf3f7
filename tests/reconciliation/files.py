"""Files of what was billed, written down as a service would export them."""

import csv
import io
from pathlib import Path

from reconciliation.connectors.files.focus import FORMAT

CSV_ROW = {
    "customer": "acme",
    "currency": "CAD",
    "period_start": "2026-09-01",
    "period_end": "2026-10-01",
    "document": "INV-1",
    "kind": "usage",
    "code": "api_calls",
    "description": "API calls",
    "untaxed": "100",
    "tax": "",
    "total": "",
    "customer_name": "",
}

FOCUS_ROW = {
    **dict.fromkeys(sorted(FORMAT.columns | FORMAT.optional - {"InvoiceId"}), "NULL"),
    "BilledCost": "100",
    "BillingCurrency": "CAD",
    "BillingPeriodStart": "2026-09-01T00:00:00Z",
    "BillingPeriodEnd": "2026-10-01T00:00:00Z",
    "ChargeCategory": "Usage",
    "ChargeDescription": "Compute",
    "SubAccountId": "acme",
}


def write_csv(path: Path, *rows: dict[str, str]) -> Path:
    """Our own CSV; each row is `CSV_ROW` with other cells."""
    path.write_bytes(csv_text(*rows).encode())
    return path


def write_focus(path: Path, *rows: dict[str, str]) -> Path:
    """A FOCUS file; each row is `FOCUS_ROW` with other cells."""
    path.write_bytes(_write(FOCUS_ROW, rows).encode())
    return path


def csv_text(*rows: dict[str, str]) -> str:
    """The text of our own CSV, for a test to spoil."""
    return _write(CSV_ROW, rows)


def _write(base: dict[str, str], rows: tuple[dict[str, str], ...]) -> str:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(base))
    writer.writeheader()
    writer.writerows({**base, **row} for row in rows)
    return text.getvalue()
