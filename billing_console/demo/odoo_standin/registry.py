"""The models and rules of one server, put together."""

from __future__ import annotations

from .model import Registry
from .models import catalogue, directory, entries, fusion, orders, payments, technical


def build_registry(*, with_fusion: bool) -> Registry:
    """Return the models that are installed; the optional billing module only when asked for."""
    installed = [
        *directory.MODELS,
        *catalogue.MODELS,
        *orders.MODELS,
        *entries.MODELS,
        *payments.MODELS,
        *technical.MODELS,
        *(fusion.MODELS if with_fusion else ()),
    ]
    rules = directory.RULES | orders.RULES | entries.RULES | technical.RULES
    return Registry({model.name: model for model in installed}, rules)
