"""What a service says of a plan's charges, checked field by field (Lago: plans, charge models)."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from ingest.errors import DomainError
from ingest.inputs.fields import MAX_LENGTH, TextField, refuse_value, refuse_values
from ingest.models import ChargeModel
from ingest.plan_charges import ChargeRequest
from ingest.rating.money import from_cents

CUSTOM = "custom"
# Every pair of a charge's filters is looked at; and a request is answered in a second.
MOST_CHARGES = 500
MOST_FILTERS = 1_000
MOST_CENTS = 2**63 - 1


class UnservedField(serializers.JSONField):
    """What the console does not bill by: refused unless it is empty, because leaving it out would bill otherwise."""

    def to_internal_value(self, data: Any) -> Any:
        """Nothing, where nothing is asked for."""
        if data not in (False, "", "false", [], {}):
            raise refuse_value("feature_unavailable")
        return None


@extend_schema_field(
    {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}}
)
class ValuesField(serializers.Field):
    """Which values of which properties a filter takes; each value once."""

    def to_internal_value(self, data: Any) -> dict[str, list[str]]:
        """A list of texts for each property, none of them empty."""
        if not isinstance(data, dict) or not data:
            raise refuse_value("value_is_mandatory" if data == {} else "value_is_invalid")
        found = {}
        for name, values in data.items():
            texts = values if isinstance(values, list) else []
            if not texts or not all(isinstance(text, str) and len(text) <= MAX_LENGTH for text in texts):
                raise refuse_value("value_is_invalid")
            found[name] = list(dict.fromkeys(texts))
        return found


class ChargeFilterInput(serializers.Serializer):
    """A price of its own for some values of the metric's filters."""

    invoice_display_name = TextField(required=False, allow_blank=True)
    properties = serializers.DictField(required=False)
    values = ValuesField()

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        """Never without values, in a change of the plan neither: a filter is given whole."""
        if "values" not in values:
            raise refuse_values({"values": "value_is_mandatory"})
        return values


class ChargeFilterChange(serializers.Serializer):
    """What of a filter may change; the values are what it is (Lago: charge filters)."""

    invoice_display_name = TextField(required=False, allow_blank=True)
    properties = serializers.DictField(required=False)


class ChargeInput(serializers.Serializer):
    """A metric that the plan prices. Without `id` or `code` it is the plan's own for that metric, else a new one."""

    id = TextField(required=False)
    code = TextField(required=False, allow_blank=True)
    billable_metric_id = TextField(required=False)
    charge_model = serializers.ChoiceField(choices=[*ChargeModel.values, CUSTOM], required=False)
    pay_in_advance = serializers.BooleanField(required=False)
    prorated = serializers.BooleanField(required=False)
    invoiceable = serializers.BooleanField(required=False)
    regroup_paid_fees = UnservedField(required=False)
    min_amount_cents = serializers.IntegerField(required=False, min_value=0, max_value=MOST_CENTS)
    invoice_display_name = TextField(required=False, allow_blank=True)
    properties = serializers.DictField(
        required=False, help_text="By charge model; amounts as decimal strings."
    )
    filters: serializers.ListSerializer = serializers.ListSerializer(
        child=ChargeFilterInput(), required=False, max_length=MOST_FILTERS
    )
    applied_pricing_unit = UnservedField(required=False)
    accepts_target_wallet = UnservedField(required=False)

    def validate_charge_model(self, model: str) -> str:
        """One of ours: custom code is a feature that there is not."""
        if model == CUSTOM:
            raise refuse_value("feature_unavailable")
        return model

    def validate_invoiceable(self, is_invoiceable: bool) -> bool:
        """Every fee is on the period's bill."""
        if not is_invoiceable:
            raise refuse_value("feature_unavailable")
        return is_invoiceable


def read_charge(values: Mapping[str, Any], *, currency: str, is_new: bool) -> ChargeRequest:
    """A checked input as the domain takes it; in a new plan every charge is new.

    Refuses an id that can be none (`unknown_charge`, `unknown_metric`).
    """
    filters, properties = values.get("filters"), values.get("properties")
    cents = values.get("min_amount_cents")
    return ChargeRequest(
        public_id=None if is_new else _read_id(values.get("id"), "unknown_charge"),
        metric_id=_read_id(values.get("billable_metric_id"), "unknown_metric"),
        code=values.get("code"),
        invoice_display_name=values.get("invoice_display_name"),
        model=values.get("charge_model"),
        # Beside filters, `{}` is Lago's way to say that the rest costs what it did, at first nothing.
        properties=None if filters and not properties else properties,
        filters=filters,
        is_prorated=values.get("prorated"),
        is_pay_in_advance=values.get("pay_in_advance"),
        min_amount=None if cents is None else from_cents(cents, currency),
    )


def _read_id(text: str | None, unknown: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        raise DomainError(unknown, "This is no id.") from None
