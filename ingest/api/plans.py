"""/plans: what a service sells, with its charges (Lago: plans)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import uuid5

import msgspec
from django.db.models import Prefetch, QuerySet
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from ingest.api.charges import UNKNOWN_CHARGE, UNKNOWN_METRIC, PlanCharge, refusing_prices, show_charge
from ingest.api.errors import ApiError, refuse_fields
from ingest.api.inputs import read_input
from ingest.api.openapi import PAGES, describe, envelop, list_of
from ingest.api.pagination import paginate
from ingest.api.rendering import render_second
from ingest.api.view import ApiView
from ingest.inputs.plans import LONG, PlanInput, to_charges, to_columns, to_price
from ingest.models import Charge, Plan, PlanVersion
from ingest.plans import PlanPrice, change_plan, create_plan, delete_plan
from ingest.prices import current
from ingest.rating.money import to_cents

REFUSALS: Mapping[str, ApiError] = {
    "code_is_taken": refuse_fields({"code": ["value_already_exist"]}),
    "unknown_plan": ApiError(404, code="plan_not_found"),
    "unknown_metric": UNKNOWN_METRIC,
    "unknown_charge": UNKNOWN_CHARGE,
    "plan_in_use": ApiError(405, code="plan_in_use"),
}


class Commitment(msgspec.Struct):
    """What a full period costs at least."""

    lago_id: str
    plan_code: str
    amount_cents: int
    interval: str
    invoice_display_name: str | None
    created_at: str
    updated_at: str
    taxes: list[dict[str, Any]]


class ServicePlan(msgspec.Struct):
    """A plan as the API returns it, with Lago's field names; taxes are Odoo's."""

    lago_id: str
    name: str
    invoice_display_name: str | None
    created_at: str
    code: str
    interval: str
    description: str | None
    amount_cents: int
    amount_currency: str
    trial_period: int
    pay_in_advance: bool
    bill_charges_monthly: bool | None
    bill_fixed_charges_monthly: bool | None
    minimum_commitment: Commitment | None
    charges: list[PlanCharge]
    fixed_charges: list[dict[str, Any]]
    usage_thresholds: list[dict[str, Any]]
    taxes: list[dict[str, Any]]
    metadata: dict[str, str | None] | None
    applicable_usage_thresholds: list[dict[str, Any]] = []
    entitlements: list[dict[str, Any]] = []


PlanAnswer = envelop("plan", ServicePlan, "PlanAnswer")
PlansAnswer = list_of("plans", ServicePlan, "PlansAnswer")


def show_plan(plan: Plan, now: datetime) -> ServicePlan:
    """The answer that tells of a plan, with the prices it has now; `plan` as `plans_of` reads it."""
    version = current(list(plan.versions.all()), now) or PlanVersion()
    return ServicePlan(
        lago_id=str(plan.public_id),
        name=plan.name,
        invoice_display_name=plan.invoice_display_name or None,
        created_at=render_second(plan.created_at),
        code=plan.code,
        interval=plan.interval,
        description=plan.description or None,
        amount_cents=to_cents(version.amount, plan.currency),
        amount_currency=plan.currency,
        trial_period=version.trial_days,
        pay_in_advance=plan.is_pay_in_advance,
        bill_charges_monthly=False if plan.interval in LONG else None,
        bill_fixed_charges_monthly=None,
        minimum_commitment=_show_commitment(plan, version),
        charges=[shown for charge in plan.charges.all() if (shown := show_charge(charge, now))],
        fixed_charges=[],
        usage_thresholds=[],
        taxes=[],
        metadata=plan.metadata,
    )


def _show_commitment(plan: Plan, version: PlanVersion) -> Commitment | None:
    if not version.minimum_commitment:
        return None
    return Commitment(
        lago_id=str(uuid5(plan.public_id, "minimum_commitment")),
        plan_code=plan.code,
        amount_cents=to_cents(version.minimum_commitment, plan.currency),
        interval=plan.interval,
        invoice_display_name=plan.commitment_display_name or None,
        created_at=render_second(version.created_at),
        updated_at=render_second(version.created_at),
        taxes=[],
    )


def plans_of(service_id: int) -> QuerySet[Plan]:
    """A service's plans with what `show_plan` tells of them."""
    return with_prices(Plan.objects.filter(service=service_id, deleted_at=None))


def with_prices(plans: QuerySet[Plan]) -> QuerySet[Plan]:
    """The plans with what `show_plan` tells of them, in a fixed number of queries."""
    charges = Charge.objects.filter(deleted_at=None).select_related("metric", "plan").order_by("pk")
    return plans.prefetch_related("versions", Prefetch("charges", charges.prefetch_related("versions")))


class PlansView(ApiView):
    """All plans of the service."""

    resource = "plan"

    @describe("list_plans", "List plans", tag="plans", answer=PlansAnswer, query=PAGES)
    def get(self, request: Request) -> Response:
        """One page of plans, the newest first."""
        rows, meta = paginate(plans_of(self.caller.service_id).order_by("-pk"), request.query_params)
        now = timezone.now()
        return Response({"plans": [show_plan(row, now) for row in rows], "meta": meta})

    @describe(
        "create_plan",
        "Create a plan",
        tag="plans",
        takes={"plan": PlanInput()},
        answer=PlanAnswer,
        refuses=(404,),
    )
    def post(self, request: Request) -> Response:
        """A new plan with its charges; its code must be free."""
        values = read_input(self.body, root="plan", serializer=PlanInput)
        currency = values["amount_currency"]
        with refusing_prices(self, REFUSALS):
            plan = create_plan(
                service_id=self.caller.service_id,
                values=to_columns(values),
                price=PlanPrice(**to_price(values, currency)),
                charges=to_charges(values, currency, is_new=True) or [],
                rule=self.caller.rule,
            )
        return _answer(plan)


class PlanView(ApiView):
    """One plan, by its code."""

    resource = "plan"

    @describe("get_plan", "Get a plan", tag="plans", answer=PlanAnswer, refuses=(404,))
    def get(self, request: Request, code: str) -> Response:
        """The plan of that code."""
        return Response({"plan": show_plan(self._find(code), timezone.now())})

    @describe(
        "update_plan",
        "Change a plan",
        description="Changes what is given. A price changes from now on: periods that ended stay as they were."
        " `charges` are all that the plan is to have: one that is left out is removed. Once the plan has a"
        " subscription, its code, interval, currency and pay_in_advance stay.",
        tag="plans",
        takes={"plan": PlanInput(partial=True)},
        answer=PlanAnswer,
        refuses=(404,),
    )
    def put(self, request: Request, code: str) -> Response:
        """Changes what is given; the rest stays."""
        plan = self._find(code)
        values = read_input(
            self.body, root="plan", serializer=PlanInput, is_partial=True, interval=plan.interval
        )
        currency = values.get("amount_currency", plan.currency)
        with refusing_prices(self, REFUSALS):
            changed = change_plan(
                plan=plan,
                values=to_columns(values),
                price=to_price(values, currency),
                charges=to_charges(values, currency, is_new=False),
                rule=self.caller.rule,
            )
        return _answer(changed)

    @describe(
        "delete_plan",
        "Delete a plan",
        description="While a subscription runs on it, a plan is in use: 405, and nothing changes.",
        tag="plans",
        answer=PlanAnswer,
        refuses=(404, 405),
    )
    def delete(self, request: Request, code: str) -> Response:
        """Deletes a plan that no subscription runs on."""
        plan = self._find(code)
        with refusing_prices(self, REFUSALS):
            delete_plan(plan=plan, rule=self.caller.rule)
        return Response({"plan": show_plan(plan, timezone.now())})

    def _find(self, code: str) -> Plan:
        return find_plan(self.caller.service_id, code)


def find_plan(service_id: int, code: str) -> Plan:
    """The service's plan of that code, as `plans_of` reads it; raises ApiError 404."""
    plan = plans_of(service_id).filter(code=code).first()
    if plan is None:
        raise REFUSALS["unknown_plan"]
    return plan


def _answer(plan: Plan) -> Response:
    return Response({"plan": show_plan(plans_of(plan.service_id).get(pk=plan.pk), timezone.now())})
