"""/plans/{code}/charges/{code}/filters: one filter of a charge at a time (Lago: charge filters)."""

from collections.abc import Mapping
from uuid import UUID

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from ingest.api.charges import UNKNOWN_CHARGE, ChargeFilterAnswer, refusing_prices, show_filters
from ingest.api.errors import ApiError, refuse_fields
from ingest.api.inputs import read_input
from ingest.api.openapi import PAGES, describe, envelop, list_of
from ingest.api.pagination import read_page
from ingest.api.plan_charges import find_charge
from ingest.api.queries import read_id
from ingest.api.view import ApiView
from ingest.charge_filters import add_filter, change_filter, remove_filter
from ingest.inputs.charges import ChargeFilterChange, ChargeFilterInput
from ingest.models import Charge
from ingest.prices import current

FilterAnswer = envelop("filter", ChargeFilterAnswer, "ChargeFilterOneAnswer")
FiltersAnswer = list_of("filters", ChargeFilterAnswer, "ChargeFiltersAnswer")

NOT_FOUND = ApiError(404, code="charge_filter_not_found")
REFUSALS: Mapping[str, ApiError] = {
    "unknown_plan": ApiError(404, code="plan_not_found"),
    "unknown_charge": UNKNOWN_CHARGE,
    "unknown_filter": NOT_FOUND,
    "filter_exists": refuse_fields({"values": ["value_already_exist"]}),
}


class ChargeFiltersView(ApiView):
    """All filters of a charge."""

    resource = "plan"

    @describe(
        "list_charge_filters",
        "List a charge's filters",
        tag="plans",
        answer=FiltersAnswer,
        query=PAGES,
        refuses=(404,),
    )
    def get(self, request: Request, plan_code: str, charge_code: str) -> Response:
        """One page of filters, in their order."""
        return show_page(find_charge(self.caller.service_id, plan_code, charge_code), request)

    @describe(
        "create_charge_filter",
        "Add a filter to a charge",
        tag="plans",
        takes={"filter": ChargeFilterInput()},
        answer=FilterAnswer,
        refuses=(404,),
    )
    def post(self, request: Request, plan_code: str, charge_code: str) -> Response:
        """One more filter, from now on."""
        charge = find_charge(self.caller.service_id, plan_code, charge_code)
        values = read_input(self.body, root="filter", serializer=ChargeFilterInput)
        with refusing_prices(self, REFUSALS):
            public_id = add_filter(charge=charge, item=values, rule=self.caller.rule)
        return Response({"filter": find_filter(charge, str(public_id))})


class ChargeFilterView(ApiView):
    """One filter of a charge, by its id."""

    resource = "plan"

    @describe("get_charge_filter", "Get a charge's filter", tag="plans", answer=FilterAnswer, refuses=(404,))
    def get(self, request: Request, plan_code: str, charge_code: str, filter_id: str) -> Response:
        """The filter of that id."""
        charge = find_charge(self.caller.service_id, plan_code, charge_code)
        return Response({"filter": find_filter(charge, filter_id)})

    @describe(
        "update_charge_filter",
        "Change a charge's filter",
        tag="plans",
        takes={"filter": ChargeFilterChange()},
        answer=FilterAnswer,
        refuses=(404,),
        description="Its name and its price change, from now on; its values are what it is.",
    )
    def put(self, request: Request, plan_code: str, charge_code: str, filter_id: str) -> Response:
        """Changes what is given."""
        charge = find_charge(self.caller.service_id, plan_code, charge_code)
        find_filter(charge, filter_id)
        values = read_input(self.body, root="filter", serializer=ChargeFilterChange)
        with refusing_prices(self, REFUSALS):
            change_filter(charge=charge, public_id=_read(filter_id), given=values, rule=self.caller.rule)
        return Response({"filter": find_filter(charge, filter_id)})

    @describe(
        "delete_charge_filter",
        "Remove a charge's filter",
        tag="plans",
        answer=FilterAnswer,
        refuses=(404,),
        description="From now on its events cost what the rest of the charge does.",
    )
    def delete(self, request: Request, plan_code: str, charge_code: str, filter_id: str) -> Response:
        """Removes it, and answers it as it was."""
        charge = find_charge(self.caller.service_id, plan_code, charge_code)
        shown = find_filter(charge, filter_id)
        with refusing_prices(self, REFUSALS):
            remove_filter(charge=charge, public_id=_read(filter_id), rule=self.caller.rule)
        return Response({"filter": shown})


def show_page(charge: Charge, request: Request) -> Response:
    """One page of a charge's filters."""
    shown, page = _show_all(charge), read_page(request.query_params)
    part = shown[page.start : page.start + page.size]
    return Response({"filters": part, "meta": page.describe(len(shown))})


def find_filter(charge: Charge, public_id: str) -> ChargeFilterAnswer:
    """The answer that tells of the charge's filter of that id; raises ApiError 404."""
    wanted = str(_read(public_id))
    found = next((each for each in _show_all(charge) if each.lago_id == wanted), None)
    if found is None:
        raise NOT_FOUND
    return found


def _show_all(charge: Charge) -> list[ChargeFilterAnswer]:
    version = current(list(charge.versions.order_by("effective_from", "number")), timezone.now())
    return show_filters(charge, version) if version else []


def _read(text: str) -> UUID:
    public_id = read_id(text)
    if public_id is None:
        raise NOT_FOUND
    return public_id
