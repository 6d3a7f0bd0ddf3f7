"""Expressions: what they give, and that no text does anything but give a result or an error."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.metering.expression import LONGEST, ExpressionError, parse

PROPERTIES = {"a": Decimal("10"), "b": "2.5", "big": "9" * 900, "text": "gpt", "flag": True, "nothing": None}


def evaluate(text):
    at = datetime(2026, 1, 1, 0, 0, 0, 250_000, tzinfo=UTC)
    return parse(text).evaluate(code="tokens", timestamp=at, properties=PROPERTIES)


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("event.properties.a * event.properties.b + 1", "26.0"),
        ("2 + 3 * 4 - 6 / 3", "12.0"),
        ("(2 + 3) * 4", "20.0"),
        ("-(-3) * -2", "-6.0"),
        ("10 - 4 - 3", "3.0"),
        ("round(10 / 3, 2)", "3.33"),
        ("ceil(1.21, 1)", "1.3"),
        ("floor(19, -1)", "10.0"),
        ("round(2.5)", "3.0"),
        ("concat(1 + 1, 'x')", "2x"),
        ("concat(event.code, '-', event.properties.text, \"!\")", "tokens-gpt!"),
        ("event.timestamp", "1767225600.25"),
        ("event.properties.flag", "true"),
        ("event.properties.big * event.properties.big", f"{int('9' * 900) ** 2}.0"),
    ],
)
def test_an_expression_gives_its_exact_result_as_text(text, result):
    assert evaluate(text) == result


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("event.properties.c + 1", "Variable: c not found"),
        ("event.properties.nothing", "Variable: nothing not found"),
        ("event.properties.text + 1", "'gpt' is not a number"),
        ("1 / 0", "Division by zero"),
        ("round(1, 0.5)", "whole digits"),
    ],
)
def test_an_event_that_it_cannot_be_evaluated_on_is_named(text, message):
    with pytest.raises(ExpressionError, match=message):
        evaluate(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1 +",
        "(1",
        "1)",
        "1 2",
        "foo(1)",
        "event.x",
        "x",
        "'open",
        "round()",
        "1 ** 2",
        "event.properties.a.b",
    ],
)
def test_what_is_no_expression_is_refused(text):
    with pytest.raises(ExpressionError):
        parse(text)


@pytest.mark.parametrize(
    "text", ["(" * 500 + "1" + ")" * 500, "-" * 1500 + "1", "1" * (LONGEST + 1), "1+" * 900 + "1"]
)
def test_hostile_texts_end_soon(text):
    try:
        evaluate(text)
    except ExpressionError as error:
        assert str(error)  # noqa: PT017


ALPHABET = st.sampled_from(
    [*"+-*/(),.'\" 1a", "event.", "properties.", "code", "a", "round", "concat", "2.5"]
)


@given(st.lists(ALPHABET, max_size=25).map("".join))
def test_no_text_raises_anything_else(text):
    try:
        evaluate(text)
    except ExpressionError as error:
        assert str(error)  # noqa: PT017
