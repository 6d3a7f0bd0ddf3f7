"""/fees: what each charge, filter and group of a period costs, unrounded and rounded (Lago: fees)."""

from django.db.models import Q, QuerySet
from django.http import QueryDict
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from ingest.api.errors import ApiError
from ingest.api.openapi import PAGES, describe
from ingest.api.pagination import paginate
from ingest.api.queries import read_id, read_instant
from ingest.api.view import ApiView
from ingest.fee_events import fees_of
from ingest.models import OF_A_CHARGE, Fee, FeeKind, UsageEvent
from reconciliation.api.fee_answers import FeeAnswer, FeesAnswer, show_fee
from reconciliation.fee_taxes import add_bills

NOT_FOUND = ApiError(404, code="fee_not_found")
PENDING = "pending"

# Late usage of an earlier period goes with what it is late usage of.
KINDS = {
    "charge": Q(kind__in=OF_A_CHARGE) | Q(kind=FeeKind.LATE, charge__isnull=False),
    "subscription": Q(kind=FeeKind.PLAN),
    "commitment": Q(kind=FeeKind.COMMITMENT) | Q(kind=FeeKind.LATE, charge=None),
}
# What a list is narrowed down by, and the field that it compares.
EQUALS = {
    "external_subscription_id": "subscription__external_id",
    "external_customer_id": "subscription__customer__external_id",
    "billable_metric_code": "charge__metric__code",
    "currency": "currency",
}
QUERY = (
    *(OpenApiParameter(name, str) for name in (*EQUALS, "event_transaction_id")),
    OpenApiParameter("fee_type", str, enum=list(KINDS)),
    OpenApiParameter(
        "payment_status", str, description="Every fee here is `pending`: Odoo knows what is paid."
    ),
    OpenApiParameter("created_at_from", OpenApiTypes.DATETIME),
    OpenApiParameter("created_at_to", OpenApiTypes.DATETIME),
    *PAGES,
)


class FeesView(ApiView):
    """All fees of the service."""

    resource = "fee"

    @describe(
        "list_fees",
        "List fees",
        description="The oldest first; a fee without an amount, units and events is none.",
        tag="fees",
        answer=FeesAnswer,
        query=QUERY,
        refuses=(422,),
    )
    def get(self, request: Request) -> Response:
        """One page of fees, each with the tax that its bill was reconciled with."""
        rows = _narrow_down(self.caller.service_id, request.query_params)
        page, meta = paginate(rows.order_by("created_at", "pk"), request.query_params)
        return Response({"fees": [show_fee(each) for each in add_bills(page)], "meta": meta})


class FeeView(ApiView):
    """One fee, by its id."""

    resource = "fee"

    @describe("get_fee", "Get a fee", tag="fees", answer=FeeAnswer, refuses=(404,))
    def get(self, request: Request, lago_id: str) -> Response:
        """The fee of that id."""
        public_id = read_id(lago_id)
        fee = _fees(self.caller.service_id).filter(public_id=public_id).first() if public_id else None
        if fee is None:
            raise NOT_FOUND
        (billed,) = add_bills([fee])
        return Response({"fee": show_fee(billed)})


def _fees(service_id: int) -> QuerySet[Fee]:
    rows = Fee.objects.filter(subscription__service=service_id)
    return rows.exclude(amount=0, quantity=0, events_count=0).select_related(
        "subscription__customer", "subscription__plan", "charge__metric", "charge_version", "of_fee"
    )


def _narrow_down(service_id: int, query: QueryDict) -> QuerySet[Fee]:
    rows = _fees(service_id)
    for name, field in EQUALS.items():
        if query.get(name):
            rows = rows.filter(**{field: query[name]})
    if query.get("fee_type"):
        kind = KINDS.get(str(query["fee_type"]))
        rows = rows.filter(kind) if kind else rows.none()
    if query.get("payment_status", PENDING) != PENDING:
        rows = rows.none()
    if query.get("event_transaction_id"):
        rows = rows.filter(pk__in=_of_event(service_id, str(query["event_transaction_id"])))
    if since := read_instant(query, "created_at_from"):
        rows = rows.filter(created_at__gte=since)
    if until := read_instant(query, "created_at_to"):
        rows = rows.filter(created_at__lte=until)
    return rows


def _of_event(service_id: int, transaction_id: str) -> set[int]:
    """The keys of the fees that events of this id are part of."""
    events = UsageEvent.objects.filter(service=service_id, transaction_id=transaction_id)
    return {fee.pk for event in events for fee in fees_of(event)}
