"""Custom apps: a few big customers, each app with a fee and its usage, billed by hand from a spreadsheet."""

from datetime import date
from decimal import Decimal

from billing_console.demo.companies import find_company
from billing_console.demo.incidents import (
    other_price,
    tax_rounded_by_line,
    taxed_at,
    without_codes,
    without_quantity,
)
from billing_console.demo.statements import make_csv_rows
from billing_console.demo.terms import (
    EVERY_MONTH,
    Account,
    Incident,
    Metric,
    Plan,
    Price,
    Product,
    ServiceStory,
)
from billing_console.demo.window import Window
from ingest.models import Aggregation

COMPUTE = Metric("compute_hours", "Compute hours", places=2)
STORAGE = Metric("storage_gb", "Storage, GB", events=1, places=1, noise=3)
MESSAGES = Metric("messages", "Messages sent")
REPORTS = Metric("reports", "Reports generated", Aggregation.COUNT, field_name="")
SENSORS = Metric("sensors", "Sensors connected", events=1, noise=0)

USAGE = [
    Price("compute_hours", {"amount": "0.1875"}, "APP-COMPUTE"),
    Price("storage_gb", {"amount": "0.085"}, "APP-STORAGE"),
    Price("messages", {"amount": "0.0045"}, "APP-MESSAGES"),
    Price("reports", {"amount": "2.45"}, "APP-REPORTS"),
]
# Its product is not in Odoo yet, so nothing of this plan can be pushed.
UNMAPPED = [*USAGE, Price("sensors", {"amount": "1.35"}, None)]

STANDARD = Plan("app_standard", "Custom app", "CAD", "1200.00", "APP-FEE", USAGE)
PREMIUM = Plan("app_premium", "Custom app with support", "CAD", "3400.00", "APP-SUPPORT", USAGE)
EXPORT = Plan("app_standard_usd", "Custom app (USD)", "USD", "900.00", "APP-FEE", USAGE)
SENSOR = Plan("app_sensors", "Custom app with sensors", "CAD", "1850.00", "APP-FEE", UNMAPPED)


def _begin_last_month(window: Window) -> date:
    return window.newest


# Company, plan, growth in percent a month; then compute hours, gigabytes, messages and reports a month.
_ACCOUNTS = (
    (1, PREMIUM, 2, ("6200.50", "4100", "88000", "14")),
    (2, STANDARD, 0, ("1840.25", "920", "12500", "6")),
    (12, PREMIUM, 4, ("9100.75", "12800", "240000", "22")),
    (15, STANDARD, 0, ("760.00", "310", "4200", "4")),
    (18, STANDARD, 1, ("2250.00", "1500", "31000", "9")),
    (25, STANDARD, 0, ("1420.50", "640", "9800", "7")),
    (28, STANDARD, -1, ("3100.00", "2750", "52000", "12")),
    (33, EXPORT, 3, ("4800.25", "3900", "76000", "11")),
    (36, EXPORT, 0, ("1100.00", "450", "15400", "5")),
)


def _make_account(number: int, plan: Plan, growth: int, levels: tuple[str, ...]) -> Account:
    metrics = ("compute_hours", "storage_gb", "messages", "reports")
    return Account(
        id=f"app-{1000 + number}",
        company=find_company(number),
        plan=plan.code,
        usage={metric: Decimal(level) for metric, level in zip(metrics, levels, strict=True)},
        growth=growth,
        has_order=True,
    )


_NEWCOMER = Account(
    id="app-1031",
    company=find_company(31),
    plan=SENSOR.code,
    usage={"compute_hours": Decimal("640.00"), "storage_gb": Decimal(210), "sensors": Decimal(480)},
    begins=_begin_last_month,
)

CUSTOM = ServiceStory(
    code="custom",
    name="Custom apps",
    timezone="America/Toronto",
    products=[
        Product("APP-FEE", "Custom app", {"CAD": "1200.00", "USD": "900.00"}, is_recurring=True),
        Product("APP-SUPPORT", "Custom app with support", {"CAD": "3400.00"}, is_recurring=True),
        Product("APP-COMPUTE", "Custom app compute hours"),
        Product("APP-STORAGE", "Custom app storage"),
        Product("APP-MESSAGES", "Custom app messages"),
        Product("APP-REPORTS", "Custom app reports"),
    ],
    metrics=[COMPUTE, STORAGE, MESSAGES, REPORTS, SENSORS],
    plans=[STANDARD, PREMIUM, EXPORT, SENSOR],
    accounts=[*(_make_account(*row) for row in _ACCOUNTS), _NEWCOMER],
    make_rows=make_csv_rows,
    incidents=[
        Incident("app-1025", EVERY_MONTH, tax_rounded_by_line),
        Incident("app-1012", [5], other_price("compute_hours", 96)),
        Incident("app-1018", [4], taxed_at()),
        Incident("app-1002", [2], without_codes("1780.00", "App and usage, agreed lump sum")),
        Incident("app-1036", [1], without_quantity("compute_hours", "180.00")),
        Incident("app-1028", [0], other_price("storage_gb", 110)),
    ],
    tolerances={"CAD": ("0.01", "0"), "USD": ("0.01", "0.0005")},
)
