"""Reading the fields of a question, each with an error that names it."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from ingest.metering.numeric import read_number
from ingest.price_check.errors import PriceCheckError

MISSING = object()


@dataclass(frozen=True, slots=True)
class Fields:
    """An object of a question and the path to it."""

    values: Mapping[str, Any]
    path: str = ""

    def has(self, name: str) -> bool:
        """Whether the field is there and not null."""
        return self.values.get(name) is not None

    def fields(self, name: str) -> "Fields":
        """The object under a name; an absent one is empty."""
        value = self.values.get(name)
        if value is not None and not isinstance(value, Mapping):
            raise self.error(name, "must be an object")
        return Fields(value or {}, f"{self.path}{name}.")

    def each(self, name: str) -> Iterator["Fields"]:
        """The objects of a list; an absent one is empty."""
        for place, item in enumerate(self.list(name)):
            if not isinstance(item, Mapping):
                raise self.error(f"{name}[{place}]", "must be an object")
            yield Fields(item, f"{self.path}{name}[{place}].")

    def list(self, name: str) -> list[Any]:
        """The list under a name; an absent one is empty."""
        value = self.values.get(name)
        if value is not None and not isinstance(value, list):
            raise self.error(name, "must be a list")
        return value or []

    def numbers(self, name: str) -> tuple[Decimal, ...]:
        """The numbers of a list."""
        return tuple(self._number(value, f"{name}[{place}]") for place, value in enumerate(self.list(name)))

    def number(self, name: str, default: object = MISSING) -> Decimal:
        """A number or its plain decimal text."""
        value = self.values.get(name)
        if value is None and isinstance(default, int | Decimal):
            return Decimal(default)
        return self._number(value, name)

    def count(self, name: str, default: object = MISSING) -> int:
        """A whole number."""
        number = self.number(name, default)
        if number != number.to_integral_value() or abs(number) > 10**12:
            raise self.error(name, "must be a whole number")
        return int(number)

    def text(self, name: str, default: str | None = None) -> str:
        """A text; without a default it has to be there."""
        value = self.values.get(name, default)
        value = default if value is None else value
        if not isinstance(value, str):
            raise self.error(name, "must be a text")
        return value

    def choice(self, name: str, options: Collection[str]) -> str:
        """One of the texts that there are."""
        text = self.text(name)
        if text not in options:
            raise self.error(name, f"must be one of {', '.join(options)}")
        return text

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts."""
        values = self.list(name)
        if not all(isinstance(value, str) for value in values):
            raise self.error(name, "must be a list of texts")
        return tuple(values)

    def flag(self, name: str, *, default: bool = False) -> bool:
        """True or false."""
        value = self.values.get(name, default)
        if not isinstance(value, bool):
            raise self.error(name, "must be true or false")
        return value

    def instant(self, name: str, zone: ZoneInfo | None = None) -> datetime:
        """An ISO 8601 instant, or a day's beginning; without an offset it is in the zone, else UTC."""
        text = self.text(name)
        try:
            found = datetime.fromisoformat(text)
            return (found if found.tzinfo else found.replace(tzinfo=zone or UTC)).astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise self.error(name, "must be an ISO 8601 date or time") from error

    def zone(self, name: str = "timezone") -> ZoneInfo:
        """An IANA time zone; UTC where none is given."""
        key = self.text(name, "UTC")
        try:
            return ZoneInfo(key)
        except (KeyError, ValueError, OSError) as error:
            raise self.error(name, "must be a time zone, such as America/Toronto") from error

    def error(self, name: str, message: str) -> PriceCheckError:
        """The error that names a field of this object."""
        return PriceCheckError("invalid_field", f"{self.path}{name} {message}.")

    def refuse_floats(self) -> None:
        """Raises the error that names a float, however deep: it has lost digits, or is no number, as JSON's NaN.

        Numbers are decoded to Decimal before they get here.
        """
        waiting: list[tuple[str, Any]] = list(self.values.items())
        while waiting:
            name, value = waiting.pop()
            if isinstance(value, float):
                raise self.error(name, "must be a decimal number")
            if isinstance(value, Mapping):
                waiting += ((f"{name}.{key}", item) for key, item in value.items())
            elif isinstance(value, list):
                waiting += ((f"{name}[{place}]", item) for place, item in enumerate(value))

    def _number(self, value: object, name: str) -> Decimal:
        number = None if isinstance(value, float) else read_number(value)
        if number is None or not number.is_finite():
            raise self.error(name, "must be a number, or its plain decimal text")
        return number
