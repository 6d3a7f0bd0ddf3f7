"""Exact decimal arithmetic: a result is exact to the last digit or the calculation is refused."""

from collections.abc import Callable, Iterable
from decimal import (
    MAX_EMAX,
    MIN_EMIN,
    Context,
    Decimal,
    DecimalException,
    Inexact,
    InvalidOperation,
    Overflow,
)
from functools import reduce

ZERO = Decimal(0)

# Python's own context silently rounds to 28 digits. An event's number may have a thousand characters, a price
# as many, so a sum of products needs a few thousand digits; ten thousand cost nothing where few are used.
_EXACT = Context(prec=10_000, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[Inexact, InvalidOperation, Overflow])

# The digits after the point that a quotient keeps. Every half cent of every currency can be written with
# them, so a quotient that is cut here, towards zero, stays on the side of it where the true one is.
QUOTIENT_PLACES = 20


class ExactnessError(ArithmeticError):
    """A calculation that would have lost digits, or was given no finite decimal."""

    code = "not_exact"


def exact_sum(amounts: Iterable[Decimal]) -> Decimal:
    """The sum of all amounts, zero for none; raises ExactnessError rather than lose a digit."""
    return reduce(lambda total, amount: _calculate(_EXACT.add, total, amount), amounts, ZERO)


def exact_difference(minuend: Decimal, subtrahend: Decimal) -> Decimal:
    """`minuend - subtrahend`; raises ExactnessError rather than lose a digit."""
    return _calculate(_EXACT.subtract, minuend, subtrahend)


def exact_product(multiplicand: Decimal, multiplier: Decimal) -> Decimal:
    """The product of both; raises ExactnessError rather than lose a digit."""
    return _calculate(_EXACT.multiply, multiplicand, multiplier)


def quotient(dividend: Decimal, divisor: Decimal) -> Decimal:
    """`dividend / divisor`, exact when it ends within `QUOTIENT_PLACES` decimals, else cut there.

    It is cut towards zero and so rounds to any currency as the true quotient does. Raises ExactnessError for
    a divisor of zero or an operand that is not finite.
    """
    if not (dividend.is_finite() and divisor.is_finite() and divisor):
        raise ExactnessError(f"{dividend} / {divisor} is no number.")
    numerator, denominator = dividend.as_integer_ratio()
    scale, parts = divisor.as_integer_ratio()
    digits = abs(numerator) * parts * 10**QUOTIENT_PLACES // (denominator * abs(scale))
    sign = -1 if (numerator < 0) != (scale < 0) else 1
    return _EXACT.scaleb(Decimal(sign * digits), -QUOTIENT_PLACES)


def ceil_quotient(dividend: Decimal, divisor: Decimal, places: int) -> Decimal:
    """`dividend / divisor` for a divisor above zero, exact, then cut up at `places` digits after the point."""
    if not (dividend.is_finite() and divisor.is_finite() and divisor > 0):
        raise ExactnessError(f"{dividend} / {divisor} is no number.")
    numerator, denominator = dividend.as_integer_ratio()
    scale, parts = divisor.as_integer_ratio()
    digits = -(-numerator * parts * 10**places // (denominator * scale))
    return _EXACT.scaleb(Decimal(digits), -places)


def _calculate(operation: Callable[[Decimal, Decimal], Decimal], left: Decimal, right: Decimal) -> Decimal:
    try:
        result = operation(left, right)
    except DecimalException as error:
        raise ExactnessError("The result has more digits than can be kept.") from error
    if not result.is_finite():
        raise ExactnessError("NaN and Infinity are no amounts.")
    return result
