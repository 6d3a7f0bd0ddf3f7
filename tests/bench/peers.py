"""What the endpoint is compared with: plain ways to take events, without keys, located errors or middleware."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache

from django.http import HttpRequest, JsonResponse
from django.urls import path
from rest_framework import serializers
from rest_framework.parsers import JSONParser
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import APIView

from ingest.models import Service, UsageEvent


@cache
def find_service_id() -> int:
    """The stage's only service."""
    return Service.objects.get().pk


def insert_event(request: HttpRequest) -> JsonResponse:
    """A small view with one ORM INSERT."""
    event = json.loads(request.body)["event"]
    UsageEvent.objects.create(
        service_id=find_service_id(),
        transaction_id=event["transaction_id"],
        external_subscription_id=event["external_subscription_id"],
        code=event["code"],
        timestamp=datetime.fromtimestamp(float(event["timestamp"]), UTC),
        properties=event["properties"],
        quantity=Decimal(event["properties"]["amount"]),
    )
    return JsonResponse({"event": event})


class EventSerializer(serializers.Serializer):
    """One event, as REST framework's tutorial would have it."""

    transaction_id = serializers.CharField(max_length=255)
    external_subscription_id = serializers.CharField(max_length=255)
    code = serializers.CharField(max_length=255)
    timestamp = serializers.DecimalField(max_digits=20, decimal_places=6)
    properties = serializers.DictField()


class SerializedBatchView(APIView):
    """A serializer with many=True, then bulk_create."""

    authentication_classes = ()
    permission_classes = ()
    parser_classes = (JSONParser,)
    renderer_classes = (JSONRenderer,)

    def post(self, request: HttpRequest) -> Response:
        serializer = EventSerializer(data=request.data["events"], many=True)
        serializer.is_valid(raise_exception=True)
        UsageEvent.objects.bulk_create(
            UsageEvent(
                service_id=find_service_id(),
                transaction_id=event["transaction_id"],
                external_subscription_id=event["external_subscription_id"],
                code=event["code"],
                timestamp=datetime.fromtimestamp(float(event["timestamp"]), UTC),
                properties=event["properties"],
                quantity=Decimal(event["properties"]["amount"]),
            )
            for event in serializer.validated_data
        )
        return Response({"events": serializer.data})


def show_health(request: HttpRequest) -> JsonResponse:
    """Tells that the server is up."""
    return JsonResponse({})


urlpatterns = [
    path("insert", insert_event),
    path("serialize", SerializedBatchView.as_view()),
    path("health", show_health),
]
