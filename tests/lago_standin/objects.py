"""Lago's objects as its lists answer them, field for field; what a test is about is given by name."""

from uuid import NAMESPACE_URL, uuid5

CREATED = "2024-01-05T09:00:00Z"
BILLING = {
    "invoice_grace_period": 3,
    "payment_provider": "stripe",
    "payment_provider_code": "stripe_ca",
    "provider_customer_id": "cus_4521",
    "document_locale": "en",
    "provider_payment_methods": ["card"],
}
NOWHERE = dict.fromkeys(("address_line1", "address_line2", "city", "zipcode", "state", "country"))


def lago_id(*parts):
    """The same id for the same object, however often it is made."""
    return str(uuid5(NAMESPACE_URL, "/".join(map(str, parts))))


def metric(code="api_calls", **fields):
    return {
        "lago_id": lago_id("metric", code),
        "name": code.replace("_", " ").capitalize(),
        "code": code,
        "description": None,
        "aggregation_type": "sum_agg",
        "weighted_interval": None,
        "recurring": False,
        "rounding_function": None,
        "rounding_precision": None,
        "created_at": CREATED,
        "field_name": "value",
        "expression": None,
        "filters": [],
        "active_subscriptions_count": 0,
        "draft_invoices_count": 0,
        "plans_count": 0,
    } | fields


def charge(code="api_calls", amount="0.05", **fields):
    return {
        "lago_id": lago_id("charge", code),
        "lago_billable_metric_id": lago_id("metric", code),
        "billable_metric_code": code,
        "code": code,
        "invoice_display_name": None,
        "created_at": CREATED,
        "charge_model": "standard",
        "invoiceable": True,
        "regroup_paid_fees": None,
        "pay_in_advance": False,
        "prorated": False,
        "min_amount_cents": 0,
        "properties": {"amount": amount},
        "filters": [],
        "taxes": [
            {"lago_id": lago_id("tax"), "name": "HST", "code": "hst", "rate": 13.0, "created_at": CREATED}
        ],
        "applied_pricing_unit": None,
        "accepts_target_wallet": False,
    } | fields


def plan(code="pro", *charges, **fields):
    return {
        "lago_id": lago_id("plan", code),
        "name": code.capitalize(),
        "invoice_display_name": None,
        "created_at": CREATED,
        "code": code,
        "interval": "monthly",
        "description": None,
        "amount_cents": 4900,
        "amount_currency": "CAD",
        "trial_period": 0.0,
        "pay_in_advance": False,
        "bill_charges_monthly": None,
        "bill_fixed_charges_monthly": None,
        "customers_count": 0,
        "active_subscriptions_count": 0,
        "draft_invoices_count": 0,
        "parent_id": None,
        "pending_deletion": False,
        "charges": list(charges),
        "fixed_charges": [],
        "usage_thresholds": [],
        "taxes": [],
        "minimum_commitment": None,
    } | fields


def customer(external_id="acme", **fields):
    return {
        "lago_id": lago_id("customer", external_id),
        "billing_entity_code": "nexa",
        "external_id": external_id,
        "account_type": "customer",
        "name": external_id.capitalize(),
        "firstname": None,
        "lastname": None,
        "customer_type": None,
        "sequential_id": 1,
        "slug": "NEX-001",
        "created_at": CREATED,
        "updated_at": CREATED,
        "country": "CA",
        "address_line1": "1 Main St",
        "address_line2": None,
        "state": None,
        "zipcode": None,
        "city": "Toronto",
        "email": f"billing@{external_id}.example",
        "url": None,
        "phone": None,
        "logo_url": None,
        "legal_name": None,
        "legal_number": None,
        "currency": "CAD",
        "tax_identification_number": None,
        "timezone": None,
        "applicable_timezone": "UTC",
        "net_payment_term": None,
        "external_salesforce_id": None,
        "finalize_zero_amount_invoice": "inherit",
        "skip_invoice_custom_sections": False,
        "billing_configuration": BILLING,
        "shipping_address": NOWHERE,
        "metadata": [
            {
                "lago_id": lago_id("metadata", external_id),
                "key": "tier",
                "value": "gold",
                "display_in_invoice": False,
                "created_at": CREATED,
            }
        ],
        "taxes": [],
    } | fields


def subscription(external_id="sub-1", customer="acme", plan_code="pro", **fields):
    started_at = fields.get("started_at", "2024-03-10T08:30:00.000Z")
    return {
        "lago_id": lago_id("subscription", external_id, plan_code),
        "external_id": external_id,
        "lago_customer_id": lago_id("customer", customer),
        "external_customer_id": customer,
        "name": None,
        "plan_code": plan_code,
        "plan_amount_cents": 4900,
        "plan_amount_currency": "CAD",
        "status": "active",
        "billing_time": "calendar",
        "subscription_at": started_at,
        "started_at": started_at,
        "trial_ended_at": None,
        "ending_at": None,
        "terminated_at": None,
        "canceled_at": None,
        "created_at": CREATED,
        "previous_plan_code": None,
        "next_plan_code": None,
        "downgrade_plan_date": None,
        "current_billing_period_started_at": "2026-11-01T00:00:00Z",
        "current_billing_period_ending_at": "2026-11-30T23:59:59Z",
        "on_termination_credit_note": None,
        "on_termination_invoice": "generate",
        "progressive_billing_disabled": False,
    } | fields


def endpoint(url="https://hooks.nexa.example/lago", **fields):
    return {
        "lago_id": lago_id("endpoint", url),
        "lago_organization_id": lago_id("organization"),
        "webhook_url": url,
        "signature_algo": "hmac",
        "name": None,
        "event_types": None,
        "created_at": CREATED,
    } | fields


def small_world():
    """One of each, and a plan with a filter."""
    filtered = charge(
        "storage",
        charge_model="graduated",
        properties={
            "graduated_ranges": [
                {"from_value": 0, "to_value": 10, "per_unit_amount": "0", "flat_amount": "0"},
                {"from_value": 11, "to_value": None, "per_unit_amount": "0.25", "flat_amount": "1"},
            ],
            "grouped_by": ["team"],
            "pricing_group_keys": ["team"],
        },
        filters=[
            {
                "invoice_display_name": "Europe",
                "properties": {
                    "graduated_ranges": [
                        {"from_value": 0, "to_value": None, "per_unit_amount": "0.5", "flat_amount": "0"}
                    ]
                },
                "values": {"region": ["eu"]},
            }
        ],
    )
    return {
        "billable_metrics": [
            metric(),
            metric("storage", filters=[{"key": "region", "values": ["eu", "us"]}]),
        ],
        "plans": [plan("pro", charge(), filtered)],
        "customers": [customer()],
        "subscriptions": [subscription()],
        "webhook_endpoints": [endpoint()],
    }
