"""What the charge models answer: each distinct question of a period is asked once, however many fees it makes."""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from ingest.metering.usage import MeteredUsage
from ingest.prices import Price
from ingest.rating.charge_models.contract import Line
from ingest.rating.money import round_to_currency
from ingest.usage import read_usage


class Question(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """All that an answer depends on, as the rating statement writes it: a price's number, and usage."""

    price: int
    quantity: Decimal
    full_quantity: Decimal | None = None
    events_count: int = 0
    measures: dict[str, Any] | None = None
    period_days: int = 0


class Answer(msgspec.Struct, frozen=True, gc=False):
    """What usage costs at the price of that number; `lines` show how. Without a question there was none."""

    question: str
    price: int
    exact_amount: Decimal
    amount: Decimal
    unit_amount: Decimal
    lines: list[dict[str, Any]]


class Answers:
    """The prices of some windows by number, and what they make of usage."""

    def __init__(self) -> None:
        self._prices: dict[int, Price] = {}

    def add(self, price: Price) -> int:
        """Gives a price its number."""
        number = len(self._prices) + 1
        self._prices[number] = price
        return number

    def answer(self, questions: Iterable[str]) -> Iterator[Answer]:
        """What each usage costs; refuses a price that cannot be priced with (`invalid_properties`)."""
        for text in questions:
            asked = _read(text)
            price = self._prices[asked.price]
            usage = read_usage(price, asked, period_days=asked.period_days)
            yield _make_answer(text, asked.price, price, usage)

    def answer_unused(self) -> Iterator[Answer]:
        """What each price costs without usage."""
        for number, price in self._prices.items():
            yield _make_answer("", number, price, read_usage(price, None, period_days=0))


def as_text(line: Mapping[str, Any]) -> dict[str, Any]:
    """A step of a calculation with its decimals digit for digit."""
    return {name: format(value, "f") if isinstance(value, Decimal) else value for name, value in line.items()}


def _make_answer(question: str, number: int, price: Price, usage: MeteredUsage) -> Answer:
    rated = price.rate(usage)
    amount = round_to_currency(rated.amount, price.charge.plan.currency)
    lines = [_line_of(line) for line in rated.details]
    return Answer(question, number, rated.amount, amount, rated.unit_amount, lines)


def _line_of(line: Line) -> dict[str, Any]:
    return as_text({name: getattr(line, name) for name in line.__dataclass_fields__})


_read = msgspec.json.Decoder(Question).decode
