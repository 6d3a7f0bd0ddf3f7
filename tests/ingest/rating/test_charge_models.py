"""Charge models: how their properties are checked, and what holds for every price."""

import json
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate, pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.metering.arithmetic import exact_sum
from ingest.metering.usage import MeteredUsage
from ingest.rating.charge_models.contract import ChargePropertiesError
from ingest.rating.charge_models.registry import CHARGE_MODELS

GRADUATED = CHARGE_MODELS["graduated"]
STANDARD = CHARGE_MODELS["standard"]


def ranges(*rows):
    names = ("from_value", "to_value", "per_unit_amount", "flat_amount")
    return {"graduated_ranges": [dict(zip(names, row, strict=True)) for row in rows]}


def rate(model, properties, quantity):
    return model.rate(properties, MeteredUsage(Decimal(quantity), 1), currency="CAD")


TIERS = ranges(("0", "10", "10", "2"), ("11", "20", "5", "3"), ("21", None, "1", "0"))
TOUCHING = ranges(("0", "10", "10", "2"), ("10", "20", "5", "3"), ("20", None, "1", "0"))


def test_a_quantity_flows_through_the_ranges_in_order():
    rated = rate(GRADUATED, TIERS, "25")
    assert [(line.units, line.total_with_flat_amount) for line in rated.details] == [
        (10, 102),
        (10, 53),
        (5, 5),
    ]
    assert rated.amount == 160


def test_a_fraction_beyond_a_range_is_priced_in_the_next():
    rated = rate(GRADUATED, TIERS, "10.5")
    assert [line.units for line in rated.details] == [Decimal(10), Decimal("0.5")]
    assert rated.amount == Decimal("107.5")


def test_a_quantity_that_fills_a_range_does_not_enter_the_next():
    assert rate(GRADUATED, TIERS, "10").amount == 102


def test_zero_units_cost_the_first_flat_amount():
    assert rate(GRADUATED, TIERS, "0").amount == 2


def test_ranges_that_touch_price_like_ranges_of_whole_units():
    for quantity in ("0", "9.99", "10", "10.01", "20", "33"):
        assert rate(GRADUATED, TOUCHING, quantity).amount == rate(GRADUATED, TIERS, quantity).amount


def test_one_open_range_prices_everything():
    assert rate(GRADUATED, ranges((0, None, "2", "1")), "7").amount == 15


@pytest.mark.parametrize(("model", "properties"), [(STANDARD, {"amount": "3"}), (GRADUATED, TIERS)])
def test_usage_below_zero_costs_nothing_at_all(model, properties):
    rated = rate(model, properties, "-0.001")
    assert (rated.quantity, rated.amount, rated.details) == (0, 0, ())


def test_a_thousand_digits_are_priced_to_the_last_one():
    price, quantity = "0." + "1" * 900, "9" * 900
    amount = rate(STANDARD, {"amount": price}, quantity).amount
    assert Fraction(amount) == Fraction(price) * Fraction(quantity)


@pytest.mark.parametrize(
    "properties", [{"amount": "0"}, {"amount": "0.0000004"}, {"amount": "5", "other": 1}]
)
def test_a_standard_price_is_a_decimal_string(properties):
    assert STANDARD.validate(properties) == []


@pytest.mark.parametrize("amount", [None, "", "-1", "1e3", "1,204.10", "NaN", "ten", 5, 0.5, True, ["1"]])
def test_any_other_standard_price_is_refused_at_its_field(amount):
    [error] = STANDARD.validate({"amount": amount})
    assert (error.field, error.code) == ("amount", "invalid_amount")


@pytest.mark.parametrize("model", CHARGE_MODELS.values(), ids=CHARGE_MODELS.keys())
@pytest.mark.parametrize("properties", [None, [], "5", 5])
def test_properties_that_are_no_object_are_refused(model, properties):
    [error] = model.validate(properties)
    assert error.field == "properties"


def test_contiguous_ranges_are_accepted_in_both_ways_of_writing():
    assert GRADUATED.validate(TIERS) == []
    assert GRADUATED.validate(TOUCHING) == []


@pytest.mark.parametrize(
    ("properties", "field", "code"),
    [
        ({}, "graduated_ranges", "missing_graduated_ranges"),
        ({"graduated_ranges": []}, "graduated_ranges", "missing_graduated_ranges"),
        ({"graduated_ranges": {}}, "graduated_ranges", "missing_graduated_ranges"),
        (ranges(("1", None, "1", "0")), "graduated_ranges[0].from_value", "invalid_graduated_ranges"),
        (ranges(("0", "10", "1", "0")), "graduated_ranges[0].to_value", "invalid_graduated_ranges"),
        (
            ranges(("0", None, "1", "0"), ("11", None, "1", "0")),
            "graduated_ranges[0].to_value",
            "invalid_graduated_ranges",
        ),
        (
            ranges(("0", "10", "1", "0"), ("12", None, "1", "0")),
            "graduated_ranges[1].from_value",
            "invalid_graduated_ranges",
        ),
        (
            ranges(("0", "10", "1", "0"), ("11", "5", "1", "0"), ("6", None, "1", "0")),
            "graduated_ranges[1].to_value",
            "invalid_graduated_ranges",
        ),
        (ranges(("0", None, "-1", "0")), "graduated_ranges[0].per_unit_amount", "invalid_amount"),
        (ranges(("0", None, "1", 0)), "graduated_ranges[0].flat_amount", "invalid_amount"),
        (ranges((0.5, None, "1", "0")), "graduated_ranges[0].from_value", "value_is_not_valid_number"),
        (ranges((None, None, "1", "0")), "graduated_ranges[0].from_value", "value_is_not_valid_number"),
    ],
)
def test_a_wrong_range_is_refused_at_its_field(properties, field, code):
    errors = GRADUATED.validate(properties)
    assert [(error.field, error.code) for error in errors] == [(field, code)]


def test_all_wrong_fields_of_a_range_are_told_at_once():
    fields = {error.field for error in GRADUATED.validate({"graduated_ranges": ["nothing"]})}
    assert fields == {
        f"graduated_ranges[0].{name}" for name in ("from_value", "per_unit_amount", "flat_amount")
    }


@pytest.mark.parametrize("name", sorted(CHARGE_MODELS.keys() - {"dynamic"}))
def test_invalid_properties_cannot_be_priced_with(name):
    model = CHARGE_MODELS[name]
    with pytest.raises(ChargePropertiesError) as refusal:
        rate(model, {}, "1")
    assert refusal.value.code == "invalid_properties"
    assert refusal.value.errors == model.validate({})


def test_a_mixture_of_touching_and_whole_bounds_is_priced_as_lago_prices_it():
    """Lago takes it, and prices the unit where two ranges touch in both; we agree with what is billed."""
    mixture = ranges(("0", "10", "1", "0"), ("10", "20", "1", "0"), ("21", None, "1", "0"))
    assert GRADUATED.validate(mixture) == []
    assert rate(GRADUATED, mixture, "15").amount == 16


def volume(*rows):
    return {"volume_ranges": ranges(*rows)["graduated_ranges"]}


def test_units_in_the_gap_between_two_volume_ranges_are_priced_by_the_next():
    """0–0.5 and 1.5–∞ follow one another by one; Lago takes them and then finds no range for 0.7."""
    gap = volume(("0", "0.5", "1", "0"), ("1.5", None, "2", "0"))
    assert CHARGE_MODELS["volume"].validate(gap) == []
    assert [rate(CHARGE_MODELS["volume"], gap, units).amount for units in ("0.5", "0.7", "2")] == [
        Decimal("0.5"),
        Decimal("1.4"),
        Decimal(4),
    ]


def test_a_volume_price_is_shown_with_all_its_digits():
    price = "0." + "0" * 30 + "1"
    [line] = rate(CHARGE_MODELS["volume"], volume(("0", None, price, "0")), "3").details
    assert line.per_unit_amount == Decimal(price)


@pytest.mark.parametrize(("whole", "amount"), [("11", "10"), ("10", "20"), ("0", "20"), ("-1", "0")])
def test_a_volume_range_is_picked_by_whole_units_and_prices_their_share(whole, amount):
    prices = volume(("0", "10", "4", "0"), ("11", None, "2", "0"))
    usage = MeteredUsage(Decimal(5), 1, full_quantity=Decimal(whole), is_prorated=True)
    rated = CHARGE_MODELS["volume"].rate(prices, usage, currency="CAD")
    assert rated.amount == Decimal(amount)


@pytest.mark.parametrize("name", sorted(CHARGE_MODELS.keys() - {"dynamic"}))
def test_a_whole_price_list_is_as_kept_in_the_golden_file(name):
    golden = Path(__file__).parent / "golden" / f"{name}_price_list.json"
    kept = json.loads(golden.read_text(encoding="utf-8"))
    for quantity, lines in kept["quantities"].items():
        rated = rate(CHARGE_MODELS[name], kept["properties"], quantity)
        assert [*(f"{line.total:f}" for line in rated.details), f"total {rated.amount:f}"] == lines, quantity


FIELDS = [
    "amount", "rate", "package_size", "free_units", "graduated_ranges", "volume_ranges",
    "graduated_percentage_ranges", "from_value", "to_value", "per_unit_amount", "flat_amount", "fixed_amount",
    "free_units_per_events", "per_transaction_min_amount", "per_transaction_max_amount",
]  # fmt: skip
PRICES = st.decimals(0, 1000, places=6).map(lambda price: f"{price:f}")
QUANTITIES = st.decimals(0, 5000, places=4)


@st.composite
def graduated_properties(draw):
    widths = draw(st.lists(st.integers(1, 500), max_size=4))
    step = draw(st.sampled_from([0, 1]))
    tops = list(accumulate(widths))
    starts = [0, *(top + step for top in tops)]
    rows = zip(starts, [*tops, None], strict=True)
    return ranges(
        *((str(start), top if top is None else str(top), draw(PRICES), draw(PRICES)) for start, top in rows)
    )


def with_rates(properties):
    items = [
        {"rate": item.pop("per_unit_amount"), **item}
        for item in ({**row} for row in properties["graduated_ranges"])
    ]
    return {"graduated_percentage_ranges": items}


PROPERTIES = {
    "standard": st.fixed_dictionaries({"amount": PRICES}),
    "graduated": graduated_properties(),
    "graduated_percentage": graduated_properties().map(with_rates),
    "volume": graduated_properties().map(lambda drawn: {"volume_ranges": drawn["graduated_ranges"]}),
    "package": st.fixed_dictionaries(
        {"amount": PRICES, "package_size": st.integers(1, 500)}, optional={"free_units": st.integers(0, 900)}
    ),
    "percentage": st.fixed_dictionaries(
        {"rate": PRICES},
        optional={
            "fixed_amount": PRICES,
            "free_units_per_events": st.integers(0, 3),
            "free_units_per_total_aggregation": PRICES,
            "per_transaction_min_amount": st.just("0.5"),
            "per_transaction_max_amount": st.just("77.25"),
        },
    ),
    "dynamic": st.just({}),
}


def draw_from(names):
    return st.sampled_from(names).flatmap(
        lambda name: st.tuples(st.just(CHARGE_MODELS[name]), PROPERTIES[name])
    )


PRICED = draw_from(sorted(CHARGE_MODELS))


def rate_one(model, properties, quantity):
    usage = MeteredUsage(quantity, 1, event_values=(quantity,), precise_total_amount_cents=quantity)
    return model.rate(properties, usage, currency="CAD")


@given(draw_from(sorted(CHARGE_MODELS.keys() - {"volume"})), st.lists(QUANTITIES, min_size=2))
def test_more_usage_never_costs_less(priced, quantities):
    model, properties = priced
    amounts = [rate_one(model, properties, quantity).amount for quantity in sorted(quantities)]
    assert all(less <= more for less, more in pairwise(amounts))


@given(PRICED, QUANTITIES)
def test_the_parts_of_a_price_sum_to_the_whole(priced, quantity):
    model, properties = priced
    rated = rate_one(model, properties, quantity)
    if rated.details:
        assert exact_sum(line.total for line in rated.details) == rated.amount
    assert rate_one(model, properties, quantity) == rated


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.decimals(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4),
    max_leaves=12,
)


@given(st.sampled_from(sorted(CHARGE_MODELS)), JSON)
def test_whatever_is_sent_as_properties_is_valid_or_refused_at_a_field(name, properties):
    errors = CHARGE_MODELS[name].validate(properties)
    assert all(error.field and error.code and error.message for error in errors)
    if not errors:
        rate(CHARGE_MODELS[name], properties, "7")


@given(PRICED)
def test_drawn_properties_are_valid(priced):
    model, properties = priced
    assert model.validate(properties) == []
