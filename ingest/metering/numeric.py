"""What counts as a number in an event's properties and in a charge's prices."""

import re
from decimal import Decimal

# Lago: which events count. The SQL that reads events goes by the same pattern. It says [0-9] because \d also
# matches the digits of other scripts, in Python and in an ICU database, where they then fail to become numeric.
NUMERIC_PATTERN = r"^-?[0-9]+(\.[0-9]+)?$"
MAX_NUMERIC_LENGTH = 1000

_NUMERIC = re.compile(NUMERIC_PATTERN)


def parse_decimal(text: str) -> Decimal | None:
    """The number that the text writes plainly; None for anything else, such as `5e3`, `+5`, `.5` or ` 5`."""
    if len(text) > MAX_NUMERIC_LENGTH or not _NUMERIC.fullmatch(text):
        return None
    return Decimal(text)


def read_number(value: object) -> Decimal | None:
    """The number in a JSON value, where a number and its text mean the same; None when it holds none.

    Raises TypeError for a float: numbers are decoded to Decimal before they get here.
    """
    if isinstance(value, float):
        raise TypeError("A float has lost digits already: decode JSON numbers as Decimal.")
    if isinstance(value, str):
        return parse_decimal(value)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    number = Decimal(value)
    # Written out, 1E+999999999 would fill the memory before its length could be judged.
    if not number.is_finite() or abs(number.adjusted()) > MAX_NUMERIC_LENGTH:
        return None
    return parse_decimal(format(number, "f"))
