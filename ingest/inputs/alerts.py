"""What a service says of an alert, checked in Lago's order, one error at a time (Lago: alerts)."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from ingest.inputs.fields import TextField, refuse_values
from ingest.models import AlertType

MOST_THRESHOLDS = 20
# Lago has it for those who buy it, and the console keeps no units of all a subscription's life.
UNSERVED = ("billable_metric_lifetime_usage_units",)
VALUE = re.compile(r"[+-]?([0-9]{1,25}(\.[0-9]*)?|\.[0-9]+)")
LONGEST_VALUE = 60


class ThresholdInput(serializers.Serializer):
    """A figure to be told of; of one that recurs, each multiple above the others."""

    code = TextField(required=False, allow_blank=True)
    value = serializers.JSONField(required=False, help_text="A number, or its text.")
    recurring = serializers.BooleanField(required=False)


class AlertChange(serializers.Serializer):
    """What of an alert may change."""

    code = TextField(required=False, allow_blank=True)
    name = TextField(required=False, allow_blank=True)
    billable_metric_code = TextField(required=False, allow_blank=True)
    thresholds = ThresholdInput(many=True, required=False)

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        """The thresholds, where there are any, and the code."""
        _refuse_thresholds(values.get("thresholds", ()))
        if "code" in values and not values["code"].strip():
            raise refuse_values({"code": "value_is_mandatory"})
        return values


class AlertInput(AlertChange):
    """What of a subscription is watched, and at which figures it is told."""

    alert_type = serializers.CharField(required=False, allow_blank=True)

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        """The type, then what it needs."""
        _refuse_type(values.get("alert_type", ""))
        if not values.get("thresholds"):
            raise refuse_values({"thresholds": "value_is_mandatory"})
        return super().validate({"code": "", **values})


def to_columns(values: Mapping[str, Any]) -> dict[str, Any]:
    """Lago's names as the domain's; no thresholds leave those that there are."""
    names = {"billable_metric_code": "metric_code"}
    columns = {names.get(name, name): value for name, value in values.items() if name != "thresholds"}
    if values.get("thresholds"):
        columns["thresholds"] = [
            {
                "code": each.get("code") or None,
                "value": str(each["value"]).removesuffix("."),
                "recurring": each.get("recurring", False),
            }
            for each in values["thresholds"]
        ]
    return columns


def _refuse_type(alert_type: str) -> None:
    if not alert_type:
        codes = ("value_is_mandatory", "value_is_invalid")
        raise ValidationError({"alert_type": [ErrorDetail(code, code=code) for code in codes]})
    if alert_type in UNSERVED:
        raise refuse_values({"alert_type": "feature_not_available"})
    if alert_type not in AlertType.values:
        raise refuse_values({"alert_type": "invalid_type"})


def _refuse_thresholds(thresholds: Sequence[Mapping[str, Any]]) -> None:
    """Lago's refusals in Lago's order; that more than one recurs is a slip which Lago answers with another code."""
    if len(thresholds) > MOST_THRESHOLDS:
        raise refuse_values({"thresholds": "too_many_thresholds"})
    if any(each.get("value") is None for each in thresholds):
        raise refuse_values({"thresholds:value": "value_is_mandatory"})
    if not all(_is_number(each["value"]) for each in thresholds):
        raise refuse_values({"thresholds:value": "value_is_invalid"})
    keys = [(Decimal(str(each["value"])), each.get("recurring", False)) for each in thresholds]
    if len(set(keys)) < len(keys):
        raise refuse_values({"thresholds": "duplicate_threshold_values"})
    steps = [value for value, is_recurring in keys if is_recurring]
    if any(step <= 0 for step in steps):
        raise refuse_values({"thresholds:value": "recurring_value_is_negative"})
    if len(steps) > 1:
        raise refuse_values({"thresholds": "value_is_invalid"})


def _is_number(value: Any) -> bool:
    text = str(value) if type(value) in (int, str) else ""
    return len(text) <= LONGEST_VALUE and VALUE.fullmatch(text) is not None
