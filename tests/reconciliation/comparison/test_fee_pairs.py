"""Fees of two billers side by side: what is the same is paired, and what differs is said."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from reconciliation.comparison.fee_pairs import FeeFigures, FeeKey, pair_fees

KEY = FeeKey("sub-1", "usage", "api_calls", "{}", "{}")


def figures(amount="10.00", *, units="200", exact="10.004", events=4):
    return FeeFigures(Decimal(units), Decimal(exact), Decimal(amount), events)


def pair(ours, theirs):
    [found] = pair_fees(ours=[(KEY, ours)] if ours else [], theirs=[(KEY, theirs)] if theirs else [])
    return found


def test_what_agrees_differs_in_nothing():
    found = pair(figures(), figures())
    assert (found.differs, found.difference) == ([], 0)


def test_each_thing_that_differs_is_said():
    found = pair(figures(), figures("9.50", units="190", exact="9.5", events=3))
    assert found.differs == ["units", "unrounded amount", "amount", "events"]
    assert found.difference == Decimal("0.50")


def test_the_fifteenth_digit_is_no_difference_and_what_is_unsaid_neither():
    near = figures(exact="10.0040000000000001")
    assert pair(figures(), near).differs == []
    assert pair(figures(), FeeFigures(None, None, Decimal("10.00"))).differs == []


def test_a_fee_of_one_side_alone_counts_whole():
    assert (pair(figures(), None).differs, pair(figures(), None).difference) == (["only ours"], 10)
    assert (pair(None, figures()).differs, pair(None, figures()).difference) == (["only theirs"], -10)


def test_another_filter_or_group_is_another_fee_and_the_largest_difference_comes_first():
    europe = KEY._replace(filter='{"region": ["eu"]}')
    found = pair_fees(
        ours=[(KEY, figures()), (europe, figures("3"))], theirs=[(KEY, figures()), (europe, figures("9"))]
    )
    assert [each.key for each in found] == [europe, KEY]


@given(
    st.lists(
        st.tuples(st.booleans(), st.sampled_from("abc"), st.decimals(-1000, 1000, places=2)), max_size=20
    )
)
def test_the_differences_sum_to_the_difference_of_the_sums(fees):
    sides = {True: [], False: []}
    for is_ours, code, amount in fees:
        sides[is_ours].append((KEY._replace(code=code), figures(amount)))
    pairs = pair_fees(ours=sides[True], theirs=sides[False])
    sums = [sum((each.amount for _, each in sides[side]), Decimal(0)) for side in (True, False)]
    assert sum((each.difference for each in pairs), Decimal(0)) == sums[0] - sums[1]
