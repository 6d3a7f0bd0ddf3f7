"""/subscriptions/{external_id}/charges: the charges of its plan, which are its own (Lago: subscriptions, charges)."""

from rest_framework.request import Request
from rest_framework.response import Response

from ingest.api import charge_filters, plan_charges
from ingest.api.charge_filters import FilterAnswer, FiltersAnswer
from ingest.api.charges import UNKNOWN_CHARGE
from ingest.api.openapi import PAGES, describe
from ingest.api.plan_charges import ChargeAnswer, ChargesAnswer, charges_of
from ingest.api.subscriptions import STATUS, find_subscription
from ingest.api.view import ApiView
from ingest.models import Charge, SubscriptionStatus


class SubscriptionChargeLookup(ApiView):
    """Finds charges by the subscription that has them."""

    resource = "subscription"

    def find_plan_id(self, request: Request, external_id: str) -> int:
        """The plan of the subscription that is meant; raises ApiError 404."""
        query = request.query_params
        status = query.get("subscription_status") or query.get("status") or SubscriptionStatus.ACTIVE
        return find_subscription(self.caller.service_id, external_id, status).plan_id

    def find_charge(self, request: Request, external_id: str, charge_code: str) -> Charge:
        """The charge of that code; raises ApiError 404."""
        rows = charges_of(self.find_plan_id(request, external_id))
        charge = rows.filter(code=charge_code).first()
        if charge is None:
            raise UNKNOWN_CHARGE
        return charge


class SubscriptionChargesView(SubscriptionChargeLookup):
    """All charges that a subscription has."""

    @describe(
        "list_subscription_charges",
        "List a subscription's charges",
        tag="subscriptions",
        answer=ChargesAnswer,
        query=(STATUS, *PAGES),
        refuses=(404,),
        description="Those of its plan: there are no prices of one subscription alone.",
    )
    def get(self, request: Request, external_id: str) -> Response:
        """One page of charges, the newest first."""
        return plan_charges.show_page(charges_of(self.find_plan_id(request, external_id)), request)


class SubscriptionChargeView(SubscriptionChargeLookup):
    """One charge that a subscription has, by its code."""

    @describe(
        "get_subscription_charge",
        "Get a subscription's charge",
        tag="subscriptions",
        answer=ChargeAnswer,
        query=(STATUS,),
        refuses=(404,),
    )
    def get(self, request: Request, external_id: str, charge_code: str) -> Response:
        """The charge of that code."""
        return plan_charges.show_one(self.find_charge(request, external_id, charge_code))


class SubscriptionFiltersView(SubscriptionChargeLookup):
    """All filters of a charge that a subscription has."""

    @describe(
        "list_subscription_charge_filters",
        "List the filters of a subscription's charge",
        tag="subscriptions",
        answer=FiltersAnswer,
        query=(STATUS, *PAGES),
        refuses=(404,),
    )
    def get(self, request: Request, external_id: str, charge_code: str) -> Response:
        """One page of filters, in their order."""
        return charge_filters.show_page(self.find_charge(request, external_id, charge_code), request)


class SubscriptionFilterView(SubscriptionChargeLookup):
    """One filter of a charge that a subscription has, by its id."""

    @describe(
        "get_subscription_charge_filter",
        "Get a filter of a subscription's charge",
        tag="subscriptions",
        answer=FilterAnswer,
        query=(STATUS,),
        refuses=(404,),
    )
    def get(self, request: Request, external_id: str, charge_code: str, filter_id: str) -> Response:
        """The filter of that id."""
        charge = self.find_charge(request, external_id, charge_code)
        return Response({"filter": charge_filters.find_filter(charge, filter_id)})
