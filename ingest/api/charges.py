"""The charges of a plan, as they are asked for and as they are answered (Lago: plans, charge models)."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import msgspec

from ingest.api.errors import ApiError, FieldErrors, refuse_fields
from ingest.api.rendering import render_second
from ingest.api.view import ApiView
from ingest.catalogue import InvalidChargeError
from ingest.charge_filters import filter_id
from ingest.inputs.plans import NAMES
from ingest.models import Charge, ChargeVersion
from ingest.plan_charges import RefusedFieldsError
from ingest.prices import current
from ingest.rating.charge_models.contract import PropertyError
from ingest.rating.charge_properties import normalize
from ingest.rating.money import to_cents

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


@contextmanager
def refusing_prices(view: ApiView, answers: Mapping[str, ApiError]) -> Iterator[None]:
    """Answers what the domain refuses of a price: by its code or field by field."""
    lago_names = {name: lago_name for lago_name, name in NAMES.items()}
    with view.refusing(answers):
        try:
            yield
        except InvalidChargeError as error:
            raise refuse_terms(error.errors) from error
        except RefusedFieldsError as error:
            details = {lago_names.get(name, name): [code] for name, code in error.fields.items()}
            raise refuse_fields(details) from error


class ChargeFilterAnswer(msgspec.Struct):
    """A price of its own for some values, which its id is made of."""

    lago_id: str
    charge_code: str | None
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
    applied_pricing_unit: None = None
    accepts_target_wallet: bool = False
    lago_parent_id: None = None
    taxes: list[dict[str, Any]] = []


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
        filters=show_filters(charge, version),
    )


def show_filters(charge: Charge, version: ChargeVersion) -> list[ChargeFilterAnswer]:
    """The answers that tell of a charge's filters, in their order."""
    return [
        ChargeFilterAnswer(
            lago_id=str(filter_id(charge, item["values"])),
            charge_code=charge.code or None,
            invoice_display_name=item.get("invoice_display_name") or None,
            properties=_show_properties(version.model, item["properties"]),
            values=item["values"],
        )
        for item in version.filters
    ]


def _show_properties(model: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """The properties, with the groups under their older name too (Lago: grouped_by)."""
    found = normalize(model, properties)
    groups = found.get("pricing_group_keys")
    return {**found, "grouped_by": groups} if groups else found
