"""What a service says of a plan, checked field by field (Lago: plans)."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from ingest.inputs.charges import MOST_CENTS, MOST_CHARGES, ChargeInput, UnservedField, read_charge
from ingest.inputs.codes import CurrencyField
from ingest.inputs.fields import MAX_LENGTH, TextField, refuse_value, refuse_values
from ingest.models import Interval
from ingest.plan_charges import ChargeRequest
from ingest.rating.money import from_cents

# A hundred years: beyond that no date can tell a trial's end.
MOST_TRIAL_DAYS = 36_500
# Filters and their values in one plan together.
MOST_VALUES = 10_000
# What Lago may bill monthly although the plan's base amount is not.
LONG = (Interval.SEMIANNUAL, Interval.YEARLY)
# What a service may note of a plan (Lago: metadata).
MOST_METADATA = 50
LONGEST_KEY = 100
# Lago's names of the model's fields.
NAMES: Mapping[str, str] = {
    "amount_currency": "currency",
    "pay_in_advance": "is_pay_in_advance",
}
FIELDS = ("name", "code", "interval", "description", "invoice_display_name", "metadata", *NAMES)


class CommitmentInput(serializers.Serializer):
    """What a full period costs at least; an empty one takes it away. Its taxes are not kept."""

    amount_cents = serializers.IntegerField(required=False, min_value=0, max_value=MOST_CENTS)
    invoice_display_name = TextField(required=False, allow_blank=True)
    tax_codes = serializers.ListField(required=False)


@extend_schema_field({"type": "object", "additionalProperties": {"type": ["string", "null"]}})
class MetadataField(serializers.Field):
    """Texts, or nulls, by keys of up to 100 characters; at most fifty."""

    def to_internal_value(self, data: Any) -> dict[str, str | None]:
        """As they are."""
        if not isinstance(data, dict) or len(data) > MOST_METADATA:
            raise refuse_value("value_is_invalid")
        if not all(text is None or isinstance(text, str) for text in data.values()):
            raise refuse_value("value_is_invalid")
        if any("\x00" in text for text in (*data, *filter(None, data.values()))):
            raise refuse_value("value_is_invalid")
        if any(len(key) > LONGEST_KEY or len(text or "") > MAX_LENGTH for key, text in data.items()):
            raise refuse_value("value_is_too_long")
        return data


class PlanInput(serializers.Serializer):
    """What is sold: how often it bills, its base amount, and the charges for its usage."""

    name = TextField()
    code = TextField()
    interval = serializers.ChoiceField(choices=Interval.choices)
    amount_cents = serializers.IntegerField(min_value=0, max_value=MOST_CENTS)
    amount_currency = CurrencyField(help_text="ISO 4217.")
    pay_in_advance = serializers.BooleanField()
    invoice_display_name = TextField(required=False, allow_blank=True)
    description = TextField(required=False, allow_blank=True, max_length=10_000)
    trial_period = serializers.IntegerField(
        required=False, min_value=0, max_value=MOST_TRIAL_DAYS, help_text="In days."
    )
    minimum_commitment = CommitmentInput(required=False)
    charges: serializers.ListSerializer = serializers.ListSerializer(
        child=ChargeInput(), required=False, max_length=MOST_CHARGES
    )
    metadata = MetadataField(required=False)
    bill_charges_monthly = serializers.BooleanField(required=False)
    usage_thresholds = UnservedField(required=False)
    fixed_charges = UnservedField(required=False)

    def to_internal_value(self, data: Any) -> Any:
        """As a Serializer; first of all whether there is more than can be looked at."""
        if _count_values(data) > MOST_VALUES:
            raise refuse_values({"charges": "exceeded_limit"})
        return super().to_internal_value(data)

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        """What fits together; for a change, with what the plan is already."""
        interval = values.get("interval", self.context.get("interval"))
        if values.get("bill_charges_monthly") and interval in LONG:
            raise refuse_values({"bill_charges_monthly": "feature_unavailable"})
        return values


def _count_values(data: Any) -> int:
    """How many filters and values of theirs an input has, whatever else is wrong with it."""
    count = 0
    charges = data.get("charges") if isinstance(data, dict) else None
    for charge in charges if isinstance(charges, list) else ():
        filters = charge.get("filters") if isinstance(charge, dict) else None
        for item in filters if isinstance(filters, list) else ():
            values = item.get("values") if isinstance(item, dict) else None
            lists = values.values() if isinstance(values, dict) else ()
            count += 1 + sum(len(each) for each in lists if isinstance(each, list))
    return count


def to_columns(values: Mapping[str, Any]) -> dict[str, Any]:
    """Lago's names as the model's."""
    columns = {NAMES.get(name, name): values[name] for name in FIELDS if name in values}
    commitment = values.get("minimum_commitment", {})
    if "invoice_display_name" in commitment:
        columns["commitment_display_name"] = commitment["invoice_display_name"]
    return columns


def to_price(values: Mapping[str, Any], currency: str) -> dict[str, Any]:
    """What is said of the plan's price, in the currency."""
    price: dict[str, Any] = {}
    if "amount_cents" in values:
        price["amount"] = from_cents(values["amount_cents"], currency)
    commitment = values.get("minimum_commitment")
    if commitment is not None and ("amount_cents" in commitment or not commitment):
        price["minimum_commitment"] = from_cents(commitment.get("amount_cents", 0), currency)
    if "trial_period" in values:
        price["trial_days"] = values["trial_period"]
    return price


def to_charges(values: Mapping[str, Any], currency: str, *, is_new: bool) -> list[ChargeRequest] | None:
    """The charges as the domain takes them; None where nothing is said of them."""
    if "charges" not in values:
        return None
    return [read_charge(each, currency=currency, is_new=is_new) for each in values["charges"]]
