"""Which changes of the rules let through what was held back before."""

import pytest

from reconciliation.comparison.rules import Rule, find_loosened


def required(value):
    return Rule("clean periods required", value, "", is_loose_upwards=False)


def absolute(value):
    return Rule("absolute tolerance in CAD", value, "0.01", is_loose_upwards=True)


def cap(value):
    return Rule("cap in CAD", value, "", is_loose_upwards=True)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ([required("3")], [required("2")], ["clean periods required 3 → 2"]),
        ([required("2")], [required("3")], []),
        ([required("10")], [required("9")], ["clean periods required 10 → 9"]),
        ([absolute("0.01")], [absolute("0.010")], []),
        ([absolute("0.01")], [absolute("0.02")], ["absolute tolerance in CAD 0.01 → 0.02"]),
        ([], [absolute("0.02")], ["absolute tolerance in CAD 0.01 → 0.02"]),
        ([], [absolute("0")], []),
        ([absolute("0")], [], ["absolute tolerance in CAD 0 → 0.01"]),
        ([cap("5")], [cap("")], ["cap in CAD 5 → none"]),
        ([cap("5")], [], ["cap in CAD 5 → none"]),
        ([cap("")], [cap("5")], []),
        ([cap("5")], [cap("6")], ["cap in CAD 5 → 6"]),
    ],
)
def test_what_lets_more_through_is_told(before, after, told):
    assert find_loosened(before, after) == told
