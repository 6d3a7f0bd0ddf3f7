"""What a bill of Stripe's says that each period costs: its lines attributed by what they were for."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC
from decimal import Decimal
from zoneinfo import ZoneInfo

from ingest.calendar import customer_timezone
from ingest.metering.periods import BillingTime, Interval, Period
from ingest.models import Customer, Service, Subscription
from ingest.rating.money import to_cents
from reconciliation.comparison.attribution import (
    AttributionError,
    Calendar,
    Days,
    Money,
    Part,
    add_up,
    attribute,
    find_days,
    find_timing,
    separate_tax,
    split_money,
)
from reconciliation.comparison.attribution import Timing as Time
from reconciliation.connectors.stripe.records import Bill, BillError, BillLine, Kind
from reconciliation.documents import NewAmount, NewLine
from reconciliation.models import LineKind

Calendars = Mapping[int, Sequence[Calendar]]


def read_calendars(service: Service, customers: Iterable[Customer]) -> Calendars:
    """Of each customer the calendars of its subscriptions; without one, the calendar's months where it is."""
    found: dict[int, list[Calendar]] = {customer.pk: [] for customer in customers}
    zones = {customer.pk: customer_timezone(customer) for customer in customers}
    rows = Subscription.objects.filter(service=service, customer__in=found, canceled_at=None)
    for row in rows.select_related("plan").order_by("started_at", "pk"):
        calendar = Calendar(
            zones[row.customer_id],
            Interval(row.plan.interval),
            BillingTime(row.billing_time),
            row.anchor.astimezone(UTC),
        )
        if calendar not in found[row.customer_id]:
            found[row.customer_id].append(calendar)
    return {key: calendars or [Calendar(zones[key])] for key, calendars in found.items()}


def make_amounts(
    bill: Bill, customer: Customer, calendars: Sequence[Calendar], corrected: Bill | None = None
) -> list[NewAmount]:
    """The bill's amounts, one for each period that it bills; they sum to it.

    A credit note's lines are in the periods of the invoice lines that they correct; one that names none is spread as
    the invoice is. Raises BillError for a line that cannot be attributed.
    """
    try:
        return _make(bill, customer, calendars, corrected)
    except AttributionError as error:
        raise BillError(error.code, error.message) from error


def _make(
    bill: Bill, customer: Customer, calendars: Sequence[Calendar], corrected: Bill | None
) -> list[NewAmount]:
    timezone = customer_timezone(customer)
    shares: dict[Period, list[tuple[BillLine, Part, Time | None]]] = defaultdict(list)
    for line in bill.lines:
        days = _days_of(line, timezone) or _find_corrected(line, corrected, timezone)
        if days is None:
            parts = _spread(_money_of(bill, line), bill.currency, corrected, calendars, timezone)
        else:
            parts = attribute(_money_of(bill, line), bill.currency, days, calendars)
        timing = days and line.starts_at and find_timing(days, bill.issued_at.astimezone(timezone).date())
        for part in parts:
            shares[part.period].append((line, part, timing or None))
    return [_make_amount(bill, customer, period, shares[period]) for period in sorted(shares, key=_order)]


def _make_amount(
    bill: Bill, customer: Customer, period: Period, shares: Sequence[tuple[BillLine, Part, Time | None]]
) -> NewAmount:
    money = add_up(part.money for _, part, _ in shares)
    return NewAmount(
        customer=customer,
        currency=bill.currency,
        period_start=period.start,
        period_end=period.end,
        period_label=period.label,
        untaxed=money.untaxed,
        tax=money.tax,
        total=money.total,
        state=bill.status,
        lines=[_make_line(bill, line, part, timing) for line, part, timing in shares],
    )


def _make_line(bill: Bill, line: BillLine, part: Part, timing: Time | None) -> NewLine:
    is_whole = part.money == _money_of(bill, line)
    return NewLine(
        code=line.code,
        description=line.description if is_whole else f"{line.description} ({_say_share(part)})",
        kind=_kind_of(bill, line, timing),
        quantity=line.quantity if is_whole else None,
        unit_price=line.unit_price,
        untaxed=part.money.untaxed,
        tax=part.money.tax,
        total=part.money.total,
        timing=timing or "",
    )


def _say_share(part: Part) -> str:
    return f"{part.days} days of it" if part.days else "its share"


def _kind_of(bill: Bill, line: BillLine, timing: Time | None) -> LineKind:
    """Stripe bills metered prices in arrears and licensed ones in advance."""
    if bill.kind is Kind.CREDIT_NOTES:
        return LineKind.CREDIT
    if line.is_proration:
        return LineKind.ADJUSTMENT
    if not line.is_subscription:
        return LineKind.ONE_TIME
    return LineKind.USAGE if timing is Time.ARREARS else LineKind.PLAN


def _money_of(bill: Bill, line: BillLine) -> Money:
    """A charge states a total alone, everything else all three amounts."""
    if bill.kind is Kind.CHARGES:
        return Money(None, None, line.amount)
    return separate_tax(
        line.amount,
        discounts=[line.discount],
        inclusive=[line.inclusive_tax],
        exclusive=[line.exclusive_tax],
    )


def _days_of(line: BillLine, timezone: ZoneInfo) -> Days | None:
    if line.starts_at is None or line.ends_at is None:
        return None
    return find_days(line.starts_at, line.ends_at, timezone)


def _find_corrected(line: BillLine, corrected: Bill | None, timezone: ZoneInfo) -> Days | None:
    """What the invoice's line was for that a credit note's line takes back."""
    if not line.corrects:
        return None
    for candidate in corrected.lines if corrected else ():
        if candidate.id == line.corrects:
            return _days_of(candidate, timezone)
    raise BillError("unknown_line", f"It corrects line {line.corrects}, which its invoice does not have.")


def _spread(
    money: Money, currency: str, corrected: Bill | None, calendars: Sequence[Calendar], timezone: ZoneInfo
) -> list[Part]:
    """A credit that names no line, over the periods of its invoice by what each was billed."""
    billed: dict[Period, Decimal] = defaultdict(Decimal)
    for line in corrected.lines if corrected else ():
        days = _days_of(line, timezone)
        if corrected and days:
            for part in attribute(_money_of(corrected, line), currency, days, calendars):
                billed[part.period] += part.money.total or Decimal(0)
    if not billed:
        raise BillError("no_period", "It does not say which line it corrects, and its invoice has none.")
    periods = sorted(billed, key=_order)
    weights = [abs(to_cents(billed[period], currency)) for period in periods]
    moneys = split_money(money, weights if any(weights) else [1] * len(periods), currency)
    return [Part(period, 0, part) for period, part in zip(periods, moneys, strict=True)]


def _order(period: Period) -> tuple[object, object]:
    return period.start, period.end
