"""/subscriptions/{external_id}/alerts: at which usage a service is told of it (Lago: alerts)."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ingest.alerts import AlertError, alerts_of, change_alert, create_alerts, delete_alert, delete_alerts
from ingest.api.errors import ApiError, refuse_fields
from ingest.api.inputs import check, read_input, read_list
from ingest.api.metrics import BillableMetric, show_metric
from ingest.api.openapi import ALWAYS, PAGES, Error, describe, envelop, list_of
from ingest.api.pagination import paginate
from ingest.api.rendering import render_decimal, render_second
from ingest.api.subscriptions import find_subscription
from ingest.api.view import ApiView
from ingest.inputs.alerts import AlertChange, AlertInput, to_columns
from ingest.models import Subscription, SubscriptionStatus, UsageAlert

NOT_FOUND = ApiError(404, code="alert_not_found")
REFUSALS: Mapping[str, ApiError] = {
    "unknown_alert": NOT_FOUND,
    "unknown_metric": ApiError(404, code="billable_metric_not_found"),
    "metric_is_mandatory": refuse_fields({"billable_metric": ["value_is_mandatory"]}),
    "metric_must_be_blank": refuse_fields({"billable_metric": ["value_must_be_blank"]}),
    "code_is_taken": refuse_fields({"code": ["value_already_exist"]}),
    "alert_exists": refuse_fields({"base": ["alert_already_exists"]}),
}
STATUS = OpenApiParameter(
    "subscription_status",
    enum=SubscriptionStatus.values,
    description="Of which subscription of that id; the active one unless told.",
)


class Threshold(msgspec.Struct):
    """A figure to be told of; of one that recurs, each multiple above the others."""

    code: str | None
    value: str
    recurring: bool


class Alert(msgspec.Struct, kw_only=True):
    """An alert as the API returns it, with Lago's field names; amounts are in minor units, as decimals."""

    lago_id: str
    lago_organization_id: str
    subscription_external_id: str
    external_subscription_id: str
    lago_wallet_id: None = None
    wallet_code: None = None
    alert_type: str
    code: str
    name: str | None
    direction: str = "increasing"
    previous_value: str
    last_processed_at: str | None
    thresholds: list[Threshold]
    created_at: str
    billable_metric: BillableMetric | None


AlertAnswer = envelop("alert", Alert, "AlertAnswer")
AlertsAnswer = list_of("alerts", Alert, "AlertsAnswer")


class AlertMade(msgspec.Struct):
    """The alert that was made; where several were asked for, all of them."""

    alert: Alert | msgspec.UnsetType = msgspec.UNSET
    alerts: list[Alert] | msgspec.UnsetType = msgspec.UNSET


def show_alert(alert: UsageAlert) -> Alert:
    """The answer that tells of an alert."""
    return Alert(
        lago_id=str(alert.public_id),
        lago_organization_id=str(alert.service.public_id),
        subscription_external_id=alert.external_subscription_id,
        external_subscription_id=alert.external_subscription_id,
        alert_type=alert.alert_type,
        code=alert.code,
        name=alert.name or None,
        previous_value=render_decimal(Decimal(alert.previous_value)) or "0.0",
        last_processed_at=render_second(alert.last_processed_at) if alert.last_processed_at else None,
        thresholds=show_thresholds(alert.thresholds),
        created_at=render_second(alert.created_at),
        billable_metric=show_metric(alert.metric) if alert.metric else None,
    )


def show_thresholds(thresholds: Sequence[Mapping[str, Any]]) -> list[Threshold]:
    """The answer that tells of thresholds as they are stored."""
    return [
        Threshold(each["code"], render_decimal(Decimal(each["value"])) or "0.0", each["recurring"])
        for each in thresholds
    ]


class AlertsView(ApiView):
    """All alerts of a subscription."""

    resource = "alert"

    @describe(
        "list_subscription_alerts",
        "List a subscription's alerts",
        tag="alerts",
        answer=AlertsAnswer,
        query=(STATUS, *PAGES),
        refuses=(404,),
    )
    def get(self, request: Request, external_id: str) -> Response:
        """One page of alerts, the newest first."""
        rows = alerts_of(find_watched(self, request, external_id))
        page, meta = paginate(rows.order_by("-pk"), request.query_params)
        return Response({"alerts": [show_alert(row) for row in page], "meta": meta})

    @describe(
        "create_subscription_alert",
        "Watch a subscription's usage",
        tag="alerts",
        takes={
            "alert": AlertInput(required=False),
            "alerts": serializers.ListSerializer(child=AlertInput(), required=False),
        },
        answer=AlertMade,
        query=(STATUS,),
        refuses=(404,),
        description="One `alert`, or several `alerts`, all or none. Each threshold is told once in a period, by the"
        " webhook `alert.triggered`, at the latest some minutes after the usage that crossed it.",
    )
    def post(self, request: Request, external_id: str) -> Response:
        """Makes one alert, or several."""
        subscription = find_watched(self, request, external_id)
        several = read_list(self.body, root="alerts")
        if several:
            return Response({"alerts": self._create_all(subscription, several)})
        values = read_input(self.body, root="alert", serializer=AlertInput)
        with self.refusing(REFUSALS):
            (alert,) = create_alerts(
                subscription=subscription, alerts=[to_columns(values)], rule=self.caller.rule
            )
        return Response({"alert": show_alert(alert)})

    @extend_schema(
        operation_id="delete_subscription_alerts",
        summary="Delete a subscription's alerts",
        description="All of them; the answer has no body.",
        tags=["alerts"],
        parameters=[STATUS],
        responses={200: None, **dict.fromkeys((*ALWAYS, 404), Error)},
    )
    def delete(self, request: Request, external_id: str) -> HttpResponse:
        """Deletes all of them."""
        delete_alerts(subscription=find_watched(self, request, external_id), rule=self.caller.rule)
        return HttpResponse(content_type="application/json")

    def _create_all(self, subscription: Subscription, several: Sequence[dict[str, Any]]) -> list[Alert]:
        """All or none; a refusal tells each that is wrong by its index, with what was asked for."""
        wrong: dict[str, Any] = {}
        wanted = []
        for place, given in enumerate(several):
            try:
                wanted.append(to_columns(check(given, serializer=AlertInput)))
            except ApiError as error:
                wrong[str(place)] = {"params": given, "errors": error.details}
        if wrong:
            raise refuse_fields(wrong)
        try:
            made = create_alerts(subscription=subscription, alerts=wanted, rule=self.caller.rule)
        except AlertError as error:
            refusal = REFUSALS[error.code]
            errors = refusal.details or refusal.code
            raise refuse_fields(
                {str(error.place): {"params": several[error.place], "errors": errors}}
            ) from error
        return [show_alert(alert) for alert in made]


class AlertView(ApiView):
    """One alert of a subscription, by its code."""

    resource = "alert"

    @describe(
        "get_subscription_alert",
        "Get a subscription's alert",
        tag="alerts",
        answer=AlertAnswer,
        query=(STATUS,),
        refuses=(404,),
    )
    def get(self, request: Request, external_id: str, code: str) -> Response:
        """The alert of that code."""
        return Response({"alert": show_alert(self._find(request, external_id, code))})

    @describe(
        "update_subscription_alert",
        "Change a subscription's alert",
        tag="alerts",
        takes={"alert": AlertChange()},
        answer=AlertAnswer,
        query=(STATUS,),
        refuses=(404,),
        description="What is given changes; its type stays. Thresholds are replaced by those that are given.",
    )
    def put(self, request: Request, external_id: str, code: str) -> Response:
        """Changes what is given."""
        alert = self._find(request, external_id, code)
        values = read_input(self.body, root="alert", serializer=AlertChange)
        with self.refusing(REFUSALS):
            changed = change_alert(alert=alert, values=to_columns(values), rule=self.caller.rule)
        return Response({"alert": show_alert(changed)})

    @describe(
        "delete_subscription_alert",
        "Delete a subscription's alert",
        tag="alerts",
        answer=AlertAnswer,
        query=(STATUS,),
        refuses=(404,),
    )
    def delete(self, request: Request, external_id: str, code: str) -> Response:
        """Deletes it."""
        alert = self._find(request, external_id, code)
        with self.refusing(REFUSALS):
            return Response({"alert": show_alert(delete_alert(alert=alert, rule=self.caller.rule))})

    def _find(self, request: Request, external_id: str, code: str) -> UsageAlert:
        alert = alerts_of(find_watched(self, request, external_id)).filter(code=code).first()
        if alert is None:
            raise NOT_FOUND
        return alert


def find_watched(view: ApiView, request: Request, external_id: str) -> Subscription:
    """The subscription that is meant, the active one unless told; raises ApiError 404."""
    query = request.query_params
    status = query.get("subscription_status") or query.get("status") or SubscriptionStatus.ACTIVE
    return find_subscription(view.caller.service_id, external_id, status)
