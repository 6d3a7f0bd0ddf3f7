"""What a service billed: its prices on what was used, and whatever went otherwise."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import accumulate, pairwise

from billing_console.demo.periods import list_periods, months_ago, read_days
from billing_console.demo.terms import Account, Bill, BilledLine, Plan, Price, ServiceStory
from billing_console.demo.usage import measure
from billing_console.demo.window import Window
from ingest.metering.periods import Period
from ingest.metering.usage import MeteredUsage
from ingest.rating.charge_models.registry import CHARGE_MODELS
from ingest.rating.money import round_to_currency

# Invoices in Canadian dollars state tax, those in other currencies say nothing of it.
TAXED_CURRENCY = "CAD"

# What the services charge by province, in percent; abroad nothing.
TAX_RATES = {
    "AB": ("5",),
    "BC": ("5", "7"),
    "MB": ("5", "7"),
    "NB": ("15",),
    "NL": ("15",),
    "NS": ("14",),
    "ON": ("13",),
    "PE": ("15",),
    "QC": ("5", "9.975"),
    "SK": ("5", "6"),
}


def list_bills(story: ServiceStory, window: Window, ago: int) -> Iterator[Bill]:
    """The bills of the periods that closed in one month; a bill without lines was never written."""
    for account in story.accounts:
        for period in list_periods(story, account, window):
            if months_ago(period, story, window) == ago:
                bill = make_bill(story, account, period, ago)
                if bill.lines:
                    yield bill


def make_bill(story: ServiceStory, account: Account, period: Period, ago: int) -> Bill:
    """One account's bill, after everything that went otherwise with it."""
    plan = story.plan(account.plan)
    first, end = read_days(period, story)
    bill = Bill(
        account=account,
        period_start=first,
        period_end=end,
        currency=plan.currency,
        lines=[*_plan_lines(plan), *_usage_lines(story, account, plan, ago)],
        tax_rates=_tax_rates(account) if plan.currency == TAXED_CURRENCY else None,
    )
    for incident in story.incidents:
        if incident.account == account.id and ago in incident.months_ago:
            bill = incident.twist(bill)
    return bill


def tax_lines(bill: Bill) -> list[Decimal | None]:
    """The tax of each line; together what the rates take of the bill, rounded once for each rate."""
    if bill.tax_rates is None:
        return [None] * len(bill.lines)
    amounts = [line.untaxed for line in bill.lines]
    if bill.is_tax_rounded_by_line:
        return [_tax(amount, bill) for amount in amounts]
    # Each line takes what the tax of the sum so far grew by: no cent is lost or won between the lines.
    sums = accumulate(amounts, initial=Decimal(0))
    return [_tax(after, bill) - _tax(before, bill) for before, after in pairwise(sums)]


def _tax(amount: Decimal, bill: Bill) -> Decimal:
    rates = bill.tax_rates or ()
    return sum((round_to_currency(amount * rate / 100, bill.currency) for rate in rates), Decimal("0.00"))


def _tax_rates(account: Account) -> Sequence[Decimal]:
    return [Decimal(rate) for rate in TAX_RATES.get(account.company.province, ())]


def _plan_lines(plan: Plan) -> Iterator[BilledLine]:
    amount = Decimal(plan.amount)
    if amount:
        yield BilledLine(plan.code, plan.name, amount, "plan", Decimal(1), amount)


def _usage_lines(story: ServiceStory, account: Account, plan: Plan, ago: int) -> Iterator[BilledLine]:
    for price in plan.prices:
        if price.metric in account.usage:
            metric = story.metric(price.metric)
            quantity = measure(story, account, metric, ago)
            yield BilledLine(
                code=metric.code,
                description=metric.name,
                untaxed=_price(price, quantity, plan.currency),
                quantity=quantity,
                unit_price=_unit_price(price),
            )


def _price(price: Price, quantity: Decimal, currency: str) -> Decimal:
    usage = MeteredUsage(quantity=quantity, events_count=1)
    rated = CHARGE_MODELS[price.model].rate(price.properties, usage, currency=currency)
    return round_to_currency(rated.amount, currency)


def _unit_price(price: Price) -> Decimal | None:
    """The one price of a unit; a graduated price has none."""
    amount = price.properties.get("amount")
    return None if amount is None else Decimal(amount)
