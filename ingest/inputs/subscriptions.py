"""What a service says of a subscription, checked field by field (Lago: subscriptions)."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from ingest.errors import DomainError
from ingest.inputs.codes import InstantField
from ingest.inputs.customers import optional_text, text_list
from ingest.inputs.fields import TextField, refuse_value
from ingest.models import BillingTime

CREDIT_NOTES = ("credit", "refund", "offset", "skip")
INVOICES = ("generate", "skip")
# What has a column of the model; everything else that is said is its profile.
COLUMNS = ("name", "billing_time", "subscription_at", "ending_at")
NAMES = ("external_customer_id", "plan_code", "external_id")
# What Lago sells as a feature, and what would change what is billed: said to be missing rather than ignored.
FEATURES = ("plan_overrides", "usage_thresholds", "activation_rules")


class PaymentMethodInput(serializers.Serializer):
    """How it is paid."""

    payment_method_type = optional_text()
    payment_method_id = optional_text()


class InvoiceSectionsInput(serializers.Serializer):
    """What its invoices say."""

    skip_invoice_custom_sections = serializers.BooleanField(required=False)
    invoice_custom_section_codes = text_list()


class SubscriptionChange(serializers.Serializer):
    """What of a subscription may change; an empty `ending_at` takes the agreed end back."""

    name = optional_text()
    subscription_at = InstantField(required=False)
    ending_at = InstantField(required=False, allow_empty=True)
    on_termination_credit_note = serializers.ChoiceField(choices=CREDIT_NOTES, required=False)
    on_termination_invoice = serializers.ChoiceField(choices=INVOICES, required=False)
    progressive_billing_disabled = serializers.BooleanField(required=False)
    billing_entity_code = optional_text()
    payment_method = PaymentMethodInput(required=False)
    consolidate_invoice = serializers.BooleanField(required=False)
    purchase_order_number = optional_text()
    invoice_custom_section = InvoiceSectionsInput(required=False)
    plan_overrides = serializers.DictField(required=False)
    usage_thresholds = serializers.ListField(required=False)
    activation_rules = serializers.ListField(required=False)


class SubscriptionInput(SubscriptionChange):
    """A customer on a plan."""

    external_customer_id = TextField()
    plan_code = optional_text()
    external_id = TextField()
    billing_time = serializers.ChoiceField(choices=BillingTime.choices, required=False)

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        """It ends after it starts."""
        starts_at, ends_at = values.get("subscription_at"), values.get("ending_at")
        if starts_at and ends_at and ends_at <= starts_at:
            raise serializers.ValidationError({"ending_at": refuse_value("invalid_date").detail})
        return values


class Termination(serializers.Serializer):
    """How a subscription is settled that ends."""

    on_termination_credit_note = serializers.ChoiceField(choices=CREDIT_NOTES, required=False)
    on_termination_invoice = serializers.ChoiceField(choices=INVOICES, required=False)


def to_columns(values: Mapping[str, Any]) -> dict[str, Any]:
    """Lago's fields as the model's columns; refuses a feature that there is not (`feature_unavailable`)."""
    if any(values.get(name) for name in FEATURES):
        raise DomainError(
            "feature_unavailable", "There are no prices of one subscription alone, nor thresholds."
        )
    columns = {name: values[name] for name in COLUMNS if name in values}
    known = (*COLUMNS, *NAMES, *FEATURES)
    return {**columns, "profile": {name: values[name] for name in values if name not in known}}
