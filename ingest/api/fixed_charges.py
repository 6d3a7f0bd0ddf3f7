"""/…/fixed_charges: there are none, and a client that looks for some is told so (Lago: fixed charges)."""

from typing import Any

import msgspec
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from ingest.api.errors import ApiError
from ingest.api.openapi import PAGES, describe
from ingest.api.pagination import Meta, read_page
from ingest.api.plans import find_plan
from ingest.api.subscriptions import STATUS, find_subscription
from ingest.api.view import ApiView
from ingest.models import SubscriptionStatus


class FixedChargesAnswer(msgspec.Struct):
    """Always an empty page: the console bills by none."""

    fixed_charges: list[dict[str, Any]]
    meta: Meta


class PlanFixedChargesView(ApiView):
    """The fixed charges of a plan: none."""

    resource = "plan"

    @describe(
        "list_plan_fixed_charges",
        "List a plan's fixed charges: none",
        tag="plans",
        answer=FixedChargesAnswer,
        query=PAGES,
        refuses=(404,),
    )
    def get(self, request: Request, plan_code: str) -> Response:
        """An empty page."""
        find_plan(self.caller.service_id, plan_code)
        return _show_none(request)


class SubscriptionFixedChargesView(ApiView):
    """The fixed charges of a subscription: none."""

    resource = "subscription"

    @describe(
        "list_subscription_fixed_charges",
        "List a subscription's fixed charges: none",
        tag="subscriptions",
        answer=FixedChargesAnswer,
        query=(STATUS, *PAGES),
        refuses=(404,),
    )
    def get(self, request: Request, external_id: str) -> Response:
        """An empty page."""
        status = request.query_params.get("subscription_status") or SubscriptionStatus.ACTIVE
        find_subscription(self.caller.service_id, external_id, status)
        return _show_none(request)


@extend_schema(exclude=True)
class FixedChargeView(ApiView):
    """Any one of them is not found."""

    resource = "plan"

    def get(self, request: Request, **_: str) -> Response:
        """404."""
        raise ApiError(404, code="fixed_charge_not_found")


def _show_none(request: Request) -> Response:
    return Response({"fixed_charges": [], "meta": read_page(request.query_params).describe(0)})
