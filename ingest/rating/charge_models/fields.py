"""Reading single fields of a charge's properties, each with an error that names it."""

from collections.abc import Mapping
from decimal import Decimal

from ingest.metering.arithmetic import ZERO
from ingest.metering.numeric import parse_decimal, read_number
from ingest.rating.charge_models.contract import PropertyError


def read_amount(
    properties: Mapping[str, object], name: str, errors: list[PropertyError], *, path: str = ""
) -> Decimal:
    """The decimal string of zero or more under `name`; else zero, and an error at `path` + `name`."""
    value = properties.get(name)
    amount = parse_decimal(value) if isinstance(value, str) else None
    if amount is None or amount < 0:
        message = 'must be a decimal string of zero or more, such as "0.10"'
        errors.append(PropertyError(path + name, "invalid_amount", message))
        return ZERO
    return amount


def read_bound(
    properties: Mapping[str, object], name: str, errors: list[PropertyError], *, path: str = ""
) -> Decimal:
    """The number of units of zero or more under `name`, a JSON number or its text; else as `read_amount`."""
    value = properties.get(name)
    bound = None if isinstance(value, float) else read_number(value)
    if bound is None or bound < 0:
        message = 'must be a whole number or a decimal string of zero or more, such as 10 or "0.5"'
        errors.append(PropertyError(path + name, "value_is_not_valid_number", message))
        return ZERO
    return bound
