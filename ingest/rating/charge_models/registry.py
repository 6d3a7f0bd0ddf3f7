"""The charge models that there are, under Lago's names."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ingest.rating.charge_models import (
    dynamic,
    graduated,
    graduated_percentage,
    package,
    percentage,
    standard,
    volume,
)
from ingest.rating.charge_models.contract import ChargeModel

CHARGE_MODELS: Mapping[str, ChargeModel[Any]] = MappingProxyType(
    {
        "standard": ChargeModel(standard.read, standard.price),
        "graduated": ChargeModel(graduated.read, graduated.price),
        "graduated_percentage": ChargeModel(graduated_percentage.read, graduated_percentage.price),
        "package": ChargeModel(package.read, package.price, divide_by=package.paid_units),
        "percentage": ChargeModel(percentage.read, percentage.price),
        "volume": ChargeModel(volume.read, volume.price),
        "dynamic": ChargeModel(dynamic.read, dynamic.price),
    }
)
