"""The waterfall: it adds up exactly, and every bar stays in its picture."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from reconciliation.figures.waterfall import Step, draw

AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=4)
STEPS = st.lists(AMOUNTS, max_size=8)


@given(AMOUNTS, STEPS)
def test_a_waterfall_adds_up_exactly_and_stays_in_its_picture(first, steps):
    last = first + sum(steps, Decimal(0))

    picture = draw(
        currency="CAD",
        first=Step("first", first),
        steps=[Step("step", amount) for amount in steps],
        last_label="last",
        last=last,
    )

    start, *between, end = picture.bars
    assert start.amount + sum((bar.amount for bar in between), Decimal(0)) == end.amount == last
    assert len(between) == len(steps)
    for bar in picture.bars:
        assert bar.left >= 0
        assert bar.width >= 0
        assert bar.left + bar.width <= Decimal("100.01")


@given(AMOUNTS, STEPS, AMOUNTS)
def test_what_the_steps_do_not_explain_is_a_step_of_its_own(first, steps, last):
    picture = draw(
        currency="CAD",
        first=Step("first", first),
        steps=[Step("step", amount) for amount in steps],
        last_label="last",
        last=last,
    )

    start, *between, end = picture.bars
    assert start.amount + sum((bar.amount for bar in between), Decimal(0)) == end.amount == last


def test_small_steps_are_drawn_large_and_the_picture_says_so():
    steps = [Step("price", Decimal("-5.70"))]
    picture = draw(
        currency="CAD",
        first=Step("a", Decimal("1204.10")),
        steps=steps,
        last_label="b",
        last=Decimal("1198.40"),
    )

    assert picture.is_cut
    assert picture.bars[1].width > 50
    assert picture.bars[1].tone == "down"


def test_large_steps_are_drawn_from_zero():
    steps = [Step("missing", Decimal("-600"))]
    picture = draw(
        currency="CAD", first=Step("a", Decimal(1000)), steps=steps, last_label="b", last=Decimal(400)
    )

    assert not picture.is_cut
    assert [bar.width for bar in picture.bars] == [100, 60, 40]
