"""Expressions: what they give, and that none of them breaks anything."""

from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingest.metering.expression import DEEPEST, LONGEST, ExpressionError, parse

AT = datetime(2024, 1, 1, 0, 0, 1, 500_000, tzinfo=UTC)
PROPERTIES = {
    "a": "10",
    "b": Decimal("2.5"),
    "word": "eu",
    "nothing": None,
    "long": "9" * 1_000,
    "tiny": "0." + "0" * 900 + "1",
    "huge": Decimal("1e999999999"),
    "on": True,
}


def evaluate(text):
    return parse(text).evaluate(code="api", timestamp=AT, properties=PROPERTIES)


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("1 + 2 * 3", "7"),
        ("(1 + 2) * 3", "9"),
        ("10 - 2 - 3", "5"),
        ("20 / 2 / 5", "2.00000000000000000000"),
        ("-2 * -3", "6"),
        ("--2", "2"),
        ("1 - -1", "2"),
        ("1 / 3", "0.33333333333333333333"),
        ("0.1 + 0.2", "0.3"),
        ("event.properties.a * event.properties.b", "25.0"),
        ("event.code", "api"),
        ("event.timestamp", "1704067201.5"),
        ("event.properties.word", "eu"),
        ("round(2.5)", "3"),
        ("round(-2.5)", "-3"),
        ("round(14.2355, 2)", "14.24"),
        ("round(155, -1)", "160"),
        ("ceil(1.01)", "2"),
        ("ceil(14.2001, 3)", "14.201"),
        ("floor(-1.5)", "-2"),
        ("floor(199, -2)", "100"),
        ("concat(event.properties.word, '-', \"x\", 1 + 1)", "eu-x2"),
        ("concat('it', \"'s\")", "it's"),
        ("concat(event.code)", "api"),
        ("'3' + 4", "7"),
        ("  ( ( 1 ) )  ", "1"),
    ],
)
def test_an_expression_gives_its_result_as_text(text, result):
    found = evaluate(text)
    assert found == result or Decimal(found) == Decimal(result)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("event.properties.missing", "Variable: missing not found"),
        ("event.properties.nothing + 1", "Variable: nothing not found"),
        ("1 / 0", "Division by zero"),
        ("1 / (event.properties.a - 10)", "Division by zero"),
        ("event.properties.word + 1", "'eu' is not a number"),
        ("event.properties.on * 2", "'true' is not a number"),
        ("round('x')", "'x' is not a number"),
        ("round(1, 0.5)", "whole digits"),
        ("round(1, 101)", "whole digits"),
        ("event.properties.huge", "too many digits"),
        ("round(" + "*".join(["event.properties.long"] * 10) + ", 100)", "more digits"),
        ("*".join(["event.properties.long"] * 20), "more digits"),
        (f"({'*'.join(['event.properties.long'] * 10)}) / event.properties.tiny + 0.1", "more digits"),
    ],
)
def test_an_event_that_an_expression_cannot_take_is_told_why(text, message):
    with pytest.raises(ExpressionError, match=message):
        evaluate(text)


@pytest.mark.parametrize(
    "text",
    ["", "  ", "1 +", "(1", "1)", "1 2", "* 2", "foo", "event.foo", "event.properties", "event.properties.a.b",
     "event.properties.", "sqrt(4)", "round()", "round(1, 2, 3)", "'open", "1..2", "1e5", "٣", "concat()", "1 % 2",
     "(" * (DEEPEST + 1) + "1" + ")" * (DEEPEST + 1), "-" * LONGEST + "1", "round(" * 60 + "1" + ")" * 60],
)  # fmt: skip
def test_what_is_no_expression_is_refused_when_it_is_read(text):
    with pytest.raises(ExpressionError) as refusal:
        parse(text)
    assert refusal.value.code == "invalid_expression"


def test_the_longest_chain_is_evaluated():
    assert evaluate("+".join(["1"] * (LONGEST // 2))) == f"{LONGEST // 2}.0"
    assert evaluate("-" * (LONGEST - 1) + "1") == "-1.0"


PIECES = st.sampled_from(
    ["1", "0", "0.5", "(", ")", ",", "+", "-", "*", "/", "'", '"', "round(", "ceil(", "floor(", "concat(", " ",
     "event.code", "event.timestamp", "event.properties.", "a", "b", "word", "long", "huge", "event.properties.long"]
)  # fmt: skip
# Reads well by its grammar, so that evaluation is reached too.
SOUND = st.recursive(
    st.sampled_from(
        ["1", "0", "2.5", "'eu'", "event.code", "event.timestamp"]
        + [f"event.properties.{name}" for name in PROPERTIES]
    ),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*/"), inner).map("".join),
        inner.map(lambda text: f"-({text})"),
        st.tuples(st.sampled_from(["round", "ceil", "floor", "concat"]), inner, inner).map(
            lambda call: f"{call[0]}({call[1]}, {call[2]})"
        ),
    ),
    max_leaves=12,
)


@given(st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=40).map("".join), SOUND))
@example("round(event.properties.long * event.properties.long, 100)")
def test_no_text_raises_anything_but_an_expression_error(text):
    with suppress(ExpressionError):
        assert isinstance(evaluate(text), str)


@given(st.decimals(-1000, 1000, places=3), st.decimals(-1000, 1000, places=3), st.sampled_from("+-*"))
def test_arithmetic_is_exact(left, right, sign):
    exact = {"+": left + right, "-": left - right, "*": left * right}[sign]
    assert Decimal(evaluate(f"({left:f}) {sign} ({right:f})")) == exact
