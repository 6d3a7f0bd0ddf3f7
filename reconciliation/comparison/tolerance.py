"""How far apart two amounts may be and still match."""

from dataclasses import dataclass
from decimal import Decimal

from ingest.metering.arithmetic import exact_product
from ingest.rating.money import round_to_currency


class ToleranceError(ValueError):
    """A limit below zero, or one that is no finite decimal."""

    code = "invalid_tolerance"


@dataclass(frozen=True, slots=True)
class Tolerance:
    """An absolute limit in the currency, a relative one as a share (0.001 is 0.1 %), and a cap on both.

    Raises ToleranceError for a limit below zero.
    """

    absolute: Decimal = Decimal("0.01")
    relative: Decimal = Decimal(0)
    cap: Decimal | None = None

    def __post_init__(self) -> None:
        for name in ("absolute", "relative", "cap"):
            value = getattr(self, name)
            if value is not None and not (value.is_finite() and value >= 0):
                raise ToleranceError(f"The {name} limit must be zero or more, not {value}.")

    def limit(self, external: Decimal) -> Decimal:
        """The largest difference that still matches: the larger of both limits, never above the cap."""
        limit = max(self.absolute, exact_product(self.relative, abs(external)))
        return limit if self.cap is None else min(limit, self.cap)

    def allows(self, *, delta: Decimal, external: Decimal) -> bool:
        """Whether amounts that far apart match; a delta of exactly the limit does."""
        return abs(delta) <= self.limit(external)

    def explain(self, *, delta: Decimal, external: Decimal, currency: str) -> str:
        """A phrase for the row: `5.70 CAD is above the tolerance of 0.50 CAD (0.1 % of 500.00 CAD)`."""
        if not delta:
            return "no difference"
        place = "within" if self.allows(delta=delta, external=external) else "above"
        limit = self.limit(external)
        if limit == self.absolute:
            origin = "absolute"
        elif limit == self.cap:
            origin = "its cap"
        else:
            percent = _shorten(exact_product(self.relative, Decimal(100)))
            origin = f"{percent} % of {_show(abs(external), currency)}"
        return (
            f"{_show(abs(delta), currency)} is {place} the tolerance of {_show(limit, currency)} ({origin})"
        )


def _show(amount: Decimal, currency: str) -> str:
    rounded = round_to_currency(amount, currency)
    return f"{rounded if rounded == amount else amount:f} {currency}"


def _shorten(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
