"""/subscriptions/{external_id}/lifetime_usage: what was used since the first start (Lago: lifetime usage)."""

from collections.abc import Mapping
from datetime import datetime

import msgspec
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ingest.api.errors import ApiError, refuse_fields
from ingest.api.inputs import read_input
from ingest.api.openapi import describe, envelop
from ingest.api.rendering import render_second
from ingest.api.subscriptions import find_subscription
from ingest.api.view import ApiView
from ingest.lifetime_usage import HISTORICAL, read_lifetime_usage, set_historical_usage
from ingest.models import Subscription
from ingest.rating.money import to_cents

# More than any amount; Lago keeps eight bytes.
MOST_CENTS = 10**18

REFUSALS: Mapping[str, ApiError] = {
    "invalid_properties": refuse_fields({"charges": ["invalid_properties"]}),
}


class LifetimeUsageInput(serializers.Serializer):
    """What was used before the console metered it, in the currency's smallest unit."""

    external_historical_usage_amount_cents = serializers.IntegerField(min_value=0, max_value=MOST_CENTS)


class LifetimeUsage(msgspec.Struct):
    """Usage since the first start under an external id, through every change of plan, without plan fees and tax."""

    lago_id: str
    lago_subscription_id: str
    external_subscription_id: str
    external_historical_usage_amount_cents: int
    invoiced_usage_amount_cents: int
    current_usage_amount_cents: int
    from_datetime: str
    to_datetime: str
    usage_thresholds: list[dict[str, int]] = []


LifetimeUsageAnswer = envelop("lifetime_usage", LifetimeUsage, "LifetimeUsageAnswer")


class LifetimeUsageView(ApiView):
    """The lifetime usage of an active subscription."""

    resource = "lifetime_usage"

    @describe(
        "get_lifetime_usage",
        "Get a subscription's lifetime usage",
        tag="subscriptions",
        answer=LifetimeUsageAnswer,
        refuses=(404, 422),
    )
    def get(self, request: Request, external_id: str) -> Response:
        """What earlier periods cost, and what this one does so far."""
        return self._answer(find_subscription(self.caller.service_id, external_id), timezone.now())

    @describe(
        "update_lifetime_usage",
        "Say what was used before",
        tag="subscriptions",
        takes={"lifetime_usage": LifetimeUsageInput()},
        answer=LifetimeUsageAnswer,
        refuses=(404,),
    )
    def put(self, request: Request, external_id: str) -> Response:
        """Keeps what was used before the console metered it."""
        row = find_subscription(self.caller.service_id, external_id)
        values = read_input(self.body, root="lifetime_usage", serializer=LifetimeUsageInput)
        changed = set_historical_usage(subscription=row, cents=values[HISTORICAL], rule=self.caller.rule)
        return self._answer(changed, timezone.now())

    def _answer(self, row: Subscription, now: datetime) -> Response:
        with self.refusing(REFUSALS):
            usage = read_lifetime_usage(subscription=row, now=now)
        currency = row.plan.currency
        answer = LifetimeUsage(
            # There is one for each subscription.
            lago_id=str(row.public_id),
            lago_subscription_id=str(row.public_id),
            external_subscription_id=row.external_id,
            external_historical_usage_amount_cents=usage.historical_cents,
            invoiced_usage_amount_cents=to_cents(usage.invoiced, currency),
            current_usage_amount_cents=to_cents(usage.current, currency),
            from_datetime=render_second(usage.starts_at),
            to_datetime=render_second(now),
        )
        return Response({"lifetime_usage": answer})
