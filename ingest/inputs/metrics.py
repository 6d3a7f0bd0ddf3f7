"""What a service says of a billable metric, checked field by field (Lago: billable metrics)."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from ingest.inputs.fields import TextField, refuse_value, refuse_values
from ingest.metering.expression import ExpressionError, parse
from ingest.models import Aggregation, RoundingFunction

CUSTOM = "custom_agg"
SECONDS = "seconds"
# Far beyond the digits of any quantity.
MOST_DIGITS = 100
CAN_RECUR = {Aggregation.SUM, Aggregation.UNIQUE_COUNT, Aggregation.WEIGHTED_SUM}


class FilterInput(serializers.Serializer):
    """A property that a price may depend on, with its values."""

    key = TextField()
    values = serializers.ListField(child=TextField(), allow_empty=False)


class MetricInput(serializers.Serializer):
    """What is metered, and how events become a quantity."""

    name = TextField()
    code = TextField()
    description = TextField(required=False, allow_blank=True, max_length=10_000)
    aggregation_type = serializers.ChoiceField(choices=[*Aggregation.values, CUSTOM])
    field_name = TextField(required=False, allow_blank=True)  # type: ignore[assignment]
    weighted_interval = serializers.ChoiceField(choices=[SECONDS], required=False)
    recurring = serializers.BooleanField(required=False)
    expression = TextField(required=False, allow_blank=True, max_length=2_000)
    rounding_function = serializers.ChoiceField(choices=RoundingFunction.choices, required=False)
    rounding_precision = serializers.IntegerField(
        required=False, min_value=-MOST_DIGITS, max_value=MOST_DIGITS
    )
    filters = FilterInput(many=True, required=False)

    def validate_expression(self, text: str) -> str:
        """An expression that can be read."""
        try:
            if text:
                parse(text)
        except ExpressionError:
            raise refuse_value("invalid_expression") from None
        return text

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        """What fits together; for a change, with what the metric is already."""
        errors = dict(_find_conflicts({**self.context.get("present", {}), **values}))
        if errors:
            raise refuse_values(errors)
        return values


def _find_conflicts(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Fields that do not go with the others, with Lago's code."""
    kind = values["aggregation_type"]
    found = []
    if kind not in (Aggregation.COUNT, CUSTOM) and not values.get("field_name"):
        found.append(("field_name", "value_is_mandatory"))
    if kind == Aggregation.WEIGHTED_SUM and values.get("weighted_interval") != SECONDS:
        found.append(("weighted_interval", "value_is_invalid"))
    if values.get("recurring") and kind not in CAN_RECUR:
        found.append(("recurring", "not_compatible_with_aggregation_type"))
    if values.get("expression") and not values.get("field_name"):
        found.append(("field_name", "value_is_mandatory"))
    return found


def to_columns(values: Mapping[str, Any]) -> dict[str, Any]:
    """Lago's names and shapes as the model's."""
    names = {"aggregation_type": "aggregation", "recurring": "is_recurring"}
    fields = {names.get(name, name): value for name, value in values.items() if name != "weighted_interval"}
    if "filters" in fields:
        fields["filters"] = {entry["key"]: entry["values"] for entry in fields["filters"]}
    return fields
