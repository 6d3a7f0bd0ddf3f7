"""Reading single fields of a charge's properties, each with an error that names it."""

from collections.abc import Mapping
from decimal import Decimal

from ingest.metering.arithmetic import ZERO
from ingest.metering.numeric import parse_decimal, read_number
from ingest.rating.charge_models.contract import PropertyError


def read_amount(
    properties: Mapping[str, object],
    name: str,
    errors: list[PropertyError],
    *,
    path: str = "",
    code: str = "invalid_amount",
) -> Decimal:
    """The decimal string of zero or more under `name`; else zero, and an error at `path` + `name`."""
    value = properties.get(name)
    amount = parse_decimal(value) if isinstance(value, str) else None
    if amount is None or amount < 0:
        message = 'must be a decimal string of zero or more, such as "0.10"'
        errors.append(PropertyError(path + name, code, message))
        return ZERO
    return amount


def read_optional_amount(
    properties: Mapping[str, object], name: str, errors: list[PropertyError], *, code: str = "invalid_amount"
) -> Decimal | None:
    """As `read_amount`; None for what is absent, null or empty."""
    if properties.get(name) in (None, ""):
        return None
    return read_amount(properties, name, errors, code=code)


def read_bound(
    properties: Mapping[str, object],
    name: str,
    errors: list[PropertyError],
    *,
    path: str = "",
    code: str = "value_is_not_valid_number",
) -> Decimal:
    """The number of units of zero or more under `name`, a JSON number or its text; else as `read_amount`."""
    value = properties.get(name)
    bound = None if isinstance(value, float) else read_number(value)
    if bound is None or bound < 0:
        message = 'must be a whole number or a decimal string of zero or more, such as 10 or "0.5"'
        errors.append(PropertyError(path + name, code, message))
        return ZERO
    return bound


def read_count(properties: Mapping[str, object], name: str, errors: list[PropertyError], *, code: str) -> int:
    """The whole number of zero or more under `name`, zero for what is absent; else zero, and an error."""
    value = properties.get(name)
    if value is None:
        return 0
    number = None if isinstance(value, float) else read_number(value)
    if number is None or number < 0 or number != int(number):
        errors.append(PropertyError(name, code, "must be a whole number of zero or more"))
        return 0
    return int(number)
