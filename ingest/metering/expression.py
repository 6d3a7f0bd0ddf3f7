"""A metric's expression: evaluated once when an event arrives; its result becomes the field (Lago: expression).

Grammar: numbers, texts in quotes, `event.code`, `event.timestamp` (Unix seconds), `event.properties.<name>`,
`+ - * /`, a sign, parentheses, `round(x[, digits])`, `ceil(x[, digits])`, `floor(x[, digits])` and `concat(a, …)`.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache

from ingest.metering.arithmetic import (
    ExactnessError,
    exact_difference,
    exact_product,
    exact_sum,
    quotient,
)
from ingest.metering.events import UnreadablePropertyError, property_text
from ingest.metering.numeric import parse_decimal
from ingest.metering.rounding import FUNCTIONS, Rounding

LONGEST = 2_000
DEEPEST = 50
MOST_DIGITS = 100

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_TOKEN = re.compile(
    r"""\s*(?:(?P<number>[0-9]+(?:\.[0-9]+)?)|(?P<text>"[^"]*"|'[^']*')
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*)|(?P<sign>[-+*/(),]))""",
    re.VERBOSE,
)


class ExpressionError(ValueError):
    """An expression that cannot be read, or an event that it cannot be evaluated on."""

    code = "invalid_expression"


@dataclass(frozen=True, slots=True)
class Context:
    """The event that an expression is evaluated on."""

    code: str
    timestamp: datetime
    properties: Mapping[str, object]

    def read(self, name: str) -> str:
        """The text of a variable such as `event.properties.amount`."""
        if name == "event.code":
            return self.code
        if name == "event.timestamp":
            microseconds = (self.timestamp - _EPOCH) // timedelta.resolution
            return format(Decimal(microseconds).scaleb(-6).normalize(), "f")
        try:
            text = property_text(self.properties, name.removeprefix("event.properties."))
        except UnreadablePropertyError as error:
            raise ExpressionError(str(error)) from error
        if text is None:
            raise ExpressionError(f"Variable: {name.rpartition('.')[2]} not found")
        return text


Value = Decimal | str
Node = Callable[[Context], Value]


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression."""

    node: Node

    def evaluate(self, *, code: str, timestamp: datetime, properties: Mapping[str, object]) -> str:
        """The result as text, as it is stored in the event: a whole number ends in `.0`, as Lago writes one.

        Raises ExpressionError.
        """
        try:
            value = self.node(Context(code, timestamp, properties))
        except ExactnessError as error:
            raise ExpressionError(str(error)) from error
        text = _text(value)
        return text if isinstance(value, str) or "." in text else f"{text}.0"


@lru_cache(maxsize=1_000)
def parse(text: str) -> Expression:
    """The expression that the text writes; raises ExpressionError that says what is wrong with it."""
    if len(text) > LONGEST:
        raise ExpressionError(f"An expression has at most {LONGEST} characters.")
    return Expression(_Parser(list(_tokenize(text))).parse())


def _tokenize(text: str) -> Iterator[tuple[str, str]]:
    place = 0
    while text[place:].strip():
        match = _TOKEN.match(text, place)
        if match is None or match.lastgroup is None:
            raise ExpressionError(f"Cannot read {text[place:].strip()[:20]!r}.")
        yield match.lastgroup, match.group(match.lastgroup)
        place = match.end()


class _Parser:
    """Reads the tokens from left to right, one function for each level of precedence."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._depth = 0

    def parse(self) -> Node:
        node = self._sum()
        if self._tokens:
            raise ExpressionError(f"Unexpected {self._tokens[0][1]!r}.")
        return node

    def _sum(self) -> Node:
        self._depth += 1
        if self._depth > DEEPEST:
            raise ExpressionError("The expression is nested too deeply.")
        node = self._chain(self._product, {"+": _add, "-": exact_difference})
        self._depth -= 1
        return node

    def _product(self) -> Node:
        return self._chain(self._signed, {"*": exact_product, "/": _divide})

    def _chain(self, operand: Callable[[], Node], operations: Mapping[str, "Operation"]) -> Node:
        first = operand()
        rest = []
        while self._tokens and self._tokens[0][1] in operations and self._tokens[0][0] == "sign":
            rest.append((operations[self._take()[1]], operand()))
        return first if not rest else _fold(first, rest)

    def _signed(self) -> Node:
        negative = False
        while self._tokens and self._tokens[0] in (("sign", "-"), ("sign", "+")):
            negative ^= self._take()[1] == "-"
        node = self._primary()
        return (lambda event: exact_difference(Decimal(0), _number(node(event)))) if negative else node

    def _primary(self) -> Node:
        kind, text = self._take()
        if kind == "number":
            number = Decimal(text)
            return lambda _: number
        if kind == "text":
            return lambda _: text[1:-1]
        if text == "(":
            node = self._sum()
            self._expect(")")
            return node
        if kind == "name":
            return self._call(text) if self._tokens[:1] == [("sign", "(")] else _variable(text)
        raise ExpressionError(f"Unexpected {text!r}.")

    def _call(self, name: str) -> Node:
        self._expect("(")
        arguments = [self._sum()]
        while self._tokens[:1] == [("sign", ",")]:
            self._take()
            arguments.append(self._sum())
        self._expect(")")
        if name == "concat":
            return lambda event: "".join(_text(argument(event)) for argument in arguments)
        if name in FUNCTIONS and len(arguments) <= 2:
            return lambda event: _round(name, [argument(event) for argument in arguments])
        raise ExpressionError(f"There is no function {name} of {len(arguments)} arguments.")

    def _take(self) -> tuple[str, str]:
        if not self._tokens:
            raise ExpressionError("The expression ends too early.")
        return self._tokens.pop(0)

    def _expect(self, sign: str) -> None:
        kind, text = self._take()
        if (kind, text) != ("sign", sign):
            raise ExpressionError(f"Expected {sign!r}, not {text!r}.")


Operation = Callable[[Decimal, Decimal], Decimal]


def _fold(first: Node, rest: list[tuple[Operation, Node]]) -> Node:
    def evaluate(event: Context) -> Value:
        value = _number(first(event))
        for operation, node in rest:
            value = operation(value, _number(node(event)))
        return value

    return evaluate


def _add(left: Decimal, right: Decimal) -> Decimal:
    return exact_sum((left, right))


def _divide(left: Decimal, right: Decimal) -> Decimal:
    if not right:
        raise ExpressionError("Division by zero")
    return quotient(left, right)


def _round(name: str, arguments: list[Value]) -> Decimal:
    digits = _number(arguments[1]) if len(arguments) == 2 else Decimal(0)
    if digits != int(digits) or abs(digits) > MOST_DIGITS:
        raise ExpressionError(f"{name} takes whole digits up to {MOST_DIGITS}.")
    return Rounding(name, int(digits)).apply(_number(arguments[0]))


def _variable(name: str) -> Node:
    parts = name.split(".")
    if name not in ("event.code", "event.timestamp") and (
        len(parts) != 3 or parts[:2] != ["event", "properties"]
    ):
        raise ExpressionError(f"There is no variable {name}.")
    return lambda event: event.read(name)


def _number(value: Value) -> Decimal:
    number = parse_decimal(value) if isinstance(value, str) else value
    if number is None:
        raise ExpressionError(f"{str(value)[:50]!r} is not a number")
    return number


def _text(value: Value) -> str:
    """A number without the zeros that a quotient ends in."""
    if isinstance(value, str):
        return value
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
