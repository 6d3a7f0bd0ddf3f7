"""What every charge model takes and gives, and the rules that all of them share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from ingest.metering.arithmetic import ZERO, quotient
from ingest.metering.usage import MeteredUsage

Prices = TypeVar("Prices")


@dataclass(frozen=True, slots=True)
class PropertyError:
    """What is wrong with one field of a charge's properties; codes are Lago's."""

    field: str
    code: str
    message: str


class Line(Protocol):
    """A part of an amount, as a dataclass with Lago's names in `amount_details`."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def total(self) -> Decimal:
        """What this part adds to the amount."""


@dataclass(frozen=True, slots=True)
class Rated:
    """The exact, unrounded amount for the quantity that was priced, and the parts that sum to it, if any.

    `unit_amount` is informative: the amount by unit, cut, zero without units; nothing is priced with it.
    """

    quantity: Decimal
    amount: Decimal
    unit_amount: Decimal = ZERO
    details: tuple[Line, ...] = ()


class ChargePropertiesError(ValueError):
    """Properties that cannot be priced with; `errors` says where and why."""

    code = "invalid_properties"

    def __init__(self, errors: list[PropertyError]) -> None:
        super().__init__("; ".join(f"{error.field}: {error.message}" for error in errors))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class ChargeModel(Generic[Prices]):
    """One way to price a quantity: how its properties are read, and how usage is priced with them.

    `divide_by` says which units a unit price is of; without it, all of them before proration.
    """

    read: Callable[[Mapping[str, object], list[PropertyError]], Prices]
    price: Callable[[Prices, MeteredUsage, str], Rated]
    divide_by: Callable[[Prices, MeteredUsage], Decimal] | None = None

    def validate(self, properties: object) -> list[PropertyError]:
        """All that is wrong with the properties, field by field; empty when a charge may have them."""
        if not isinstance(properties, Mapping):
            return [PropertyError("properties", "value_is_invalid", "must be an object")]
        errors: list[PropertyError] = []
        self.read(properties, errors)
        return errors

    def rate(self, properties: Mapping[str, object], usage: MeteredUsage, *, currency: str) -> Rated:
        """What the usage costs with these properties; raises and gives as `prepare` and `apply` do."""
        return self.apply(self.prepare(properties), usage, currency=currency)

    def prepare(self, properties: Mapping[str, object]) -> Prices:
        """The prices, read once for any number of usages.

        Raises ChargePropertiesError for properties that `validate` refuses.
        """
        errors: list[PropertyError] = []
        prices = self.read(properties, errors)
        if errors:
            raise ChargePropertiesError(errors)
        return prices

    def apply(self, prices: Prices, usage: MeteredUsage, *, currency: str) -> Rated:
        """The exact amount of the usage at these prices; usage or an amount below zero costs nothing.

        Amounts are in the currency's main unit (Lago: common).
        """
        if usage.quantity < 0:
            return Rated(ZERO, ZERO)
        rated = self.price(prices, usage, currency)
        if rated.amount < 0:
            return Rated(rated.quantity, ZERO)
        units = self.divide_by(prices, usage) if self.divide_by else usage.whole_quantity
        unit_amount = quotient(rated.amount, units) if units > 0 else ZERO
        return Rated(rated.quantity, rated.amount, unit_amount, rated.details)
