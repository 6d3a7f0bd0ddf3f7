"""NexaMaps: map tiles and geocoding at graduated prices, to customers in Canada and abroad."""

from collections.abc import Sequence
from decimal import Decimal

from billing_console.demo.companies import find_company
from billing_console.demo.incidents import (
    adjusted,
    billed_in,
    billed_twice,
    credited,
    never_billed,
    other_quantity,
)
from billing_console.demo.statements import make_csv_rows
from billing_console.demo.terms import Account, Incident, Metric, Plan, Price, Product, ServiceStory
from ingest.models import ChargeModel

TILES = Metric("tiles", "Map tiles", places=0)
GEOCODES = Metric("geocodes", "Addresses geocoded", places=0)


def _graduate(*steps: tuple[int | None, str, str]) -> dict[str, list[dict[str, object]]]:
    """Ranges from their upper ends: the end, the price of a unit, the flat amount."""
    ranges: list[dict[str, object]] = []
    start = 0
    for end, unit, flat in steps:
        ranges.append({"from_value": start, "to_value": end, "per_unit_amount": unit, "flat_amount": flat})
        start = (end or 0) + 1
    return {"graduated_ranges": ranges}


def _prices(tiles: Sequence[str], geocodes: Sequence[str]) -> list[Price]:
    first, second = tiles
    few, many = geocodes
    return [
        Price(
            "tiles",
            _graduate((100_000, "0", "0"), (1_000_000, first, "0"), (None, second, "0")),
            "MAPS-TILES",
            ChargeModel.GRADUATED,
        ),
        Price(
            "geocodes",
            _graduate((10_000, few, "5.00"), (None, many, "0")),
            "MAPS-GEOCODES",
            ChargeModel.GRADUATED,
        ),
    ]


CAD = _prices(("0.00045", "0.00028"), ("0.004", "0.0025"))
USD = _prices(("0.00033", "0.00021"), ("0.003", "0.0019"))

MAPS_CAD = Plan("maps_business_cad", "NexaMaps Business", "CAD", "59.00", "MAPS-BUSINESS", CAD)
MAPS_USD = Plan("maps_business_usd", "NexaMaps Business (USD)", "USD", "45.00", "MAPS-BUSINESS", USD)
STUDIO_CAD = Plan("maps_studio_cad", "NexaMaps Studio", "CAD", "149.00", "MAPS-STUDIO", CAD)

# Company, plan, tiles and addresses a month, growth in percent a month, whether Odoo has an order.
_ACCOUNTS = (
    (1, MAPS_CAD, (820_000, 14_000), 3, True),
    (6, MAPS_CAD, (240_000, 5_200), 0, True),
    (9, MAPS_CAD, (96_000, 1_100), 2, True),
    (12, MAPS_CAD, (1_900_000, 42_000), 4, True),
    (14, MAPS_CAD, (310_000, 2_400), 0, False),
    (17, MAPS_CAD, (1_150_000, 38_000), 1, True),
    (20, MAPS_CAD, (640_000, 3_300), 0, True),
    (23, STUDIO_CAD, (150_000, 900), 0, True),
    (27, MAPS_CAD, (430_000, 21_000), 0, True),
    (31, MAPS_CAD, (88_000, 4_700), 0, False),
    (33, MAPS_USD, (2_600_000, 61_000), 2, True),
    (34, MAPS_USD, (170_000, 12_500), 0, True),
    (35, MAPS_USD, (3_400_000, 8_800), 1, True),
    (37, MAPS_USD, (540_000, 16_000), 0, True),
    (38, MAPS_USD, (1_480_000, 52_000), -1, True),
    (39, MAPS_USD, (210_000, 1_900), 3, False),
    (40, MAPS_USD, (760_000, 2_700), 0, True),
)


def _make_account(number: int, plan: Plan, usage: tuple[int, int], growth: int, has_order: bool) -> Account:
    return Account(
        id=f"maps-{1000 + number}",
        company=find_company(number),
        plan=plan.code,
        usage={metric: Decimal(level) for metric, level in zip(("tiles", "geocodes"), usage, strict=True)},
        growth=growth,
        has_order=has_order,
    )


NEXAMAPS = ServiceStory(
    code="nexamaps",
    name="NexaMaps",
    timezone="America/Toronto",
    products=[
        Product("MAPS-BUSINESS", "NexaMaps Business", {"CAD": "59.00", "USD": "45.00"}, is_recurring=True),
        # Sold at 149.00 since spring; in Odoo it still has last year's price.
        Product("MAPS-STUDIO", "NexaMaps Studio", {"CAD": "139.00"}, is_recurring=True),
        Product("MAPS-TILES", "NexaMaps tiles"),
        Product("MAPS-GEOCODES", "NexaMaps geocoding"),
    ],
    metrics=[TILES, GEOCODES],
    plans=[MAPS_CAD, MAPS_USD, STUDIO_CAD],
    accounts=[_make_account(*row) for row in _ACCOUNTS],
    make_rows=make_csv_rows,
    incidents=[
        Incident("maps-1033", [5], other_quantity("tiles", 95)),
        Incident("maps-1040", [4], credited("25.00", "Credit for tiles that were served stale")),
        Incident("maps-1027", [3], billed_in("USD")),
        Incident("maps-1039", [2], never_billed),
        Incident("maps-1017", [1], billed_twice("geocodes")),
        Incident("maps-1035", [0], adjusted("-120.00", "Enterprise rebate, entered by hand")),
    ],
    tolerances={"CAD": ("0.01", "0"), "USD": ("0.01", "0")},
)
