"""Ownership: which service a bill of a shared account is of, by each service's rules."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

# What a bill says of itself, by the fact's name: `metadata:service`, `product` and so on.
Facts = Mapping[str, frozenset[str]]

MOST_RULES = 200
LONGEST_VALUE = 500


class Fact(StrEnum):
    """What a rule asks a bill for."""

    METADATA = "metadata"
    PRODUCT = "product"
    PRICE = "price"
    SUBSCRIPTION = "subscription"
    DESCRIPTOR = "descriptor"
    ACCOUNT = "account"


class RuleError(ValueError):
    """A line that is no rule; the message names the line."""

    code = "invalid_rule"

    def __init__(self, line: int, message: str) -> None:
        super().__init__(f"Line {line}: {message}")
        self.message = str(self)


@dataclass(frozen=True, slots=True)
class Rule:
    """A fact and the value that a bill must have for it; a value that ends in `*` is how it must begin."""

    fact: Fact
    value: str
    key: str = ""

    def __str__(self) -> str:
        return f"{self.fact}{f' {self.key}' if self.key else ''} = {self.value}"

    def matches(self, facts: Facts) -> bool:
        """Whether one of the bill's values is the rule's; a descriptor whatever its capitals."""
        name = f"{self.fact}:{self.key}" if self.fact is Fact.METADATA else self.fact.value
        return any(self._is(value) for value in facts.get(name, ()))

    def _is(self, value: str) -> bool:
        wanted = self.value
        if self.fact is Fact.DESCRIPTOR:
            value, wanted = value.casefold(), wanted.casefold()
        return value.startswith(wanted[:-1]) if wanted.endswith("*") else value == wanted


@dataclass(frozen=True, slots=True)
class Book:
    """A service's rules in order, and which version of them it is."""

    service_id: int
    version: int
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Claim:
    """A service that claims a bill, and its first rule that does."""

    service_id: int
    version: int
    rule: Rule


def find_claims(facts: Facts, books: Iterable[Book]) -> list[Claim]:
    """Every service that claims a bill: none is a worklist, two are an error, neither is a guess."""
    claims = ((book, next((rule for rule in book.rules if rule.matches(facts)), None)) for book in books)
    return [Claim(book.service_id, book.version, rule) for book, rule in claims if rule is not None]


def parse_rules(text: str) -> tuple[Rule, ...]:
    """Rules as people write them, one a line: `metadata service = nexacloud`, `product = prod_1`.

    Raises RuleError for the first line that is none, for one that is there twice, and for too many.
    """
    rules: list[Rule] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            rule = _parse(number, line.strip())
            if rule in rules:
                raise RuleError(number, "it is there twice.")
            rules.append(rule)
        if len(rules) > MOST_RULES:
            raise RuleError(number, f"these are more than {MOST_RULES} rules.")
    return tuple(rules)


def write_rules(rules: Sequence[Rule]) -> str:
    """The rules as `parse_rules` reads them."""
    return "\n".join(map(str, rules))


def _parse(number: int, line: str) -> Rule:
    match = re.fullmatch(r"(\w+)(?:\s+([^\s=]+))?\s*=\s*(\S(?:.*\S)?)", line)
    if match is None:
        raise RuleError(number, "it must read like `product = prod_1` or `metadata service = nexacloud`.")
    fact, key, value = match.groups(default="")
    if fact not in set(Fact):
        raise RuleError(number, f"{fact!r} is none of {', '.join(Fact)}.")
    if (fact == Fact.METADATA) != bool(key):
        raise RuleError(
            number, "metadata needs a key, as in `metadata service = nexacloud`; nothing else has one."
        )
    if value == "*":
        raise RuleError(number, "it would claim everything.")
    if len(value) > LONGEST_VALUE or not line.isprintable():
        raise RuleError(number, "its value is too long, or cannot be printed.")
    return Rule(Fact(fact), value, key)
