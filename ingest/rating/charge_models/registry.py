"""The charge models that there are, under Lago's names."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ingest.rating.charge_models import graduated, standard
from ingest.rating.charge_models.contract import ChargeModel

CHARGE_MODELS: Mapping[str, ChargeModel[Any]] = MappingProxyType(
    {
        "standard": ChargeModel(read=standard.read, price=standard.price),
        "graduated": ChargeModel(read=graduated.read, price=graduated.price),
    }
)
