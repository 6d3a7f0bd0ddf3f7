"""Odoo's search domains: prefix notation over [path, operator, value], made into one test per record."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from .environment import Environment
from .fields import (
    DATETIME_LENGTH,
    NUMBERS,
    TO_MANY,
    Field,
    Kind,
    Record,
    read_date,
    read_datetime,
    read_number,
)

Test = Callable[[Any], bool]
Predicate = Callable[[Record], bool]


def compile_domain(env: Environment, model: str, domain: list[Any]) -> Predicate:
    """Return the test of the domain; an unknown field, operator or malformed date is a ValueError."""
    terms = iter(domain)
    predicates = [_compile_term(env, model, term, terms) for term in terms]
    return lambda record: all(predicate(record) for predicate in predicates)


def _compile_term(env: Environment, model: str, term: Any, rest: Iterator[Any]) -> Predicate:
    if term == "!":
        negated = _compile_next(env, model, rest)
        return lambda record: not negated(record)
    if term in ("&", "|"):
        left = _compile_next(env, model, rest)
        right = _compile_next(env, model, rest)
        if term == "&":
            return lambda record: left(record) and right(record)
        return lambda record: left(record) or right(record)
    return _compile_condition(env, model, term)


def _compile_next(env: Environment, model: str, rest: Iterator[Any]) -> Predicate:
    try:
        return _compile_term(env, model, next(rest), rest)
    except StopIteration:
        raise ValueError("Domain() invalid: an operator lacks its terms") from None


def _compile_condition(env: Environment, model: str, term: Any) -> Predicate:
    if not isinstance(term, list | tuple) or len(term) != 3 or not isinstance(term[0], str):
        raise ValueError(f"Domain() invalid item in domain: {term!r}")
    path, operator, value = term
    names = path.split(".")
    owner = model
    for name in names[:-1]:
        owner = env.model(owner).reference(name).relation
    test = _make_test(env, env.model(owner).field(names[-1]), str(operator).lower(), value)
    return lambda record: any(test(reached) for reached in _reach(env, model, record, names))


def _reach(env: Environment, model: str, record: Record, names: list[str]) -> Iterator[Any]:
    """Yield the values at the end of a dotted path, through every record on the way."""
    name, *rest = names
    value = env.value(model, record, name)
    if not rest:
        yield value
        return
    relation = env.model(model).reference(name).relation
    for target in value if isinstance(value, list) else [value]:
        if target:
            yield from _reach(env, relation, env.get(relation, target), rest)


def _make_test(env: Environment, definition: Field, operator: str, value: Any) -> Test:
    if operator in NEGATIONS:
        positive = _make_test(env, definition, NEGATIONS[operator], value)
        return lambda stored: not positive(stored)
    if operator in COMPARISONS:
        compare, wanted = COMPARISONS[operator], _read_operand(definition, value)
        return lambda stored: stored not in (False, None) and compare(_comparable(definition, stored), wanted)
    if operator in PATTERNS:
        pattern = _make_pattern(operator, str(value))
        return lambda stored: any(pattern.search(text) for text in _texts(env, definition, stored))
    if operator in {"=", "in"}:
        return _make_membership(env, definition, value if isinstance(value, list | tuple) else [value])
    raise ValueError(f"Domain() invalid operator: {operator!r}")


def _make_membership(env: Environment, definition: Field, values: list[Any] | tuple[Any, ...]) -> Test:
    """Return whether a stored value is among the values; False among them means empty."""
    wanted = [_read_operand(definition, value) for value in values]
    names = [value for value in wanted if isinstance(value, str)] if definition.relation else []

    def is_member(stored: Any) -> bool:
        if stored is False or stored in ([], ""):
            return False in wanted
        if definition.kind in TO_MANY:
            found = any(target in wanted for target in stored)
        else:
            found = _comparable(definition, stored) in wanted
        return found or (bool(names) and any(text in names for text in _texts(env, definition, stored)))

    return is_member


def _read_operand(definition: Field, value: Any) -> Any:
    if value is None or value is False:
        return False
    reader = OPERANDS.get(definition.kind)
    return reader(value) if reader else value


def _comparable(definition: Field, stored: Any) -> Any:
    """Return a moment without its microseconds: the whole second counts as one."""
    return stored[:DATETIME_LENGTH] if definition.kind is Kind.DATETIME else stored


def _texts(env: Environment, definition: Field, stored: Any) -> list[str]:
    """Return what a pattern is matched against: display names where the field leads to records."""
    if stored is False:
        return []
    if not definition.relation:
        return [str(stored)]
    targets = stored if isinstance(stored, list) else [stored]
    return [env.display_name(definition.relation, target) for target in targets]


def _make_pattern(operator: str, value: str) -> re.Pattern[str]:
    """Return SQL's LIKE as a regular expression; without '=' it may match anywhere."""
    body = "".join({"%": ".*", "_": "."}.get(character, re.escape(character)) for character in value)
    exact = operator.startswith("=")
    flags = re.DOTALL | (re.IGNORECASE if "ilike" in operator else 0)
    return re.compile(rf"\A{body}\Z" if exact else body, flags)


NEGATIONS = {
    "!=": "=",
    "<>": "=",
    "not in": "in",
    "not like": "like",
    "not ilike": "ilike",
    "not =like": "=like",
    "not =ilike": "=ilike",
}

COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    ">": lambda stored, wanted: stored > wanted,
    ">=": lambda stored, wanted: stored >= wanted,
    "<": lambda stored, wanted: stored < wanted,
    "<=": lambda stored, wanted: stored <= wanted,
}

PATTERNS = {"like", "ilike", "=like", "=ilike"}

OPERANDS: dict[Kind, Callable[[Any], Any]] = {
    Kind.DATE: read_date,
    Kind.DATETIME: read_datetime,
    **dict.fromkeys(NUMBERS, read_number),
}
