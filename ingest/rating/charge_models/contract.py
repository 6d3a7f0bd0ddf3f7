"""What every charge model takes and gives, and the rules that all of them share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Generic, TypeVar

from ingest.metering.aggregation import MeteredUsage
from ingest.metering.arithmetic import ZERO

Prices = TypeVar("Prices")


@dataclass(frozen=True, slots=True)
class PropertyError:
    """What is wrong with one field of a charge's properties; codes are Lago's."""

    field: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class TierLine:
    """What one tier of a price gave (field names as in Lago's `amount_details`)."""

    from_value: Decimal
    to_value: Decimal | None
    units: Decimal
    per_unit_amount: Decimal
    flat_unit_amount: Decimal
    per_unit_total_amount: Decimal
    total_with_flat_amount: Decimal


@dataclass(frozen=True, slots=True)
class Rated:
    """The exact, unrounded amount for the quantity that was priced, and the parts that sum to it, if any."""

    quantity: Decimal
    amount: Decimal
    details: tuple[TierLine, ...] = ()


class ChargePropertiesError(ValueError):
    """Properties that cannot be priced with; `errors` says where and why."""

    code = "invalid_properties"

    def __init__(self, errors: list[PropertyError]) -> None:
        super().__init__("; ".join(f"{error.field}: {error.message}" for error in errors))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class ChargeModel(Generic[Prices]):
    """One way to price a quantity: how its properties are read, and how a quantity is priced with them."""

    read: Callable[[Mapping[str, object], list[PropertyError]], Prices]
    price: Callable[[Prices, MeteredUsage], Rated]

    def validate(self, properties: object) -> list[PropertyError]:
        """All that is wrong with the properties, field by field; empty when a charge may have them."""
        if not isinstance(properties, Mapping):
            return [PropertyError("properties", "value_is_invalid", "must be an object")]
        errors: list[PropertyError] = []
        self.read(properties, errors)
        return errors

    def rate(self, properties: Mapping[str, object], usage: MeteredUsage) -> Rated:
        """The exact amount of the usage at these prices, zero for usage below zero (Lago: common).

        Raises ChargePropertiesError for properties that `validate` refuses.
        """
        errors: list[PropertyError] = []
        prices = self.read(properties, errors)
        if errors:
            raise ChargePropertiesError(errors)
        return self.price(prices, usage) if usage.quantity >= 0 else Rated(ZERO, ZERO)
