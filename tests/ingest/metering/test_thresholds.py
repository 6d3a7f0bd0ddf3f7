"""Which thresholds a figure has crossed: each once on its way up, however many steps that takes."""

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.metering.thresholds import MOST_CROSSINGS, find_crossed

amounts = st.decimals(min_value=0, max_value=1000, places=2)


def crossed(previous, current, once=(), step=None):
    values, steps = find_crossed(
        previous=Decimal(previous),
        current=Decimal(current),
        once=[Decimal(value) for value in once],
        step=None if step is None else Decimal(step),
    )
    return [str(value) for value in values], [str(value) for value in steps]


@pytest.mark.parametrize(
    ("previous", "current", "once", "step", "expected"),
    [
        (0, 99, [100], None, ([], [])),
        (0, 100, [100], None, (["100"], [])),
        (100, 150, [100], None, ([], [])),
        (0, 500, [300, 100, 200, 600], None, (["100", "200", "300"], [])),
        (150, 50, [100], None, ([], [])),
        (0, 5000, [1000, 5000], "1000", (["1000", "5000"], [])),
        (0, 7100, [1000, 5000], "1000", (["1000", "5000"], ["6000", "7000"])),
        (6000, 7000, [5000], "1000", ([], ["7000"])),
        (0, "0.3", [], "0.1", ([], ["0.1", "0.2", "0.3"])),
        (-5, 20, [], 10, ([], ["10", "20"])),
    ],
)
def test_a_figure_crosses_what_lies_between(previous, current, once, step, expected):
    assert crossed(previous, current, once, step) == expected


def test_a_small_step_in_a_large_figure_tells_the_highest():
    _, steps = crossed(0, "1e20", [], "0.00001")
    assert len(steps) == MOST_CROSSINGS
    assert Decimal(steps[-1]) == Decimal("1e20")


@settings(max_examples=50)
@given(st.lists(amounts, max_size=6), st.sets(amounts, max_size=4), st.integers(50, 500))
def test_however_often_it_is_looked_at_each_is_crossed_once(figures, once, step):
    path = [Decimal(0), *sorted(figures)]
    parts = [
        find_crossed(previous=before, current=after, once=list(once), step=Decimal(step))
        for before, after in pairwise(path)
    ]
    whole = find_crossed(previous=path[0], current=path[-1], once=list(once), step=Decimal(step))
    assert [value for values, _ in parts for value in values] == whole[0]
    assert [value for _, steps in parts for value in steps] == whole[1]
