"""A plan's base amount for a period, whole or by days."""

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
