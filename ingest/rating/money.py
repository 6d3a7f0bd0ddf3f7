"""Currencies and the one rounding: half away from zero, to the currency's exponent."""

import re
from collections.abc import Mapping
from decimal import MAX_EMAX, MIN_EMIN, ROUND_HALF_UP, Context, Decimal, InvalidOperation
from types import MappingProxyType

_WITHOUT_MINOR_UNIT = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_WITH_THOUSANDTHS = "BHD IQD JOD KWD LYD OMR TND"
_WITH_TEN_THOUSANDTHS = "CLF UYW"

# ISO 4217, list one: the currencies whose minor unit is not a hundredth.
EXPONENTS: Mapping[str, int] = MappingProxyType(
    {
        **dict.fromkeys(_WITHOUT_MINOR_UNIT.split(), 0),
        **dict.fromkeys(_WITH_THOUSANDTHS.split(), 3),
        **dict.fromkeys(_WITH_TEN_THOUSANDTHS.split(), 4),
    }
)
_DEFAULT_EXPONENT = 2

# ROUND_HALF_UP is decimal's name for half away from zero.
_ROUNDING = Context(
    prec=10_000, rounding=ROUND_HALF_UP, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[InvalidOperation]
)


class MoneyError(ValueError):
    """An amount or a currency that cannot be money; `code` says why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def exponent(currency: str) -> int:
    """How many decimals the currency's minor unit has.

    Raises MoneyError `invalid_currency` unless it is written as ISO 4217 does, in three capitals.
    """
    if not re.fullmatch("[A-Z]{3}", currency):
        raise MoneyError("invalid_currency", f"{currency!r} is no ISO 4217 currency code.")
    return EXPONENTS.get(currency, _DEFAULT_EXPONENT)


def minor_unit(currency: str) -> Decimal:
    """The smallest amount of the currency that can be billed: 0.01 CAD, 1 JPY. Raises as `exponent` does."""
    return Decimal((0, (1,), -exponent(currency)))


def round_to_currency(amount: Decimal, currency: str) -> Decimal:
    """The amount in whole minor units, half away from zero, never a negative zero.

    Raises MoneyError: `not_decimal` for a float or any other type, `not_finite` for NaN and Infinity,
    `too_large` beyond ten thousand digits, `invalid_currency`.
    """
    if not isinstance(amount, Decimal):
        raise MoneyError("not_decimal", f"Money is Decimal, not {type(amount).__name__}.")
    if not amount.is_finite():
        raise MoneyError("not_finite", f"{amount} is no amount.")
    try:
        rounded = _ROUNDING.quantize(amount, minor_unit(currency))
    except InvalidOperation as error:
        raise MoneyError("too_large", "The amount has more digits than can be kept.") from error
    return _ROUNDING.plus(rounded)


def in_minor_units(amount: Decimal, currency: str) -> int:
    """An amount as a whole number of the currency's smallest unit, rounded as `round_to_currency` does."""
    return int(round_to_currency(amount, currency).scaleb(exponent(currency), _ROUNDING))
