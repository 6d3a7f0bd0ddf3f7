"""NexaCloud: real accounts at real list prices; September 2024 is real usage, the five newest months generated."""

import random
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal

from billing_console.demo import focus_sample
from billing_console.demo.focus_sample import ListedPrice
from billing_console.demo.incidents import (
    adjusted,
    billed_twice,
    credited,
    never_billed,
    other_price,
    other_quantity,
)
from billing_console.demo.statements import make_focus_rows
from billing_console.demo.terms import (
    Account,
    Company,
    Incident,
    Metric,
    Plan,
    Price,
    Product,
    RealBill,
    ServiceStory,
    Twist,
)
from billing_console.demo.webhook_receiver import ADDRESS
from billing_console.demo.window import Window
from ingest.metering.arithmetic import quotient

CODE = "nexacloud"
PLAN = "nexacloud_on_demand"
REAL_MONTH = date(2024, 9, 1)
# One row of September's usage is on October's bill: it is for September all the same.
REAL_LABELS = ("2024-09",)
GENERATED_MONTHS = 5

# Monthly bills in US dollars that an account may start at.
BILLS = (45, 90, 160, 320, 640, 1250, 2600, 5200, 11_000, 24_000)

# What went otherwise, in the largest line of the account; the two newest months are clean.
_INCIDENTS: Sequence[tuple[str, int, Callable[[str], Twist]]] = (
    ("11353890204", 4, lambda code: other_quantity(code, 93)),
    ("46124420288", 4, lambda _: never_billed),
    ("21473187560", 4, lambda _: credited("75.00", "Service credit for the region outage (generated)")),
    ("39483241683", 3, billed_twice),
    ("51738928782", 3, lambda code: other_price(code, 110)),
    ("43883916739", 2, lambda code: other_quantity(code, 104)),
    ("11353890204", 2, lambda _: adjusted("18.40", "Reserved capacity, corrected by hand (generated)")),
)


def read_story() -> ServiceStory:
    """The service as its sample of real rows describes it."""
    prices = focus_sample.read_price_list()
    accounts = _make_accounts(prices)
    return ServiceStory(
        code=CODE,
        name="NexaCloud",
        timezone="UTC",
        products=_list_products(),
        metrics=[Metric(price.code, price.name, places=_places(price)) for price in prices.values()],
        plans=[_make_plan(prices)],
        accounts=accounts,
        make_rows=make_focus_rows,
        incidents=_place_incidents(accounts, prices),
        tolerances={"USD": ("0.01", "0")},
        months=GENERATED_MONTHS,
        real=RealBill(focus_sample.PATH, focus_sample.list_events, REAL_LABELS),
        webhook_url=ADDRESS,
    )


def _list_products() -> list[Product]:
    fee = Product("CLOUD-ON-DEMAND", "NexaCloud on demand", {"CAD": "0", "USD": "0"}, is_recurring=True)
    names = focus_sample.read_service_names()
    return [fee, *(Product(_product_code(name), name) for name in names)]


def _product_code(service_name: str) -> str:
    words = "".join(letter if letter.isalnum() else " " for letter in service_name.upper()).split()
    return "-".join(["CLOUD", *words])


def _make_plan(prices: Mapping[str, ListedPrice]) -> Plan:
    return Plan(
        PLAN,
        "NexaCloud on demand",
        "USD",
        "0",
        "CLOUD-ON-DEMAND",
        [
            Price(price.code, {"amount": f"{price.unit_price:f}"}, _product_code(price.service_name))
            for price in prices.values()
        ],
    )


def _begin_with_real_month(_: Window) -> date:
    return REAL_MONTH


def _make_accounts(prices: Mapping[str, ListedPrice]) -> list[Account]:
    codes = focus_sample.read_codes()
    accounts = []
    for number, (account_id, name) in enumerate(focus_sample.read_accounts().items()):
        draw = random.Random(account_id)
        used = [prices[code] for code in codes.get(account_id, ())]
        accounts.append(
            Account(
                id=account_id,
                company=Company(account_id, name, country="US"),
                plan=PLAN,
                usage=_draw_usage(used, draw),
                growth=draw.randint(-4, 9),
                begins=_begin_with_real_month,
                has_order=number % 2 == 0,
            )
        )
    return accounts


def _draw_usage(used: Sequence[ListedPrice], draw: random.Random) -> dict[str, Decimal]:
    """A month's quantities that come to a business bill, shared at random among what the account uses."""
    bill = Decimal(draw.choice(BILLS)) * draw.randint(80, 125) / 100
    weights = {price.code: draw.randint(1, 9) ** 2 for price in used}
    whole = sum(weights[price.code] for price in used if price.unit_price)
    usage = {}
    for price in used:
        if price.unit_price:
            usage[price.code] = quotient(bill * weights[price.code] / whole, price.unit_price)
        else:
            usage[price.code] = Decimal(draw.randint(10, 5000))
    return usage


def _places(price: ListedPrice) -> int:
    """Digits of a generated quantity: as many as a cent's worth needs."""
    return 0 if price.unit_price < Decimal("0.05") else 3


def _place_incidents(accounts: Sequence[Account], prices: Mapping[str, ListedPrice]) -> list[Incident]:
    by_id = {account.id: account for account in accounts}
    return [
        Incident(account_id, [ago], twist(_largest_line(by_id[account_id], prices)))
        for account_id, ago, twist in _INCIDENTS
    ]


def _largest_line(account: Account, prices: Mapping[str, ListedPrice]) -> str:
    return max(account.usage, key=lambda code: account.usage[code] * prices[code].unit_price)
