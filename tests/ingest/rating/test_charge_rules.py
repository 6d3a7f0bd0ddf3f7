"""Which charges there can be: every refusal names its field."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.rating.charge_models.registry import CHARGE_MODELS
from ingest.rating.charge_rules import ChargeTerms, check_charge

AGGREGATIONS = ["count_agg", "sum_agg", "max_agg", "unique_count_agg", "weighted_sum_agg", "latest_agg"]
RANGE = {"from_value": 0, "to_value": None, "per_unit_amount": "1", "rate": "1", "flat_amount": "0"}
PROPERTIES = {
    "standard": {"amount": "1"},
    "graduated": {"graduated_ranges": [RANGE]},
    "graduated_percentage": {"graduated_percentage_ranges": [RANGE]},
    "package": {"amount": "1", "package_size": 10},
    "percentage": {"rate": "1"},
    "volume": {"volume_ranges": [RANGE]},
    "dynamic": {},
}


def refusals(model, aggregation, *, is_recurring=False, properties=None, **terms):
    given_terms = ChargeTerms(model, properties or PROPERTIES[model], **terms)
    errors = check_charge(given_terms, aggregation=aggregation, is_recurring=is_recurring, allowed={})
    assert all(error.code and error.message for error in errors)
    return [error.field for error in errors]


def test_every_model_has_properties_here():
    assert PROPERTIES.keys() == CHARGE_MODELS.keys()


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
@pytest.mark.parametrize("model", sorted(PROPERTIES))
def test_a_model_prices_every_metric_but_what_lago_forbids(model, aggregation):
    is_forbidden = aggregation == "latest_agg" if "percentage" in model else model == "dynamic"
    is_forbidden = is_forbidden and not (model == "dynamic" and aggregation == "sum_agg")
    assert refusals(model, aggregation) == (["billable_metric"] if is_forbidden else [])


@pytest.mark.parametrize("model", sorted(PROPERTIES.keys() - {"dynamic"}))
@pytest.mark.parametrize("is_pay_in_advance", [False, True])
def test_only_some_models_go_by_days(model, is_pay_in_advance):
    fields = refusals(
        model, "sum_agg", is_recurring=True, is_prorated=True, is_pay_in_advance=is_pay_in_advance
    )
    allowed = {"standard"} if is_pay_in_advance else {"standard", "graduated", "volume"}
    assert ("prorated" in fields) == (model not in allowed)


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
@pytest.mark.parametrize("is_recurring", [False, True])
def test_only_a_recurring_sum_or_unique_count_goes_by_days(aggregation, is_recurring):
    fields = refusals("standard", aggregation, is_recurring=is_recurring, is_prorated=True)
    allowed = is_recurring and aggregation in ("sum_agg", "unique_count_agg")
    assert fields == ([] if allowed else ["prorated"])


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
def test_only_counts_and_sums_are_billed_in_advance(aggregation):
    allowed = ("count_agg", "sum_agg", "unique_count_agg")
    fields = refusals("standard", aggregation, is_pay_in_advance=True)
    assert fields == ([] if aggregation in allowed else ["pay_in_advance"])


def test_a_volume_price_and_a_minimum_need_billing_in_arrears():
    assert refusals("volume", "sum_agg", is_pay_in_advance=True) == ["pay_in_advance"]
    fields = refusals("standard", "sum_agg", is_pay_in_advance=True, min_amount=Decimal(5))
    assert fields == ["min_amount_cents"]
    assert refusals("standard", "sum_agg", min_amount=Decimal(5)) == []


@pytest.mark.parametrize(
    ("name", "keys", "is_accepted"),
    [
        ("pricing_group_keys", ["region"], True),
        ("pricing_group_keys", [], True),
        ("pricing_group_keys", [""], False),
        ("pricing_group_keys", "region", False),
        ("grouped_by", [5], False),
        ("presentation_group_keys", [{"value": "region"}, "cloud"], True),
        ("presentation_group_keys", [{"name": "region"}], False),
        ("presentation_group_keys", ["a", "b", "c"], False),
    ],
)
def test_group_keys_are_names_of_properties(name, keys, is_accepted):
    fields = refusals("standard", "sum_agg", properties={"amount": "1", name: keys})
    assert fields == ([] if is_accepted else [name])


def test_what_is_wrong_in_a_filter_is_named_there():
    priced = {"values": {"region": ["eu"]}, "properties": {"amount": "ten", "pricing_group_keys": [1]}}
    terms = ChargeTerms("standard", {"amount": "1"}, filters=[priced, None])
    errors = check_charge(terms, aggregation="sum_agg", is_recurring=False, allowed={"region": ("eu",)})
    assert [error.field for error in errors] == [
        "filters[0].properties.amount",
        "filters[0].properties.pricing_group_keys",
        "filters[1].values",
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["values", "properties", "region", "pricing_group_keys", "amount", "value"]),
            inner,
        )
    ),
    max_leaves=8,
)


@given(
    st.sampled_from([*PROPERTIES, "custom", ""]),
    st.sampled_from(AGGREGATIONS),
    JSON,
    st.lists(JSON, max_size=3),
    st.booleans(),
)
def test_whatever_is_sent_is_accepted_or_refused_at_a_field(model, aggregation, properties, filters, flag):
    terms = ChargeTerms(model, properties, filters=filters, is_prorated=flag)
    errors = check_charge(terms, aggregation=aggregation, is_recurring=flag, allowed={"region": ("eu", "us")})
    assert all(error.field and error.code and error.message for error in errors)
