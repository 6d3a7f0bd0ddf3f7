"""/organizations: the service that a key belongs to, as Lago tells of an organization (Lago: organizations)."""

from collections.abc import Mapping
from typing import Any
from zoneinfo import available_timezones

import msgspec
from django.db import transaction
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ingest.api.errors import ApiError
from ingest.api.inputs import read_input
from ingest.api.openapi import describe, envelop
from ingest.api.rendering import render_second
from ingest.api.view import ApiView
from ingest.configuration import configure
from ingest.inputs.fields import TextField, refuse_value
from ingest.models import Service
from reconciliation.api.webhook_endpoints import REFUSALS
from reconciliation.webhooks import LONGEST_URL, find_endpoints, listen_at

# A service's time zone is where its periods begin and end: a change would meter and bill them anew.
TIMEZONE_IS_FIXED = ApiError(405, code="timezone_is_fixed")
HOURS_OF_A_DAY = 24


class OrganizationInput(serializers.Serializer):
    """What a service may change of itself."""

    name = TextField(required=False, max_length=120)
    timezone = TextField(required=False)
    webhook_url = TextField(required=False, max_length=LONGEST_URL)

    def validate_timezone(self, name: str) -> str:
        """A name that is a time zone."""
        if name not in available_timezones():
            raise refuse_value("invalid_timezone")
        return name


class OrganizationBilling(msgspec.Struct):
    """How invoices are made; the grace is in days, begun ones counted whole."""

    invoice_grace_period: int
    invoice_footer: str | None = None
    document_locale: str = "en"


class Organization(msgspec.Struct):
    """A service as the API returns it, with Lago's field names; what the console does not keep is null."""

    lago_id: str
    name: str
    slug: str
    created_at: str
    webhook_url: str | None
    webhook_urls: list[str]
    timezone: str
    billing_configuration: OrganizationBilling
    default_currency: str | None = None
    country: str | None = None
    address_line1: str | None = None
    address_line2: str | None = None
    state: str | None = None
    zipcode: str | None = None
    email: str | None = None
    city: str | None = None
    legal_name: str | None = None
    legal_number: str | None = None
    net_payment_term: int | None = None
    email_settings: list[str] = []
    document_numbering: str | None = None
    document_number_prefix: str | None = None
    tax_identification_number: str | None = None
    finalize_zero_amount_invoice: bool = True
    events_store: str = "postgres"
    taxes: list[str] = []


OrganizationAnswer = envelop("organization", Organization, "OrganizationAnswer")


def show_organization(service: Service) -> Organization:
    """The answer that tells of a service, with where it listens, the first address first."""
    urls = list(find_endpoints(service.pk).order_by("pk").values_list("url", flat=True))
    return Organization(
        lago_id=str(service.public_id),
        name=service.name,
        slug=service.code,
        created_at=render_second(service.created_at),
        webhook_url=urls[0] if urls else None,
        webhook_urls=urls,
        timezone=service.timezone,
        billing_configuration=OrganizationBilling(-(-service.grace_hours // HOURS_OF_A_DAY)),
    )


class OrganizationView(ApiView):
    """The key's service."""

    resource = "organization"

    @describe("get_organization", "Get the service", tag="organizations", answer=OrganizationAnswer)
    def get(self, request: Request) -> Response:
        """The service that the key belongs to."""
        return Response({"organization": show_organization(self._find())})

    @describe(
        "update_organization",
        "Change the service",
        description="The name changes, and a webhook_url is listened at from then on. A time zone is fixed: 405."
        " Whatever else Lago keeps of an organization is ignored.",
        tag="organizations",
        takes={"organization": OrganizationInput()},
        answer=OrganizationAnswer,
        refuses=(405,),
    )
    def put(self, request: Request) -> Response:
        """Changes all of what is given, or nothing."""
        values = read_input(self.body, root="organization", serializer=OrganizationInput)
        service = self._find()
        if values.get("timezone", service.timezone) != service.timezone:
            raise TIMEZONE_IS_FIXED
        with self.refusing(REFUSALS), transaction.atomic():
            _change(service, values, self.caller.rule)
        return Response({"organization": show_organization(self._find())})

    def _find(self) -> Service:
        return Service.objects.get(pk=self.caller.service_id)


def _change(service: Service, values: Mapping[str, Any], rule: str) -> None:
    if "name" in values:
        configure(service=service, values={"name": values["name"]}, actor=None, rule=rule)
    if "webhook_url" in values:
        listen_at(service=service, url=values["webhook_url"], rule=rule)
