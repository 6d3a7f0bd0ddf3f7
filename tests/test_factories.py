"""The factories themselves: each model has one, and each makes a row that the database accepts."""

import pytest
from django.apps import apps
from factory.django import DjangoModelFactory

from tests import factories

FACTORIES = {
    value._meta.model: value
    for value in vars(factories).values()
    if isinstance(value, type) and issubclass(value, DjangoModelFactory) and not value._meta.abstract
}
MODELS = [
    model
    for app in ("ingest", "reconciliation")
    for model in apps.get_app_config(app).get_models()
    if not model.__name__.startswith("Historical")
]


@pytest.mark.django_db
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_model_has_a_factory_that_makes_two_rows(model):
    FACTORIES[model].create_batch(2)
    assert model.objects.count() >= 2
