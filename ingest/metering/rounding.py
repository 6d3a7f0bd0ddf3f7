"""How a metric rounds its quantity before it is priced (Lago: rounding function)."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import (
    MAX_EMAX,
    MIN_EMIN,
    ROUND_CEILING,
    ROUND_FLOOR,
    ROUND_HALF_UP,
    Context,
    Decimal,
    DecimalException,
)
from types import MappingProxyType

from ingest.metering.arithmetic import ExactnessError

# ROUND_HALF_UP is decimal's name for half away from zero.
FUNCTIONS: Mapping[str, str] = MappingProxyType(
    {"round": ROUND_HALF_UP, "ceil": ROUND_CEILING, "floor": ROUND_FLOOR}
)
_CONTEXT = Context(prec=10_000, Emax=MAX_EMAX, Emin=MIN_EMIN)


@dataclass(frozen=True, slots=True)
class Rounding:
    """One of `FUNCTIONS` and how many digits after the point it keeps; below zero tens, hundreds and so on."""

    function: str
    precision: int = 0

    def apply(self, quantity: Decimal) -> Decimal:
        """The rounded quantity, never a negative zero.

        Raises ExactnessError when it would have more digits than can be kept, or the quantity is not finite.
        """
        if not quantity.is_finite():
            raise ExactnessError(f"{quantity} is no number.")
        step = Decimal((0, (1,), -self.precision))
        try:
            rounded = quantity.quantize(step, FUNCTIONS[self.function], _CONTEXT)
            # Tens are written out: 1E+1 is 10.
            return _CONTEXT.plus(
                rounded if self.precision >= 0 else rounded.quantize(Decimal(1), None, _CONTEXT)
            )
        except DecimalException as error:
            raise ExactnessError("The result has more digits than can be kept.") from error
