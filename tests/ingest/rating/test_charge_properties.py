"""A charge's properties in one spelling: what is kept of them, and that it costs the same."""

import pytest

from ingest.models import ChargeModel
from ingest.rating.charge_models.registry import CHARGE_MODELS
from ingest.rating.charge_properties import DEFAULTS, KNOWN, normalize


@pytest.mark.parametrize("model", ChargeModel.values)
def test_every_model_has_its_properties_and_a_price_of_nothing(model):
    assert CHARGE_MODELS[model].validate(DEFAULTS[model]) == []
    assert set(DEFAULTS[model]) <= set(KNOWN[model])
    assert normalize(model, DEFAULTS[model]) == DEFAULTS[model]


@pytest.mark.parametrize(
    ("model", "given", "kept"),
    [
        ("standard", {"amount": 5}, {"amount": "5"}),
        ("standard", {"amount": True}, {"amount": True}),
        ("standard", {"amount": "0.10", "rate": "1"}, {"amount": "0.10"}),
        ("standard", {"amount": "1", "grouped_by": ["a"]}, {"amount": "1", "pricing_group_keys": ["a"]}),
        ("standard", {"amount": "1", "pricing_group_keys": []}, {"amount": "1"}),
        ("dynamic", {"presentation_group_keys": ["a"]}, {"presentation_group_keys": ["a"]}),
        (
            "dynamic",
            {"presentation_group_keys": [{"value": "a", "options": {}}]},
            {"presentation_group_keys": [{"value": "a"}]},
        ),
        ("package", {"package_size": "10", "free_units": "0.5"}, {"package_size": 10, "free_units": "0.5"}),
        ("package", {"package_size": "9" * 5000}, {"package_size": "9" * 5000}),
        ("graduated", {"graduated_ranges": "none"}, {"graduated_ranges": "none"}),
        ("graduated", {"graduated_ranges": [5]}, {"graduated_ranges": [5]}),
    ],
)
def test_equal_prices_are_written_alike(model, given, kept):
    assert normalize(model, given) == kept
    assert normalize(model, kept) == kept
