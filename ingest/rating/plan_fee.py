"""A plan's base amount for a period, whole or by days."""

from datetime import date
from decimal import Decimal

from ingest.metering.arithmetic import exact_product, quotient


class PlanFeeError(ValueError):
    """Days that cannot be days of the period."""

    code = "invalid_days"


def rate_plan_fee(*, base_amount: Decimal, billed_days: int, period_days: int) -> Decimal:
    """The unrounded plan fee: the base amount for a full period, else its share by days.

    A share that has no last digit is cut as `quotient` says; it rounds to the cent as the true share does.
    Raises PlanFeeError unless 0 ≤ billed days ≤ the period's days and the period has a day.
    """
    if not 0 <= billed_days <= period_days or period_days == 0:
        raise PlanFeeError(f"{billed_days} of {period_days} days cannot be billed.")
    if billed_days == period_days:
        return base_amount
    return quotient(exact_product(base_amount, Decimal(billed_days)), Decimal(period_days))


def trial_days_of(*, trial_ends_on: date | None, first: date, days: int) -> int:
    """How many of the days from `first` on are of a trial that ends before the day `trial_ends_on`."""
    if trial_ends_on is None:
        return 0
    return min(max((trial_ends_on - first).days, 0), days)
