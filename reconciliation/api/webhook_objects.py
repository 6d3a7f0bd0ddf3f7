"""What a webhook says of the object of a fact: what the API answers about it (Lago: webhooks, payloads)."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from ingest.api.alerts import show_thresholds
from ingest.api.customers import show_customer
from ingest.api.metrics import show_metric
from ingest.api.plans import show_plan, with_prices
from ingest.api.rendering import render_decimal, render_second
from ingest.api.subscription_answer import show_with_plan, with_shown
from ingest.models import Customer, Metric, Plan, Subscription, TriggeredAlert
from reconciliation.facts import Fact


def show_object(fact: Fact, now: datetime) -> Mapping[str, Any]:
    """The object as it is now, also where it was deleted or is over."""
    return SHOWN[fact.object_type](fact.object_id, now)


def show_triggered(triggered: TriggeredAlert) -> Mapping[str, Any]:
    """What an alert's usage has crossed (Lago: triggered alert)."""
    alert, subscription = triggered.alert, triggered.subscription
    customer = subscription.customer.external_id
    return {
        "lago_id": str(triggered.public_id),
        "lago_organization_id": str(alert.service.public_id),
        "lago_alert_id": str(alert.public_id),
        "lago_subscription_id": str(subscription.public_id),
        "external_subscription_id": alert.external_subscription_id,
        "lago_wallet_id": None,
        "external_customer_id": customer,
        "billable_metric_code": alert.metric.code if alert.metric else None,
        "alert_name": alert.name or None,
        "alert_code": alert.code,
        "alert_type": alert.alert_type,
        "current_value": render_decimal(triggered.current_value),
        "previous_value": render_decimal(triggered.previous_value),
        "crossed_thresholds": msgspec.to_builtins(show_thresholds(triggered.crossed_thresholds)),
        "triggered_at": render_second(triggered.triggered_at),
        # Their older names.
        "subscription_external_id": alert.external_subscription_id,
        "customer_external_id": customer,
    }


def _show_customer(public_id: UUID, now: datetime) -> Mapping[str, Any]:
    row = Customer.objects.select_related("service").get(public_id=public_id)
    return _as_json(show_customer(row))


def _show_subscription(public_id: UUID, now: datetime) -> Mapping[str, Any]:
    row = with_shown(Subscription.objects.filter(public_id=public_id)).get()
    return {**_as_json(show_with_plan(row, now=now)), "customer": _as_json(show_customer(row.customer))}


def _show_plan(public_id: UUID, now: datetime) -> Mapping[str, Any]:
    return _as_json(show_plan(with_prices(Plan.objects.filter(public_id=public_id)).get(), now))


def _show_metric(public_id: UUID, now: datetime) -> Mapping[str, Any]:
    return _as_json(show_metric(Metric.objects.get(public_id=public_id)))


SHOWN: Mapping[str, Callable[[UUID, datetime], Mapping[str, Any]]] = {
    "customer": _show_customer,
    "subscription": _show_subscription,
    "plan": _show_plan,
    "billable_metric": _show_metric,
}


def _as_json(answer: msgspec.Struct) -> dict[str, Any]:
    shown: dict[str, Any] = msgspec.to_builtins(answer)
    return shown
