"""What one event costs at once: in advance, after what came before it, and estimated alone."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.metering.advance import walk_arrivals
from ingest.metering.aggregation.contract import MetricRule
from ingest.metering.arithmetic import ZERO
from ingest.metering.usage import MeteredUsage, Transactions
from ingest.rating.advance import rate_arrival, rate_arrivals
from ingest.rating.charge_models import percentage
from ingest.rating.charge_models.contract import ChargePropertiesError
from ingest.rating.charge_models.registry import CHARGE_MODELS
from ingest.rating.instant import estimate
from tests.ingest.metering.measuring import MAY, event

TIERS = {
    "graduated_ranges": [
        {"from_value": 0, "to_value": 2, "per_unit_amount": "10", "flat_amount": "5"},
        {"from_value": 3, "to_value": None, "per_unit_amount": "1", "flat_amount": "7"},
    ]
}


def arrive(name, properties, before, after, cents=(0, 0)):
    usages = [
        MeteredUsage(Decimal(units), count, precise_total_amount_cents=Decimal(paid))
        for units, count, paid in zip((before, after), (1, 2), cents, strict=True)
    ]
    return rate_arrival(
        name=name,
        model=CHARGE_MODELS[name],
        prices=CHARGE_MODELS[name].prepare(properties),
        before=usages[0],
        after=usages[1],
        currency="CAD",
    )


@pytest.mark.parametrize(("before", "after", "amount"), [(0, 1, 15), (1, 2, 10), (2, 3, 8), (0, 3, 33)])
def test_the_first_flat_amount_is_due_with_the_first_unit_and_once(before, after, amount):
    assert arrive("graduated", TIERS, before, after).amount == amount


def test_an_event_that_takes_an_amount_back_is_no_fee_below_zero():
    assert arrive("dynamic", {}, 5, 5, cents=(1000, 900)).amount == 0
    assert arrive("dynamic", {}, 5, 6, cents=(1000, 1234)).amount == Decimal("2.34")


@pytest.mark.parametrize(
    ("properties", "units", "amount", "unit_amount"),
    [
        ({"rate": "10"}, "30", "3", "0.1"),
        ({"rate": "12", "fixed_amount": "2", "per_transaction_min_amount": "13"}, "0", "13", "0"),
        ({"rate": "15", "fixed_amount": "3", "per_transaction_max_amount": "2"}, "100", "2", "0.02"),
        ({"rate": "15", "fixed_amount": "3"}, "-1", "0", "0"),
    ],
)
def test_a_percentage_is_estimated_with_its_fixed_amount_within_its_bounds(
    properties, units, amount, unit_amount
):
    rated = estimate(name="percentage", properties=properties, units=Decimal(units), currency="CAD")
    assert (rated.amount, rated.unit_amount) == (Decimal(amount), Decimal(unit_amount))


def test_what_cannot_be_estimated_is_refused():
    with pytest.raises(ChargePropertiesError):
        estimate(name="percentage", properties={}, units=Decimal(1), currency="CAD")
    with pytest.raises(ValueError, match="standard and percentage"):
        estimate(name="volume", properties={}, units=Decimal(1), currency="CAD")


def summarize_by_definition(prices, values):
    """Allowances and bounds as they are defined: of all values at once (Lago: percentage)."""
    totals, total = [], ZERO
    for place, value in enumerate(values):
        if not (prices.free_events or prices.free_units) or (
            prices.free_events and place >= prices.free_events
        ):
            break
        if not prices.free_events and total > prices.free_units:
            break
        total += value
        totals.append(total)
    last = totals[-1] if totals else ZERO
    free_units = min(last, prices.free_units) if prices.free_units else last
    counts = (prices.free_events, sum(each < prices.free_units for each in totals))
    free_events = min((count for count in counts if count), default=0)
    bounded = sum(bounded_amounts(prices, values), ZERO) if prices.is_bounded else None
    return Transactions(free_units if last else ZERO, free_events, bounded)


def bounded_amounts(prices, values):
    free_events, free_units = prices.free_events, prices.free_units
    for value in values:
        if free_units > 0:
            if free_units > value:
                free_units -= value
                continue
            yield prices.amount_of(value - free_units)
            free_events, free_units = 0, ZERO
        elif free_events > 0:
            free_events -= 1
        else:
            yield prices.amount_of(value)


def arrivals_of(values):
    rule = MetricRule("sum_agg", "value", is_recurring=False)
    events = [event("05-02", str(value), sequence=place) for place, value in enumerate(values)]
    return walk_arrivals(rule=rule, events=events, span=MAY)


AMOUNTS = st.decimals(0, 20, places=2)
PERCENTAGES = st.fixed_dictionaries(
    {"rate": AMOUNTS.map(str)},
    optional={
        "fixed_amount": AMOUNTS.map(str),
        "free_units_per_events": st.integers(0, 4),
        "free_units_per_total_aggregation": AMOUNTS.map(str),
        "per_transaction_min_amount": st.decimals(0, 3, places=2).map(str),
        "per_transaction_max_amount": st.decimals(3, 9, places=2).map(str),
    },
)


@given(PERCENTAGES, st.lists(st.decimals(-10, 30, places=2), max_size=12))
def test_running_totals_price_each_event_as_all_values_together_do(properties, values):
    model = CHARGE_MODELS["percentage"]
    prices = model.prepare(properties)
    arrivals = list(arrivals_of(values))
    found = rate_arrivals(
        name="percentage", model=model, properties=properties, arrivals=arrivals, currency="CAD"
    )
    for place, (arrival, rated) in enumerate(found):
        known = [summarize_by_definition(prices, values[:count]) for count in (place, place + 1)]
        before, after = (
            replace(usage, transactions=each)
            for usage, each in zip((arrival.before, arrival.after), known, strict=True)
        )
        expected = rate_arrival(
            name="percentage", model=model, prices=prices, before=before, after=after, currency="CAD"
        )
        assert rated == expected


@given(PERCENTAGES, st.lists(st.decimals(-10, 30, places=2), max_size=12))
def test_what_a_percentage_knows_of_its_events_is_as_defined(properties, values):
    prices = CHARGE_MODELS["percentage"].prepare(properties)
    assert percentage.summarize(prices, values) == summarize_by_definition(prices, values)


def test_an_event_costs_the_same_work_however_many_came_before_it(monkeypatch):
    properties = {
        "rate": "1",
        "free_units_per_events": 10_000,
        "free_units_per_total_aggregation": "1000000",
        "per_transaction_max_amount": "5",
    }
    work = []

    def count(amounts):
        work.append(len(amounts))
        return sum(amounts, ZERO)

    monkeypatch.setattr(percentage, "exact_sum", count)

    def steps(events):
        work.clear()
        arrivals = arrivals_of([Decimal(3)] * events)
        model = CHARGE_MODELS["percentage"]
        rated = rate_arrivals(
            name="percentage", model=model, properties=properties, arrivals=arrivals, currency="CAD"
        )
        assert len(list(rated)) == events
        return sum(work)

    assert steps(400) <= 2 * steps(200)
