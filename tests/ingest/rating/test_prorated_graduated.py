"""Graduated prices by days: the level walks through the tiers, each event at its share."""

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from ingest.metering.arithmetic import exact_sum, quotient
from ingest.metering.usage import MeteredUsage
from ingest.rating.charge_models.registry import CHARGE_MODELS
from ingest.rating.money import round_to_currency

GRADUATED = CHARGE_MODELS["graduated"]
NAMES = ("from_value", "to_value", "per_unit_amount", "flat_amount")


def ranges(*rows):
    return {"graduated_ranges": [dict(zip(NAMES, row, strict=True)) for row in rows]}


TIERS = ranges(("0", "5", "10", "100"), ("6", "15", "5", "50"), ("16", None, "2", "0"))


def rate(properties, *steps, period_days=30):
    """The price of steps of units and of days that they count for."""
    values = tuple(Decimal(value) for value, _ in steps)
    shares = tuple(quotient(Decimal(value) * days, Decimal(period_days)) for value, days in steps)
    usage = MeteredUsage(
        exact_sum(shares),
        len(steps),
        full_quantity=exact_sum(values),
        is_prorated=True,
        event_values=values,
        prorated_values=shares,
    )
    return GRADUATED.rate(properties, usage, currency="CAD")


def test_an_event_that_crosses_a_tiers_end_is_split_at_the_same_proration():
    assert rate(TIERS, ("7", 15)).amount == (5 * 10 + 2 * 5) / 2 + 150


def test_flat_amounts_are_due_in_full_up_to_the_highest_level():
    assert rate(TIERS, ("16", 30), ("-15", 30)).amount == 10 + 150
    assert rate(TIERS, ("16", 30), ("-16", 30)).amount == 100, "zero units cost the first one alone"


def test_an_exactly_filled_tier_does_not_open_the_next():
    assert rate(TIERS, ("5", 30)).amount == 150


def test_a_level_below_zero_costs_nothing():
    assert rate(TIERS, ("5", 30), ("-6", 15)).amount == 0


def test_prices_that_sum_below_zero_cost_the_flat_amounts_alone():
    dearer = ranges(("0", "5", "1", "7"), ("6", None, "10", "8"))
    assert rate(dearer, ("5", 30), ("5", 1), ("-5", 20)).amount == 15


def test_an_addition_that_counts_for_no_day_and_its_removal_change_nothing():
    assert rate(TIERS, ("9", 0), ("-9", 0), ("1", 30)).amount == 110


def test_half_a_cent_by_days_is_not_lost_to_the_cut_of_a_share():
    rated = rate(ranges(("0", None, "0.015", "0")), ("1", 10))
    assert rated.amount == Decimal("0.005")
    assert round_to_currency(rated.amount, "CAD") == Decimal("0.01")


STEPS = st.lists(
    st.tuples(st.decimals(-20, 20, places=2).map(str), st.integers(0, 31)), min_size=1, max_size=8
)


@given(STEPS)
def test_the_steps_sum_to_the_whole_and_nothing_is_below_zero(steps):
    rated = rate(TIERS, *steps, period_days=31)
    assert rated.amount >= 0
    if rated.details:
        assert exact_sum(line.total for line in rated.details) == rated.amount


@given(st.lists(st.tuples(st.integers(1, 40), st.integers(1, 31)), min_size=1, max_size=6))
def test_additions_round_as_the_exact_fractions_do(steps):
    level, exact = 0, Fraction(0)
    for value, days in steps:
        for unit in range(level, level + value):
            exact += Fraction("10" if unit < 5 else "5" if unit < 15 else "0.015") * days / 31
        level += value
    prices = ranges(("0", "5", "10", "0"), ("6", "15", "5", "0"), ("16", None, "0.015", "0"))
    cents = (exact * 100 + Fraction(1, 2)).__floor__()
    assert round_to_currency(rate(prices, *steps, period_days=31).amount, "CAD") * 100 == cents
