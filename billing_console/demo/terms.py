"""The words that the demo's story is told in: what a service sells, to whom, and what went otherwise."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from billing_console.demo.window import MONTHS, Window
from ingest.collection import PostedEvent
from ingest.models import Aggregation, BillingTime, ChargeModel, Interval

EVERY_MONTH = range(MONTHS)


def begin_with_story(window: Window) -> date:
    """On the first day of the story."""
    return window.start


@dataclass(frozen=True, slots=True)
class Company:
    """A customer of Nexa Systems as Odoo knows it; one company may be a customer of several services."""

    ref: str
    name: str
    province: str = ""
    country: str = "CA"


@dataclass(frozen=True, slots=True)
class Product:
    """A product in Odoo and what it costs there, by currency; usage is priced by the console instead."""

    code: str
    name: str
    prices: Mapping[str, str] = field(default_factory=lambda: {"CAD": "0"})
    is_recurring: bool = False


@dataclass(frozen=True, slots=True)
class Metric:
    """A billable metric and how its generated usage looks: events a month, digits, percent of noise."""

    code: str
    name: str
    aggregation: Aggregation = Aggregation.SUM
    field_name: str = "quantity"
    events: int = 4
    places: int = 0
    noise: int = 7


@dataclass(frozen=True, slots=True)
class Price:
    """The price of a metric on a plan, and the product that it bills as; None is one nobody mapped yet."""

    metric: str
    properties: Mapping[str, Any]
    product: str | None
    model: ChargeModel = ChargeModel.STANDARD


@dataclass(frozen=True, slots=True)
class Plan:
    """What a service sells in one currency."""

    code: str
    name: str
    currency: str
    amount: str
    product: str | None
    prices: Sequence[Price] = ()
    interval: Interval = Interval.MONTHLY


@dataclass(frozen=True, slots=True)
class Account:
    """A service's customer and, under the same id, its subscription; `usage` is the first month's."""

    id: str
    company: Company
    plan: str
    usage: Mapping[str, Decimal] = field(default_factory=dict)
    growth: int = 0
    begins: Callable[[Window], date] = begin_with_story
    billing_time: BillingTime = BillingTime.CALENDAR
    is_linked: bool = True
    has_order: bool = False


@dataclass(frozen=True, slots=True)
class BilledLine:
    """One line of what the service billed; what its file leaves out is None, or empty for texts."""

    code: str
    description: str
    untaxed: Decimal
    kind: str = "usage"
    quantity: Decimal | None = None
    unit_price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Bill:
    """What the service billed an account for a period, `[period_start, period_end)` in the account's days.

    `tax_rates` are in percent; None states no tax at all.
    """

    account: Account
    period_start: date
    period_end: date
    currency: str
    lines: Sequence[BilledLine]
    tax_rates: Sequence[Decimal] | None
    is_tax_rounded_by_line: bool = False

    @property
    def number(self) -> str:
        """The invoice number: the same for a corrected bill."""
        return f"{self.period_start:%Y%m}-{self.account.id}"


Twist = Callable[[Bill], Bill]


@dataclass(frozen=True, slots=True)
class Incident:
    """What the service billed otherwise than its prices say, in which months: 0 is the newest, 5 the oldest."""

    account: str
    months_ago: Sequence[int]
    twist: Twist


# How a service writes a bill into its file: a row for each line.
Format = Callable[[Bill], Iterator[dict[str, str]]]


@dataclass(frozen=True, slots=True)
class RealBill:
    """Real bills beside the generated ones: their file, the events of their usage, the periods in them."""

    path: Path
    list_events: Callable[[], Iterator[PostedEvent]]
    labels: Sequence[str]


@dataclass(frozen=True, slots=True)
class ServiceStory:
    """One service of the demo: all that the loader needs to tell its story.

    Tolerances are the absolute and the relative limit by currency.
    """

    code: str
    name: str
    timezone: str
    products: Sequence[Product]
    metrics: Sequence[Metric]
    plans: Sequence[Plan]
    accounts: Sequence[Account]
    make_rows: Format
    incidents: Sequence[Incident] = ()
    tolerances: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    months: int = MONTHS
    real: RealBill | None = None
    webhook_url: str = ""

    def plan(self, code: str) -> Plan:
        """The plan of that code."""
        return next(plan for plan in self.plans if plan.code == code)

    def metric(self, code: str) -> Metric:
        """The metric of that code."""
        return next(metric for metric in self.metrics if metric.code == code)
