"""Coupons: taken off before tax, spread over the fees they are for (Lago: coupons)."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from ingest.metering.arithmetic import ZERO, exact_difference, exact_product, exact_sum, quotient
from ingest.metering.rounding import Rounding
from ingest.rating.money import exponent, minor_unit, round_to_currency

PERCENT = Decimal("0.01")
# A fee's part of a coupon keeps five digits of the minor unit.
PART_PLACES = 5


@dataclass(frozen=True, slots=True)
class Coupon:
    """An amount in the currency's main unit, or a rate in percent, off some of the fees; None is all of them."""

    amount: Decimal | None = None
    percent: Decimal | None = None
    fees: frozenset[str] | None = None


def spread_coupons(
    *, fees: Sequence[tuple[str, Decimal]], coupons: Sequence[Coupon], currency: str
) -> list[Decimal]:
    """What the coupons take off each fee, in order; each coupon works on what those before it left.

    Fees and coupons are rounded amounts of the currency. A fixed coupon takes at most what is there, a percentage is
    rounded. A coupon's parts are in proportion to what is left of the fees, keep five digits of the minor unit,
    never exceed their fee, and sum to the coupon exactly.
    """
    taken = [ZERO] * len(fees)
    for coupon in coupons:
        left = [
            exact_difference(amount, off) if coupon.fees is None or key in coupon.fees else ZERO
            for (key, amount), off in zip(fees, taken, strict=True)
        ]
        parts = _spread(_value_of(coupon, exact_sum(left), currency), left, currency)
        taken = [exact_sum(pair) for pair in zip(taken, parts, strict=True)]
    return taken


def _value_of(coupon: Coupon, base: Decimal, currency: str) -> Decimal:
    if coupon.percent is not None:
        value = round_to_currency(exact_product(exact_product(base, coupon.percent), PERCENT), currency)
        return min(value, base)
    return min(round_to_currency(coupon.amount or ZERO, currency), base)


def _spread(value: Decimal, left: Sequence[Decimal], currency: str) -> list[Decimal]:
    base = exact_sum(left)
    if not value or not base:
        return [ZERO] * len(left)
    exact = [quotient(exact_product(value, amount), base) for amount in left]
    cutting = Rounding("floor", exponent(currency) + PART_PLACES)
    parts = [cutting.apply(part) for part in exact]
    # What cutting left over, a digit for some of the fees, goes to those that lost most: each part is within one
    # digit of its exact one and within its fee, and nothing of the coupon is lost.
    digit = minor_unit(currency).scaleb(-PART_PLACES)
    missing = int(exact_difference(value, exact_sum(parts)) / digit)
    lost = [exact_difference(*pair) for pair in zip(exact, parts, strict=True)]
    for place in sorted(range(len(left)), key=lambda place: lost[place], reverse=True)[:missing]:
        parts[place] = exact_sum((parts[place], digit))
    return parts
