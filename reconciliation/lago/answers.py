"""What Lago answers, as what its API takes: the fields that come over, under the names that the inputs have."""

from collections.abc import Iterable, Mapping
from typing import Any

from ingest.inputs.customers import CustomerInput
from ingest.inputs.fields import drop_nulls

Values = Mapping[str, Any]

METRIC = (
    *("name", "code", "description", "aggregation_type", "field_name", "weighted_interval", "recurring"),
    *("expression", "rounding_function", "rounding_precision", "filters"),
)
PLAN = (
    *("name", "code", "interval", "amount_cents", "amount_currency", "pay_in_advance"),
    *("invoice_display_name", "description", "trial_period", "bill_charges_monthly", "usage_thresholds"),
    "fixed_charges",
)
CHARGE = (
    *("lago_id", "lago_billable_metric_id", "billable_metric_code", "code", "charge_model", "pay_in_advance"),
    *(
        "prorated",
        "invoiceable",
        "regroup_paid_fees",
        "min_amount_cents",
        "invoice_display_name",
        "properties",
    ),
    *("filters", "applied_pricing_unit", "accepts_target_wallet"),
)
SUBSCRIPTION = (
    *(
        "external_id",
        "external_customer_id",
        "plan_code",
        "name",
        "billing_time",
        "status",
        "subscription_at",
    ),
    *("started_at", "ending_at", "terminated_at", "canceled_at", "previous_plan_code"),
    *("on_termination_credit_note", "on_termination_invoice", "progressive_billing_disabled"),
    *("consolidate_invoice", "purchase_order_number"),
)
ENDPOINT = ("webhook_url", "signature_algo", "name", "event_types")
# Taxes are Odoo's, and sections of invoices too.
NOT_TAKEN = {"tax_codes", "invoice_custom_section_codes"}
CUSTOMER = tuple(name for name in map(str, CustomerInput().fields) if name not in NOT_TAKEN)


def pick(values: Values, names: Iterable[str]) -> dict[str, Any]:
    """The named fields that say something."""
    picked: dict[str, Any] = drop_nulls({name: values[name] for name in names if name in values})
    return picked


def pick_plan(values: Values) -> dict[str, Any]:
    """A plan with its charges and its minimum; without one it has none."""
    commitment, charges = values.get("minimum_commitment"), values.get("charges")
    amounts = ("amount_cents", "invoice_display_name")
    return {
        **pick(values, PLAN),
        "minimum_commitment": pick(commitment, amounts) if isinstance(commitment, dict) else {},
        "charges": [pick(each, CHARGE) if isinstance(each, dict) else each for each in charges]
        if isinstance(charges, list)
        else charges or [],
    }


def pick_customer(values: Values) -> dict[str, Any]:
    """A customer; of several e-mail addresses the first, and the time zone that it is really billed in."""
    said = pick(values, CUSTOMER)
    email = said.get("email")
    if isinstance(email, str):
        said["email"] = email.split(",")[0].strip()
    zone = values.get("timezone") or values.get("applicable_timezone")
    if zone:
        said["timezone"] = zone
    for name, names in (("metadata", METADATA), ("integration_customers", INTEGRATION)):
        if isinstance(said.get(name), list):
            said[name] = [_rename(each, names) for each in said[name]]
    return said


# Lago's names in its answers, and what its API calls them when they are sent.
METADATA = {"key": "key", "value": "value", "display_in_invoice": "display_in_invoice"}
INTEGRATION = {
    "type": "integration_type",
    "integration_code": "integration_code",
    "external_customer_id": "external_customer_id",
    "subsidiary_id": "subsidiary_id",
    "sync_with_provider": "sync_with_provider",
}


def _rename(entry: Any, names: Mapping[str, str]) -> Any:
    if not isinstance(entry, dict):
        return entry
    return {ours: entry[theirs] for theirs, ours in names.items() if theirs in entry}
