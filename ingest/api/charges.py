"""The charges of a plan, as they are asked for and as they are answered (Lago: plans, charge models)."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from ingest.api.errors import ApiError, FieldErrors, refuse_fields
from ingest.api.inputs import MAX_LENGTH, TextField, refuse_value, refuse_values
from ingest.api.rendering import render_second
from ingest.models import Charge, ChargeModel
from ingest.plan_charges import ChargeRequest
from ingest.prices import current
from ingest.rating.charge_models.contract import PropertyError
from ingest.rating.charge_properties import normalize
from ingest.rating.money import from_cents, to_cents

CUSTOM = "custom"
# Every pair of a charge's filters is looked at; and a request is answered in a second.
MOST_CHARGES = 500
MOST_FILTERS = 1_000
MOST_CENTS = 2**63 - 1

UNKNOWN_METRIC = ApiError(404, code="billable_metrics_not_found")
UNKNOWN_CHARGE = ApiError(404, code="charge_not_found")

# What concerns the charge as a whole, and under which of its fields it is reported; the rest is about properties.
OWN_FIELDS: Mapping[str, str] = {
    "billable_metric": "billable_metric_id",
    "charge_model": "charge_model",
    "min_amount_cents": "min_amount_cents",
    "pay_in_advance": "pay_in_advance",
    "prorated": "prorated",
}
# A bound that is no number makes its ranges invalid, as any other wrong bound does (Lago: charge models).
BOUND = "value_is_not_valid_number"


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

    Raises ApiError for an id that can be none.
    """
    filters, properties = values.get("filters"), values.get("properties")
    cents = values.get("min_amount_cents")
    return ChargeRequest(
        public_id=None if is_new else _read_id(values.get("id"), UNKNOWN_CHARGE),
        metric_id=_read_id(values.get("billable_metric_id"), UNKNOWN_METRIC),
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


def refuse_terms(errors: Iterable[PropertyError]) -> ApiError:
    """The answer to a price that there cannot be: Lago's codes, flat under the charge's field."""
    details: FieldErrors = {}
    for error in errors:
        field, code = _name_error(error)
        if code not in details.setdefault(field, []):
            details[field].append(code)
    return refuse_fields(details)


def _name_error(error: PropertyError) -> tuple[str, str]:
    path = error.field
    if path.startswith("filters["):
        _, _, inner = path.partition("].")
        if not inner.startswith("properties"):
            return "values", error.code
        path = inner.partition(".")[2]
    if path in OWN_FIELDS:
        return OWN_FIELDS[path], error.code
    ranges = path.partition("[")[0]
    return "properties", f"invalid_{ranges}" if ranges != path and error.code == BOUND else error.code


def _read_id(text: str | None, unknown: ApiError) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        raise unknown from None


class ChargeFilterAnswer(msgspec.Struct):
    """A price of its own for some values."""

    invoice_display_name: str | None
    properties: dict[str, Any]
    values: dict[str, list[str]]


class PlanCharge(msgspec.Struct):
    """A charge as the API returns it, with Lago's field names."""

    lago_id: str
    lago_billable_metric_id: str
    billable_metric_code: str
    code: str | None
    created_at: str
    charge_model: str
    invoiceable: bool
    regroup_paid_fees: str | None
    pay_in_advance: bool
    prorated: bool
    min_amount_cents: int
    invoice_display_name: str | None
    properties: dict[str, Any]
    filters: list[ChargeFilterAnswer]
    applied_pricing_unit: None
    accepts_target_wallet: bool
    taxes: list[dict[str, Any]]


def show_charge(charge: Charge, now: datetime) -> PlanCharge | None:
    """The answer that tells of a charge with its price of now; None for one that was never priced."""
    version = current(list(charge.versions.all()), now)
    if version is None:
        return None
    return PlanCharge(
        lago_id=str(charge.public_id),
        lago_billable_metric_id=str(charge.metric.public_id),
        billable_metric_code=charge.metric.code,
        code=charge.code or None,
        created_at=render_second(charge.created_at),
        charge_model=version.model,
        invoiceable=True,
        regroup_paid_fees=None,
        pay_in_advance=version.is_pay_in_advance,
        prorated=version.is_prorated,
        min_amount_cents=to_cents(version.min_amount, charge.plan.currency),
        invoice_display_name=charge.invoice_display_name or None,
        properties=_show_properties(version.model, version.properties),
        filters=[
            ChargeFilterAnswer(
                item.get("invoice_display_name") or None,
                _show_properties(version.model, item["properties"]),
                item["values"],
            )
            for item in version.filters
        ],
        applied_pricing_unit=None,
        accepts_target_wallet=False,
        taxes=[],
    )


def _show_properties(model: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """The properties, with the groups under their older name too (Lago: grouped_by)."""
    found = normalize(model, properties)
    groups = found.get("pricing_group_keys")
    return {**found, "grouped_by": groups} if groups else found
