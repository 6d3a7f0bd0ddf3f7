"""What a period will have come to if it goes on as it began (Lago: projected usage)."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from ingest.charge_usage import BucketUsage, ChargeUsage, PeriodUsage
from ingest.metering.arithmetic import exact_product, quotient
from ingest.metering.periods import billed_days
from ingest.metering.rounding import Rounding
from ingest.metering.usage import MeteredUsage
from ingest.models import ChargeModel
from ingest.prices import Price, key_of, split_charge
from ingest.rating.money import round_to_currency
from ingest.windows import Window

# Lago: a projected quantity has two decimals.
TWO_DECIMALS = Rounding("round", 2)
# What they cost is made of single events, of which a projected quantity knows nothing.
OF_EVENTS = frozenset({ChargeModel.PERCENTAGE, ChargeModel.DYNAMIC})


def project(usage: PeriodUsage, *, window: Window, now: datetime) -> PeriodUsage:
    """The usage with each quantity multiplied by the period's days over those that have begun, priced anew.

    A recurring metric's level stays as it is. What is priced by single events grows in proportion.
    """
    elapsed = billed_days(
        start=window.period.start, end=max(now, window.period.start), timezone=window.timezone
    )
    factor = quotient(Decimal(window.period_days), Decimal(max(elapsed, 1)))
    return replace(usage, charges=[_project_charge(charge, factor) for charge in usage.charges])


def _project_charge(usage: ChargeUsage, factor: Decimal) -> ChargeUsage:
    if usage.charge.metric.is_recurring:
        return usage
    prices = {price.key: price for price in split_charge(usage.charge, usage.version)}
    return replace(
        usage,
        buckets=[
            _project(bucket, prices[key_of(usage.charge.pk, bucket.filter_values)], factor)
            for bucket in usage.buckets
        ],
    )


def _project(bucket: BucketUsage, price: Price, factor: Decimal) -> BucketUsage:
    units = TWO_DECIMALS.apply(exact_product(bucket.units, factor))
    is_of_events = price.version.model in OF_EVENTS or price.version.is_pay_in_advance
    exact = (
        exact_product(bucket.amount, factor)
        if is_of_events
        else price.rate(MeteredUsage(units, bucket.events_count)).amount
    )
    amount = round_to_currency(exact, price.charge.plan.currency)
    return replace(bucket, units=units, total_units=units, amount=amount)
