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


def fee_item(code):
    """What a fee is of, as Lago names it."""
    return {
        "type": "charge",
        "code": code,
        "name": code.replace("_", " ").capitalize(),
        "description": None,
        "invoice_display_name": code.replace("_", " ").capitalize(),
        "filters": None,
        "filter_invoice_display_name": None,
        "lago_item_id": lago_id("metric", code),
        "item_type": "BillableMetric",
        "grouped_by": {},
    }


def fee(code="api_calls", cents=1000, *, tax=130, subscription="sub-1", **fields):
    """A fee as an invoice's detail gives it; a fee of September 2026 in UTC unless told otherwise."""
    item = fee_item(code) | fields.pop("item", {})
    precise = f"{cents // 100}.{cents % 100:02d}"
    return {
        "lago_id": lago_id(
            "fee", code, subscription, cents, repr(sorted(item.items(), key=str)), fields.get("from_date")
        ),
        "lago_charge_id": lago_id("charge", code),
        "lago_charge_filter_id": None,
        "lago_fixed_charge_id": None,
        "lago_invoice_id": None,
        "lago_true_up_fee_id": None,
        "lago_true_up_parent_fee_id": None,
        "lago_original_fee_id": None,
        "lago_subscription_id": lago_id("subscription", subscription, "pro"),
        "external_subscription_id": subscription,
        "lago_customer_id": lago_id("customer", "acme"),
        "external_customer_id": "acme",
        "item": item,
        "pay_in_advance": False,
        "invoiceable": True,
        "amount_cents": cents,
        "amount_currency": "CAD",
        "precise_amount": precise,
        "precise_total_amount": precise,
        "taxes_amount_cents": tax,
        "taxes_precise_amount": f"{tax // 100}.{tax % 100:02d}",
        "taxes_rate": 13.0,
        "total_aggregated_units": "200.0",
        "total_amount_cents": cents + tax,
        "total_amount_currency": "CAD",
        "units": "200.0",
        "description": None,
        "precise_unit_amount": "0.05",
        "precise_coupons_amount_cents": "0.0",
        "sub_total_excluding_taxes_amount_cents": cents,
        "sub_total_excluding_taxes_precise_amount_cents": f"{cents}.0",
        "events_count": 4,
        "payment_status": "pending",
        "created_at": "2026-10-01T01:00:00Z",
        "succeeded_at": None,
        "failed_at": None,
        "refunded_at": None,
        "amount_details": {},
        "self_billed": False,
        "pricing_unit_details": None,
        "presentation_breakdowns": [],
        "from_date": "2026-09-01T00:00:00Z",
        "to_date": "2026-09-30T23:59:59Z",
        "applied_taxes": [],
    } | fields


def invoice(number="LAG-001", *fees, **fields):
    """An invoice whole, its sums as Lago makes them of its fees and of what is taken off."""
    excluded = sum(each["amount_cents"] for each in fees)
    excluded -= fields.get("progressive_billing_credit_amount_cents", 0) + fields.get(
        "coupons_amount_cents", 0
    )
    taxes = fields.get("taxes_amount_cents", sum(each["taxes_amount_cents"] for each in fees))
    settled = fields.get("credit_notes_amount_cents", 0) + fields.get("prepaid_credit_amount_cents", 0)
    return {
        "lago_id": lago_id("invoice", number),
        "billing_entity_code": "nexa",
        "sequential_id": 1,
        "number": number,
        "purchase_order_number": None,
        "issuing_date": "2026-10-01",
        "payment_due_date": "2026-10-01",
        "net_payment_term": 0,
        "invoice_type": "subscription",
        "status": "finalized",
        "payment_status": "pending",
        "payment_dispute_lost_at": None,
        "payment_overdue": False,
        "currency": "CAD",
        "fees_amount_cents": sum(each["amount_cents"] for each in fees),
        "taxes_amount_cents": taxes,
        "progressive_billing_credit_amount_cents": 0,
        "coupons_amount_cents": 0,
        "credit_notes_amount_cents": 0,
        "sub_total_excluding_taxes_amount_cents": excluded,
        "sub_total_including_taxes_amount_cents": excluded + taxes,
        "total_amount_cents": excluded + taxes - settled,
        "total_due_amount_cents": excluded + taxes - settled,
        "total_paid_amount_cents": 0,
        "total_offsetted_credit_note_amount_cents": 0,
        "prepaid_credit_amount_cents": 0,
        "prepaid_granted_credit_amount_cents": 0,
        "prepaid_purchased_credit_amount_cents": 0,
        "file_url": None,
        "xml_url": None,
        "web_url": None,
        "version_number": 4,
        "self_billed": False,
        "created_at": "2026-10-01T01:00:00Z",
        "updated_at": "2026-10-01T01:00:00Z",
        "voided_at": None,
        # The detail alone has these.
        "customer": customer(fees[0]["external_customer_id"] if fees else "acme"),
        "subscriptions": [],
        "billing_periods": [],
        "fees": list(fees),
        "credits": [],
        "metadata": [],
        "applied_taxes": [],
        "error_details": [],
    } | fields


def credit_note(number="LAG-001-CN1", *items, **fields):
    """A credit note of fees, each with the minor units that it takes back; as its list gives it."""
    excluded = sum(cents for _, cents in items) - fields.get("coupons_adjustment_amount_cents", 0)
    taxes = fields.get("taxes_amount_cents", 0)
    return {
        "lago_id": lago_id("credit_note", number),
        "billing_entity_code": "nexa",
        "sequential_id": 1,
        "number": number,
        "lago_invoice_id": lago_id("invoice", "LAG-001"),
        "invoice_number": "LAG-001",
        "purchase_order_number": None,
        "issuing_date": "2026-11-05",
        "credit_status": "available",
        "refund_status": None,
        "reason": "order_change",
        "description": None,
        "currency": "CAD",
        "total_amount_cents": excluded + taxes,
        "taxes_amount_cents": taxes,
        "taxes_rate": 13.0,
        "sub_total_excluding_taxes_amount_cents": excluded,
        "balance_amount_cents": excluded + taxes,
        "credit_amount_cents": excluded + taxes,
        "refund_amount_cents": 0,
        "offset_amount_cents": 0,
        "coupons_adjustment_amount_cents": 0,
        "created_at": "2026-11-05T09:00:00Z",
        "updated_at": "2026-11-05T09:00:00Z",
        "file_url": None,
        "self_billed": False,
        "items": [
            {
                "lago_id": lago_id("item", number, place),
                "amount_cents": cents,
                "amount_currency": "CAD",
                "fee": of_fee,
            }
            for place, (of_fee, cents) in enumerate(items)
        ],
        "applied_taxes": [],
    } | fields
