"""/customers: whom a service sells to (Lago: customers)."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from django.db.models import Q, QuerySet
from django.http import QueryDict
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from ingest.api.errors import ApiError, refuse_fields
from ingest.api.inputs import read_input
from ingest.api.openapi import PAGES, describe, envelop, list_of
from ingest.api.pagination import paginate
from ingest.api.rendering import render_second
from ingest.api.view import ApiView
from ingest.calendar import customer_timezone
from ingest.customers import STRIPE, delete_customer, upsert_customer
from ingest.inputs.customers import CustomerInput, to_columns
from ingest.models import Customer as CustomerRow

REFUSALS: Mapping[str, ApiError] = {
    "unknown_customer": ApiError(404, code="customer_not_found"),
    "currencies_differ": refuse_fields({"currency": ["currencies_does_not_match"]}),
    "periods_are_billed": refuse_fields({"timezone": ["value_is_locked"]}),
}


class Address(msgspec.Struct):
    """Where something is sent."""

    address_line1: str | None = None
    address_line2: str | None = None
    city: str | None = None
    zipcode: str | None = None
    state: str | None = None
    country: str | None = None


class BillingConfiguration(msgspec.Struct):
    """How a customer is billed."""

    invoice_grace_period: int | None = None
    payment_provider: str | None = None
    payment_provider_code: str | None = None
    provider_customer_id: str | None = None
    sync: bool | None = None
    sync_with_provider: bool | None = None
    document_locale: str | None = None
    provider_payment_methods: list[str] | None = None
    subscription_invoice_issuing_date_anchor: str | None = None
    subscription_invoice_issuing_date_adjustment: str | None = None


class Metadata(msgspec.Struct):
    """One thing that the service notes."""

    lago_id: str
    key: str
    value: str
    display_in_invoice: bool = False


class IntegrationCustomer(msgspec.Struct):
    """What the customer is in another system."""

    lago_id: str
    type: str | None
    integration_code: str | None
    external_customer_id: str | None
    subsidiary_id: str | None
    sync_with_provider: bool | None


class Customer(msgspec.Struct, kw_only=True):
    """A customer as the API returns it, with Lago's field names; Odoo taxes, so that there are no taxes here."""

    lago_id: str
    billing_entity_code: str | None = None
    external_id: str
    account_type: str = "customer"
    name: str | None
    firstname: str | None = None
    lastname: str | None = None
    customer_type: str | None = None
    sequential_id: int | None = None
    slug: str | None = None
    created_at: str
    updated_at: str
    country: str | None = None
    address_line1: str | None = None
    address_line2: str | None = None
    state: str | None = None
    zipcode: str | None = None
    city: str | None = None
    email: str | None
    url: str | None = None
    phone: str | None = None
    logo_url: str | None = None
    legal_name: str | None = None
    legal_number: str | None = None
    currency: str | None
    tax_identification_number: str | None = None
    timezone: str | None
    applicable_timezone: str
    net_payment_term: int | None = None
    external_salesforce_id: str | None = None
    finalize_zero_amount_invoice: str = "inherit"
    billing_configuration: BillingConfiguration
    shipping_address: Address
    skip_invoice_custom_sections: bool = False
    metadata: list[Metadata]
    tax_codes: list[str] = []
    invoice_custom_section_codes: list[str] = []
    taxes: list[dict[str, Any]] = []
    integration_customers: list[IntegrationCustomer]
    applicable_invoice_custom_sections: list[dict[str, Any]] = []


CustomerAnswer = envelop("customer", Customer, "CustomerAnswer")
CustomersAnswer = list_of("customers", Customer, "CustomersAnswer")
# What has a shape of its own in the answer; the rest of a profile is answered as it was sent.
SHAPED = ("billing_configuration", "shipping_address", "metadata", "integration_customers")


def show_customer(customer: CustomerRow) -> Customer:
    """The answer that tells of a customer; needs its service."""
    profile = customer.profile
    plain = {
        name: profile[name] for name in Customer.__struct_fields__ if name in profile and name not in SHAPED
    }
    return Customer(
        lago_id=str(customer.public_id),
        external_id=customer.external_id,
        name=customer.name or None,
        email=customer.email or None,
        currency=customer.currency or None,
        timezone=customer.timezone or None,
        applicable_timezone=customer_timezone(customer).key,
        created_at=render_second(customer.created_at),
        updated_at=render_second(customer.updated_at),
        billing_configuration=_show_billing(customer),
        shipping_address=Address(**profile.get("shipping_address", {})),
        metadata=[Metadata(**entry) for entry in profile.get("metadata", ())],
        integration_customers=[
            _show_integration(entry) for entry in profile.get("integration_customers", ())
        ],
        **plain,
    )


def _show_billing(customer: CustomerRow) -> BillingConfiguration:
    shown = BillingConfiguration(**customer.profile.get("billing_configuration", {}))
    if customer.stripe_customer_id and shown.payment_provider in (None, STRIPE):
        shown.payment_provider, shown.provider_customer_id = STRIPE, customer.stripe_customer_id
    return shown


def _show_integration(entry: Mapping[str, Any]) -> IntegrationCustomer:
    return IntegrationCustomer(
        lago_id=entry["lago_id"],
        type=entry.get("integration_type"),
        integration_code=entry.get("integration_code"),
        external_customer_id=entry.get("external_customer_id"),
        subsidiary_id=entry.get("subsidiary_id"),
        sync_with_provider=entry.get("sync_with_provider"),
    )


class CustomersView(ApiView):
    """All customers of the service."""

    resource = "customer"

    @describe(
        "list_customers",
        "List customers",
        tag="customers",
        answer=CustomersAnswer,
        query=(*PAGES, *(OpenApiParameter(name) for name in ("search_term", "external_id", "customer_type"))),
        description="Also by currencies[], countries[], states[], zipcodes[], account_type[],"
        " billing_entity_codes[], has_tax_identification_number, has_customer_type and metadata[key].",
    )
    def get(self, request: Request) -> Response:
        """One page of customers, the newest first."""
        rows = filter_customers(customers_of(self.caller.service_id), request.query_params)
        page, meta = paginate(rows.order_by("-pk"), request.query_params)
        return Response({"customers": [show_customer(row) for row in page], "meta": meta})

    @describe(
        "create_customer",
        "Make or change a customer",
        tag="customers",
        takes={"customer": CustomerInput()},
        answer=CustomerAnswer,
        description="The customer of `external_id` is made, or changed by what is given; a deleted one is the"
        " same one again. Its time zone is locked once a period was billed by it, its currency once it has a"
        " subscription.",
    )
    def post(self, request: Request) -> Response:
        """Makes a customer, or changes what is given of it."""
        values = read_input(self.body, root="customer", serializer=CustomerInput)
        with self.refusing(REFUSALS):
            customer = upsert_customer(
                service_id=self.caller.service_id, values=to_columns(values), rule=self.caller.rule
            )
        return Response({"customer": show_customer(customer)})


class CustomerView(ApiView):
    """One customer, by its external id."""

    resource = "customer"

    @describe("get_customer", "Get a customer", tag="customers", answer=CustomerAnswer, refuses=(404,))
    def get(self, request: Request, external_id: str) -> Response:
        """The customer of that external id."""
        return Response({"customer": show_customer(self._find(external_id))})

    @describe(
        "delete_customer",
        "Delete a customer",
        description="What it has running ends now, what it has pending is canceled.",
        tag="customers",
        answer=CustomerAnswer,
        refuses=(404,),
    )
    def delete(self, request: Request, external_id: str) -> Response:
        """Deletes a customer with its subscriptions."""
        with self.refusing(REFUSALS):
            customer = delete_customer(customer=self._find(external_id), rule=self.caller.rule)
        return Response({"customer": show_customer(customer)})

    def _find(self, external_id: str) -> CustomerRow:
        return find_customer(self.caller.service_id, external_id)


def find_customer(service_id: int, external_id: str) -> CustomerRow:
    """The service's customer of that external id; raises ApiError 404."""
    customer = customers_of(service_id).filter(external_id=external_id).first()
    if customer is None:
        raise REFUSALS["unknown_customer"]
    return customer


def customers_of(service_id: int) -> QuerySet[CustomerRow]:
    """The customers that a service has."""
    return CustomerRow.objects.filter(service=service_id, deleted_at=None).select_related("service")


def filter_customers(rows: QuerySet[CustomerRow], query: QueryDict) -> QuerySet[CustomerRow]:
    """Those that a query asks for; what it does not ask for filters nothing (Lago: customers)."""
    for name, condition in FILTERS.items():
        given = [text for text in query.getlist(name) + query.getlist(f"{name}[]") if text]
        if given:
            rows = rows.filter(condition(given))
    for name in query:
        if name.startswith("metadata[") and name.endswith("]"):
            entry = {"key": name[len("metadata[") : -1], "value": query[name]}
            rows = rows.filter(profile__metadata__contains=[entry])
    return rows


def _search(texts: list[str]) -> Q:
    columns = (
        "name",
        "external_id",
        "email",
        "profile__firstname",
        "profile__lastname",
        "profile__legal_name",
    )
    found = Q()
    for column in columns:
        found |= Q(**{f"{column}__icontains": texts[0]})
    return found


def _has(name: str) -> Callable[[list[str]], Q]:
    """Whether the profile says something of that name; an empty text is nothing."""
    says = Q(**{f"profile__{name}__isnull": False}) & ~Q(**{f"profile__{name}": ""})
    return lambda texts: says if texts[0].lower() in ("true", "1") else ~says


# A query's names, each with or without `[]`.
FILTERS: Mapping[str, Callable[[list[str]], Q]] = {
    "search_term": _search,
    "external_id": lambda texts: Q(external_id__in=texts),
    "currencies": lambda texts: Q(currency__in=texts),
    "countries": lambda texts: Q(profile__country__in=[text.upper() for text in texts]),
    "states": lambda texts: Q(profile__state__in=texts),
    "zipcodes": lambda texts: Q(profile__zipcode__in=texts),
    "account_type": lambda texts: (
        Q(profile__account_type__in=texts)
        | (Q(profile__account_type__isnull=True) if "customer" in texts else Q(pk=None))
    ),
    "customer_type": lambda texts: Q(profile__customer_type__in=texts),
    "billing_entity_codes": lambda texts: Q(profile__billing_entity_code__in=texts),
    "has_tax_identification_number": _has("tax_identification_number"),
    "has_customer_type": _has("customer_type"),
}
