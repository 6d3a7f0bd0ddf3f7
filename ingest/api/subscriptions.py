"""/subscriptions: who is on which plan, from when to when (Lago: subscriptions)."""

from collections.abc import Mapping
from datetime import datetime
from functools import reduce
from operator import or_

from django.db.models import QuerySet
from django.http import QueryDict
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from ingest.api.customers import find_customer
from ingest.api.errors import ApiError, refuse_fields
from ingest.api.inputs import read_input, read_query
from ingest.api.openapi import PAGES, describe, envelop, list_of
from ingest.api.pagination import paginate
from ingest.api.subscription_answer import (
    Subscription,
    SubscriptionWithPlan,
    show_subscription,
    show_with_plan,
    with_shown,
)
from ingest.api.view import ApiView
from ingest.inputs.subscriptions import SubscriptionChange, SubscriptionInput, Termination, to_columns
from ingest.models import Subscription as SubscriptionRow
from ingest.models import SubscriptionStatus
from ingest.subscriptions import change_subscription, end_subscription, subscribe
from ingest.terminations import in_status

SubscriptionAnswer = envelop("subscription", SubscriptionWithPlan, "SubscriptionAnswer")
SubscriptionsAnswer = list_of("subscriptions", Subscription, "SubscriptionsAnswer")

REFUSALS: Mapping[str, ApiError] = {
    "feature_unavailable": ApiError(403, code="feature_unavailable"),
    "unknown_plan": ApiError(404, code="plan_not_found"),
    "unknown_subscription": ApiError(404, code="subscription_not_found"),
    "external_id_is_taken": refuse_fields({"external_id": ["value_already_exist"]}),
    "currencies_differ": refuse_fields({"currency": ["currencies_does_not_match"]}),
    "end_is_not_ahead": refuse_fields({"ending_at": ["invalid_date"]}),
    "start_is_taken": refuse_fields({"subscription_at": ["invalid_date"]}),
}
STATUS = OpenApiParameter(
    "status", enum=SubscriptionStatus.values, description="Which of them is meant; active unless told."
)
FILTERS = ("external_customer_id", "plan_code", "external_id", "currency")
OVERRIDDEN = "overridden"


class SubscriptionsView(ApiView):
    """All subscriptions of the service."""

    resource = "subscription"

    @describe(
        "list_subscriptions",
        "List subscriptions",
        tag="subscriptions",
        answer=SubscriptionsAnswer,
        query=(
            *PAGES,
            *map(OpenApiParameter, FILTERS),
            OpenApiParameter("status[]", enum=SubscriptionStatus.values, many=True),
        ),
        description="Those that are active, unless `status[]` says which.",
    )
    def get(self, request: Request) -> Response:
        """One page of subscriptions, the newest first."""
        return _show_page(_rows(self.caller.service_id), request)

    @describe(
        "create_subscription",
        "Subscribe, upgrade or downgrade",
        tag="subscriptions",
        takes={"subscription": SubscriptionInput()},
        answer=SubscriptionAnswer,
        refuses=(404,),
        description="The same plan again answers what there is. A plan that costs a year as much or more takes over"
        " now; a cheaper one when the current period ends, and until then the current one is answered.",
    )
    def post(self, request: Request) -> Response:
        """Puts a customer on a plan; a customer that there is not is made."""
        values = read_input(self.body, root="subscription", serializer=SubscriptionInput)
        with self.refusing(REFUSALS):
            row = subscribe(
                service_id=self.caller.service_id,
                external_customer_id=values["external_customer_id"],
                plan_code=values.get("plan_code", ""),
                external_id=values["external_id"],
                values=to_columns(values),
                rule=self.caller.rule,
            )
        return _answer(row)


class CustomerSubscriptionsView(ApiView):
    """The subscriptions of one customer."""

    resource = "customer"

    @describe(
        "list_customer_subscriptions",
        "List a customer's subscriptions",
        tag="customers",
        answer=SubscriptionsAnswer,
        query=(*PAGES, OpenApiParameter("status[]", enum=SubscriptionStatus.values, many=True)),
        description="Those that are active, unless `status[]` says which.",
        refuses=(404,),
    )
    def get(self, request: Request, external_id: str) -> Response:
        """One page of subscriptions, the newest first."""
        customer = find_customer(self.caller.service_id, external_id)
        return _show_page(_rows(self.caller.service_id).filter(customer=customer), request)


class SubscriptionView(ApiView):
    """One subscription, by its external id; `status` says which of those that had it."""

    resource = "subscription"

    @describe(
        "get_subscription",
        "Get a subscription",
        tag="subscriptions",
        answer=SubscriptionAnswer,
        query=(STATUS,),
        refuses=(404,),
    )
    def get(self, request: Request, external_id: str) -> Response:
        """The active one of that external id, or the one of another status."""
        return _answer(self._find(external_id, request))

    @describe(
        "update_subscription",
        "Change a subscription",
        tag="subscriptions",
        takes={"subscription": SubscriptionChange()},
        answer=SubscriptionAnswer,
        query=(STATUS,),
        refuses=(404,),
        description="What is given changes; `subscription_at` only of one that is to begin, which is meant without"
        " a `status` too where none of that id is active.",
    )
    def put(self, request: Request, external_id: str) -> Response:
        """Changes what is given; the rest stays. Of an id that none runs under, the one that is to begin."""
        row = self._find_changeable(external_id, request)
        values = read_input(self.body, root="subscription", serializer=SubscriptionChange)
        with self.refusing(REFUSALS):
            changed = change_subscription(subscription=row, values=to_columns(values), rule=self.caller.rule)
        return _answer(changed)

    @describe(
        "terminate_subscription",
        "Terminate or cancel a subscription",
        tag="subscriptions",
        answer=SubscriptionAnswer,
        query=(
            STATUS,
            OpenApiParameter("on_termination_credit_note"),
            OpenApiParameter("on_termination_invoice"),
        ),
        refuses=(404, 422),
        description="One that runs ends now; with `status=pending` the one that is to begin is canceled.",
    )
    def delete(self, request: Request, external_id: str) -> Response:
        """Ends it now, or cancels it before it begins."""
        row = self._find(external_id, request)
        values = read_query(request.query_params, serializer=Termination)
        with self.refusing(REFUSALS):
            ended = end_subscription(subscription=row, values=to_columns(values), rule=self.caller.rule)
        return _answer(ended)

    def _find_changeable(self, external_id: str, request: Request) -> SubscriptionRow:
        if not request.query_params.get("status"):
            rows = _rows(self.caller.service_id).filter(external_id=external_id)
            if not rows.filter(in_status(SubscriptionStatus.ACTIVE, timezone.now())).exists():
                return find_subscription(self.caller.service_id, external_id, SubscriptionStatus.PENDING)
        return self._find(external_id, request)

    def _find(self, external_id: str, request: Request) -> SubscriptionRow:
        status = request.query_params.get("status") or SubscriptionStatus.ACTIVE
        return find_subscription(self.caller.service_id, external_id, status)


def find_subscription(
    service_id: int, external_id: str, status: str = SubscriptionStatus.ACTIVE
) -> SubscriptionRow:
    """The newest of that status, of those to begin the next one; raises ApiError 404."""
    rows = with_shown(_rows(service_id).filter(in_status(status, timezone.now()), external_id=external_id))
    is_pending = status == SubscriptionStatus.PENDING
    row = rows.order_by("started_at" if is_pending else "-started_at", "-pk").first()
    if row is None:
        raise REFUSALS["unknown_subscription"]
    return row


def filter_subscriptions(
    rows: QuerySet[SubscriptionRow], query: QueryDict, now: datetime
) -> QuerySet[SubscriptionRow]:
    """Those that a query asks for; without a status the active ones (Lago: subscriptions)."""
    paths = ("customer__external_id", "plan__code", "external_id", "plan__currency")
    for name, path in zip(FILTERS, paths, strict=True):
        if query.get(name):
            rows = rows.filter(**{path: query[name]})
    entities = [text for text in query.getlist("billing_entity_codes[]") if text]
    if entities:
        rows = rows.filter(profile__billing_entity_code__in=entities)
    if query.get(OVERRIDDEN, "").lower() == "true":
        # There are no prices of one subscription alone.
        rows = rows.none()
    statuses = [text for text in query.getlist("status[]") + query.getlist("status") if text]
    return rows.filter(
        reduce(or_, (in_status(status, now) for status in statuses or [SubscriptionStatus.ACTIVE]))
    )


def _rows(service_id: int) -> QuerySet[SubscriptionRow]:
    return SubscriptionRow.objects.filter(service=service_id)


def _show_page(rows: QuerySet[SubscriptionRow], request: Request) -> Response:
    """One page of those that the query asks for."""
    query, now = request.query_params, timezone.now()
    chosen = filter_subscriptions(rows, query, now)
    page, meta = paginate(with_shown(chosen).order_by("-started_at", "-pk"), query)
    return Response({"subscriptions": [show_subscription(row, now=now) for row in page], "meta": meta})


def _answer(subscription: SubscriptionRow) -> Response:
    row = with_shown(SubscriptionRow.objects.filter(pk=subscription.pk)).get()
    return Response({"subscription": show_with_plan(row, now=timezone.now())})
