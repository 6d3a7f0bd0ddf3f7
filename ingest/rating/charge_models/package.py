"""Package: units are sold in packages, and one that is begun is paid (Lago: package)."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from ingest.metering.arithmetic import ZERO, ceil_quotient, exact_difference, exact_product
from ingest.metering.usage import MeteredUsage
from ingest.rating.charge_models.contract import PropertyError, Rated
from ingest.rating.charge_models.fields import read_amount, read_bound


@dataclass(frozen=True, slots=True)
class PackagePrice:
    """What a package of so many units costs, after the free ones."""

    amount: Decimal
    size: Decimal
    free_units: Decimal


@dataclass(frozen=True, slots=True)
class PackageLine:
    """What the packages gave."""

    free_units: Decimal
    paid_units: Decimal
    per_package_size: Decimal
    per_package_unit_amount: Decimal
    packages: Decimal

    @property
    def total(self) -> Decimal:
        """Packages times their price."""
        return exact_product(self.packages, self.per_package_unit_amount)


def read(properties: Mapping[str, object], errors: list[PropertyError]) -> PackagePrice:
    """The price, the size of at least one unit, and the free units."""
    amount = read_amount(properties, "amount", errors)
    size = read_bound(properties, "package_size", errors, code="invalid_package_size")
    if size <= 0 and not any(error.field == "package_size" for error in errors):
        errors.append(PropertyError("package_size", "invalid_package_size", "must be above zero"))
    free = ZERO
    if properties.get("free_units") is not None:
        free = read_bound(properties, "free_units", errors, code="invalid_free_units")
    return PackagePrice(amount, size, free)


def price(package: PackagePrice, usage: MeteredUsage, _currency: str) -> Rated:
    """The packages that the paid units begin."""
    paid = paid_units(package, usage)
    packages = ceil_quotient(paid, package.size, 0)
    if usage.quantity:
        line = PackageLine(package.free_units, paid, package.size, package.amount, packages)
    else:
        line = PackageLine(ZERO, ZERO, ZERO, ZERO, ZERO)
    return Rated(usage.quantity, line.total, details=(line,))


def paid_units(package: PackagePrice, usage: MeteredUsage) -> Decimal:
    """The units beyond the free ones."""
    return max(exact_difference(usage.quantity, package.free_units), ZERO)
