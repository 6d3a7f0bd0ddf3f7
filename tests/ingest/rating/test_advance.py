"""What one event costs at once: in advance, after what came before it, and estimated alone."""

from decimal import Decimal

import pytest

from ingest.metering.usage import MeteredUsage
from ingest.rating.advance import rate_arrival
from ingest.rating.charge_models.contract import ChargePropertiesError
from ingest.rating.charge_models.registry import CHARGE_MODELS
from ingest.rating.instant import estimate

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
        properties=properties,
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
