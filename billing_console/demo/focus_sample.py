"""The real rows: the FOCUS sample as a price list, accounts and usage events, nothing mended."""

import csv
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path

from billing_console.demo.usage import make_event
from ingest.collection import PostedEvent
from reconciliation.connectors.files.focus import focus_metric_code

PATH = Path(__file__).parent / "data" / "focus_sample.csv"
FIELD = "quantity"

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ListedPrice:
    """A price id at one of its list prices: one metric, with the Odoo product that it mostly bills as."""

    code: str
    name: str
    price_id: str
    sku_id: str
    unit_price: Decimal
    service_name: str


@cache
def read_rows() -> Sequence[Row]:
    """The file's rows as they stand there."""
    with PATH.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def read_accounts() -> Mapping[str, str]:
    """The names of the sub-accounts by their ids, in a fixed order."""
    return dict(sorted({row["SubAccountId"]: row["SubAccountName"] for row in read_rows()}.items()))


def read_service_names() -> Sequence[str]:
    """What the cloud vendors call their services."""
    return sorted({row["ServiceName"] for row in read_rows()})


@cache
def read_price_list() -> Mapping[str, ListedPrice]:
    """The list prices by metric code."""
    rows: dict[str, list[Row]] = defaultdict(list)
    for row, code in _usage_rows():
        rows[code].append(row)
    return {code: _list_price(code, rows[code]) for code in sorted(rows)}


def read_codes() -> Mapping[str, Sequence[str]]:
    """The metrics that each sub-account used."""
    codes: dict[str, set[str]] = defaultdict(set)
    for row, code in _usage_rows():
        codes[row["SubAccountId"]].add(code)
    return {account: sorted(used) for account, used in codes.items()}


def list_events() -> Iterator[PostedEvent]:
    """One event for each usage row that has a price: the row's quantity, when its use began."""
    for number, (row, code) in enumerate(_usage_rows(), start=1):
        yield make_event(
            subscription=row["SubAccountId"],
            code=code,
            name=f"focus row {number}",
            timestamp=datetime.fromisoformat(row["ChargePeriodStart"]).replace(tzinfo=UTC),
            properties={FIELD: row["PricingQuantity"]},
        )


def _usage_rows() -> Iterator[tuple[Row, str]]:
    for row in read_rows():
        code = focus_metric_code(row)
        if row["ChargeCategory"] == "Usage" and code:
            yield row, code


def _list_price(code: str, rows: Sequence[Row]) -> ListedPrice:
    first = rows[0]
    # A price id may sell under several services: the product is the one that most of its rows name.
    ((service_name, _),) = Counter(row["ServiceName"] for row in rows).most_common(1)
    return ListedPrice(
        code=code,
        name=f"{service_name}: {first['ChargeDescription']}"[:200],
        price_id=first["SkuPriceId"],
        sku_id=first["SkuId"],
        unit_price=Decimal(first["ListUnitPrice"]),
        service_name=service_name,
    )
