"""/plans/{code}/charges: one charge of a plan at a time (Lago: plans, charges)."""

from collections.abc import Mapping

from django.db.models import QuerySet
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from ingest.api.charges import UNKNOWN_CHARGE, PlanCharge, refusing_prices, show_charge
from ingest.api.errors import ApiError
from ingest.api.inputs import read_input
from ingest.api.openapi import PAGES, describe, envelop, list_of
from ingest.api.pagination import paginate
from ingest.api.plans import find_plan
from ingest.api.view import ApiView
from ingest.inputs.charges import ChargeInput, read_charge
from ingest.models import Charge
from ingest.plan_charges import ChargeRequest
from ingest.single_charges import add_charge, change_charge, remove_charge

ChargeAnswer = envelop("charge", PlanCharge, "ChargeAnswer")
ChargesAnswer = list_of("charges", PlanCharge, "ChargesAnswer")

NO_METRIC = ApiError(404, code="billable_metric_not_found")
REFUSALS: Mapping[str, ApiError] = {
    "unknown_plan": ApiError(404, code="plan_not_found"),
    "unknown_charge": UNKNOWN_CHARGE,
    "unknown_metric": NO_METRIC,
}


class PlanChargesView(ApiView):
    """All charges of a plan."""

    resource = "plan"

    @describe(
        "list_plan_charges",
        "List a plan's charges",
        tag="plans",
        answer=ChargesAnswer,
        query=PAGES,
        refuses=(404,),
    )
    def get(self, request: Request, plan_code: str) -> Response:
        """One page of charges, the newest first."""
        plan = find_plan(self.caller.service_id, plan_code)
        return show_page(charges_of(plan.pk), request)

    @describe(
        "create_plan_charge",
        "Add a charge to a plan",
        tag="plans",
        takes={"charge": ChargeInput()},
        answer=ChargeAnswer,
        refuses=(404,),
        description="In a plan that has had a subscription it prices from now on.",
    )
    def post(self, request: Request, plan_code: str) -> Response:
        """One more charge."""
        plan = find_plan(self.caller.service_id, plan_code)
        values = read_input(self.body, root="charge", serializer=ChargeInput)
        with refusing_prices(self, REFUSALS):
            wanted = read_charge(values, currency=plan.currency, is_new=True)
            if wanted.metric_id is None:
                raise NO_METRIC
            charge = add_charge(plan=plan, request=wanted, rule=self.caller.rule)
        return show_one(charge)


class PlanChargeView(ApiView):
    """One charge of a plan, by its code."""

    resource = "plan"

    @describe("get_plan_charge", "Get a plan's charge", tag="plans", answer=ChargeAnswer, refuses=(404,))
    def get(self, request: Request, plan_code: str, charge_code: str) -> Response:
        """The charge of that code."""
        return show_one(find_charge(self.caller.service_id, plan_code, charge_code))

    @describe(
        "update_plan_charge",
        "Change a plan's charge",
        tag="plans",
        takes={"charge": ChargeInput(partial=True)},
        answer=ChargeAnswer,
        refuses=(404,),
        description="What is given changes; a price that changes is a new version from now on. Its metric stays.",
    )
    def put(self, request: Request, plan_code: str, charge_code: str) -> Response:
        """Changes what is given; the rest stays."""
        charge = find_charge(self.caller.service_id, plan_code, charge_code)
        values = read_input(self.body, root="charge", serializer=ChargeInput, is_partial=True)
        with refusing_prices(self, REFUSALS):
            wanted: ChargeRequest = read_charge(values, currency=charge.plan.currency, is_new=True)
            change_charge(charge=charge, request=wanted, rule=self.caller.rule)
        return show_one(charge)

    @describe(
        "delete_plan_charge",
        "Remove a plan's charge",
        tag="plans",
        answer=ChargeAnswer,
        refuses=(404,),
        description="It prices no period that ends from now on.",
    )
    def delete(self, request: Request, plan_code: str, charge_code: str) -> Response:
        """Removes it."""
        charge = find_charge(self.caller.service_id, plan_code, charge_code)
        with refusing_prices(self, REFUSALS):
            remove_charge(charge=charge, rule=self.caller.rule)
        return show_one(charge)


def charges_of(plan_id: int) -> QuerySet[Charge]:
    """A plan's charges that have a price, with what `show_charge` tells of them."""
    rows = Charge.objects.filter(plan=plan_id, deleted_at=None, versions__isnull=False).distinct()
    return rows.select_related("metric", "plan__service").prefetch_related("versions")


def find_charge(service_id: int, plan_code: str, charge_code: str) -> Charge:
    """The charge of that code of the service's plan; raises ApiError 404 for either."""
    plan = find_plan(service_id, plan_code)
    charge = charges_of(plan.pk).filter(code=charge_code).first()
    if charge is None:
        raise UNKNOWN_CHARGE
    return charge


def show_page(rows: QuerySet[Charge], request: Request) -> Response:
    """One page of a plan's charges, the newest first."""
    page, meta = paginate(rows.order_by("-pk"), request.query_params)
    now = timezone.now()
    return Response({"charges": [shown for row in page if (shown := show_charge(row, now))], "meta": meta})


def show_one(charge: Charge) -> Response:
    """The answer that tells of one charge, as it is stored."""
    rows = Charge.objects.select_related("metric", "plan__service").prefetch_related("versions")
    return Response({"charge": show_charge(rows.get(pk=charge.pk), timezone.now())})
