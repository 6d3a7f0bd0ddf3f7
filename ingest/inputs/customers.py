"""What a service says of a customer, checked field by field (Lago: customers)."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from ingest.inputs.codes import CountryField, CurrencyField, EmailField, LanguageField, TimezoneField
from ingest.inputs.fields import TextField, refuse_value

PROVIDERS = ("stripe", "gocardless", "cashfree", "adyen", "flutterwave", "moneyhash")
ANCHORS = ("current_period_end", "next_period_start")
ADJUSTMENTS = ("keep_anchor", "align_with_finalization_date")
MOST_METADATA = 5
MOST_LISTED = 100
# A column of four bytes in Lago.
LARGEST = 2**31 - 1
LONGEST_ADDRESS = 2_000
LONGEST_EMAIL = 254

COLUMNS = ("external_id", "name", "email", "timezone", "currency")


def optional_text(**options: Any) -> TextField:
    """A text that may be left out or be empty."""
    return TextField(required=False, allow_blank=True, **options)


def text_list() -> serializers.ListField:
    """A list of codes or names."""
    return serializers.ListField(child=TextField(), required=False, max_length=MOST_LISTED)


class AddressInput(serializers.Serializer):
    """Where something is sent."""

    address_line1 = optional_text()
    address_line2 = optional_text()
    city = optional_text()
    zipcode = optional_text()
    state = optional_text()
    country = CountryField(required=False, allow_blank=True)


class BillingConfigurationInput(serializers.Serializer):
    """How a customer is billed; with Stripe the provider's id is the account link's."""

    invoice_grace_period = serializers.IntegerField(required=False, min_value=0, max_value=LARGEST)
    payment_provider = serializers.ChoiceField(choices=PROVIDERS, required=False)
    payment_provider_code = optional_text()
    provider_customer_id = optional_text()
    sync = serializers.BooleanField(required=False)
    sync_with_provider = serializers.BooleanField(required=False)
    document_locale = LanguageField(required=False, allow_blank=True)
    provider_payment_methods = text_list()
    subscription_invoice_issuing_date_anchor = serializers.ChoiceField(choices=ANCHORS, required=False)
    subscription_invoice_issuing_date_adjustment = serializers.ChoiceField(
        choices=ADJUSTMENTS, required=False
    )


class MetadataInput(serializers.Serializer):
    """One thing that the service notes."""

    id = TextField(required=False)
    key = TextField()
    value = TextField(allow_blank=True)
    display_in_invoice = serializers.BooleanField(required=False)


class IntegrationInput(serializers.Serializer):
    """What the customer is in another system."""

    id = TextField(required=False)
    external_customer_id = optional_text()
    integration_type = optional_text()
    integration_code = optional_text()
    subsidiary_id = optional_text()
    sync_with_provider = serializers.BooleanField(required=False)


class CustomerInput(serializers.Serializer):
    """A customer; what is not given stays as it is."""

    external_id = TextField()
    name = optional_text()
    firstname = optional_text()
    lastname = optional_text()
    customer_type = serializers.ChoiceField(choices=("company", "individual"), required=False)
    account_type = serializers.ChoiceField(choices=("customer", "partner"), required=False)
    email = EmailField(required=False, allow_blank=True, max_length=LONGEST_EMAIL)
    phone = optional_text()
    url = optional_text(max_length=LONGEST_ADDRESS)
    logo_url = optional_text(max_length=LONGEST_ADDRESS)
    legal_name = optional_text()
    legal_number = optional_text()
    tax_identification_number = optional_text()
    country = CountryField(required=False, allow_blank=True)
    address_line1 = optional_text()
    address_line2 = optional_text()
    city = optional_text()
    state = optional_text()
    zipcode = optional_text()
    shipping_address = AddressInput(required=False)
    currency = CurrencyField(required=False)
    timezone = TimezoneField(required=False, allow_blank=True)
    net_payment_term = serializers.IntegerField(required=False, min_value=0, max_value=LARGEST)
    external_salesforce_id = optional_text()
    finalize_zero_amount_invoice = serializers.ChoiceField(
        choices=("inherit", "skip", "finalize"), required=False
    )
    billing_entity_code = optional_text()
    tax_codes = text_list()
    invoice_custom_section_codes = text_list()
    skip_invoice_custom_sections = serializers.BooleanField(required=False)
    billing_configuration = BillingConfigurationInput(required=False)
    metadata = MetadataInput(many=True, required=False)
    integration_customers = IntegrationInput(many=True, required=False)

    def validate_metadata(self, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """At most five, each key once."""
        if len(entries) > MOST_METADATA:
            raise refuse_value("invalid_count")
        if len({entry["key"] for entry in entries}) < len(entries):
            raise refuse_value("value_already_exist")
        return entries

    def validate_integration_customers(self, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """One for each kind of system."""
        if len({entry.get("integration_type") for entry in entries}) < len(entries):
            raise refuse_value("invalid_count_per_integration_type")
        return entries


def to_columns(values: Mapping[str, Any]) -> dict[str, Any]:
    """Lago's fields as the model's columns; what has none is its profile."""
    columns = {name: values[name] for name in COLUMNS if name in values}
    return {**columns, "profile": {name: values[name] for name in values if name not in COLUMNS}}
