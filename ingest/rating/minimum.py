"""Minimums: what a charge or a plan is topped up to (Lago: minimums)."""

from collections.abc import Iterable
from decimal import Decimal

from ingest.metering.arithmetic import ZERO, exact_difference, exact_sum
from ingest.rating.money import round_to_currency
from ingest.rating.plan_fee import rate_plan_fee


def rate_true_up(
    *, minimum: Decimal, billed_days: int, period_days: int, fees: Iterable[Decimal], currency: str
) -> Decimal:
    """What is missing from the fees to the minimum's share of the period, rounded to the currency; never below zero.

    The fees are of all filters and groups of a charge, or of all of a subscription's for a plan's commitment.
    Raises PlanFeeError for days that cannot be.
    """
    share = share_minimum(
        minimum=minimum, billed_days=billed_days, period_days=period_days, currency=currency
    )
    return max(exact_difference(share, exact_sum(fees)), ZERO)


def share_minimum(*, minimum: Decimal, billed_days: int, period_days: int, currency: str) -> Decimal:
    """The minimum by days, rounded to the currency. Raises PlanFeeError for days that cannot be."""
    share = rate_plan_fee(base_amount=minimum, billed_days=billed_days, period_days=period_days)
    return round_to_currency(share, currency)
