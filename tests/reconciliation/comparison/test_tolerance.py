"""How far apart two amounts may be and still match."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciliation.comparison.tolerance import Tolerance, ToleranceError


def tolerance(absolute="0.01", relative="0", cap=None):
    return Tolerance(Decimal(absolute), Decimal(relative), None if cap is None else Decimal(cap))


def test_by_default_one_hundredth_is_allowed_and_nothing_relative():
    assert Tolerance() == tolerance("0.01", "0", None)


@pytest.mark.parametrize(
    ("limits", "external", "limit"),
    [
        (("0.50", "0.001"), "1000.00", "1.00"),
        (("0.50", "0.001"), "-1000.00", "1.00"),
        (("0.50", "0.001"), "100.00", "0.50"),
        (("0.50", "0.001"), "0", "0.50"),
        (("0.50", "0.001", "0.75"), "1000.00", "0.75"),
        (("0.50", "0.001", "0.20"), "0", "0.20"),
        (("0", "0"), "1000.00", "0"),
    ],
)
def test_the_larger_limit_holds_and_never_above_the_cap(limits, external, limit):
    assert tolerance(*limits).limit(Decimal(external)) == Decimal(limit)


@pytest.mark.parametrize(
    ("delta", "is_allowed"), [("0.50", True), ("-0.50", True), ("0.5000000001", False), ("0", True)]
)
def test_a_delta_of_exactly_the_limit_matches(delta, is_allowed):
    assert tolerance("0.50").allows(delta=Decimal(delta), external=Decimal(100)) is is_allowed


@pytest.mark.parametrize("limits", [("-0.01",), ("0", "-0.1"), ("0", "0", "-1"), ("NaN",), ("Infinity",)])
def test_a_limit_that_is_no_amount_is_refused(limits):
    with pytest.raises(ToleranceError) as refusal:
        tolerance(*limits)
    assert refusal.value.code == "invalid_tolerance"


@pytest.mark.parametrize(
    ("limits", "delta", "external", "phrase"),
    [
        (("0.01",), "0.00", "5", "no difference"),
        (("0.01",), "-0.01", "5", "0.01 CAD is within the tolerance of 0.01 CAD (absolute)"),
        (
            ("0.01", "0.001"),
            "-5.70",
            "500.00",
            "5.70 CAD is above the tolerance of 0.50 CAD (0.1 % of 500.00 CAD)",
        ),
        (("0.01", "0.00125"), "0.001", "1", "0.001 CAD is within the tolerance of 0.01 CAD (absolute)"),
        (
            ("0", "0.00125"),
            "1",
            "10",
            "1.00 CAD is above the tolerance of 0.01250 CAD (0.125 % of 10.00 CAD)",
        ),
        (("0.01", "0.1", "2.00"), "1.99", "500", "1.99 CAD is within the tolerance of 2.00 CAD (its cap)"),
    ],
)
def test_the_phrase_says_which_limit_it_was(limits, delta, external, phrase):
    told = tolerance(*limits).explain(delta=Decimal(delta), external=Decimal(external), currency="CAD")
    assert told == phrase


AMOUNTS = st.decimals(-(10**6), 10**6, places=4)
LIMITS = st.decimals(0, 100, places=4)
TOLERANCES = st.builds(Tolerance, LIMITS, st.decimals(0, 1, places=4), st.none() | LIMITS)


@given(TOLERANCES, AMOUNTS, AMOUNTS)
def test_whatever_is_closer_than_a_match_is_a_match(allowed, delta, external):
    if allowed.allows(delta=delta, external=external):
        assert allowed.allows(delta=delta / 2, external=external)
        assert allowed.allows(delta=-delta, external=external)


@given(TOLERANCES, AMOUNTS)
def test_the_limit_is_never_below_zero_nor_above_the_cap(allowed, external):
    limit = allowed.limit(external)
    assert limit >= 0
    assert allowed.cap is None or limit <= allowed.cap
