"""Events as they are read back: found, listed, and told whose they are."""

import json
from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import connection
from django.db.models import OuterRef, Q, QuerySet, Subquery

from ingest.models import Subscription, UsageEvent

# Up to here a list is counted exactly; beyond, as the planner estimates it: to count hundreds of millions of rows
# takes longer than any client waits.
COUNTED_EXACTLY = 100_000


def events_of_service(service_id: int) -> QuerySet[UsageEvent]:
    """A service's events, each with the subscription that ran when it happened, as far as there is one.

    Adds `subscription_public_id` and `customer_public_id` (Lago: events).
    """
    running = Subscription.objects.filter(
        Q(terminated_at=None) | Q(terminated_at__gt=OuterRef("timestamp")),
        service=OuterRef("service"),
        external_id=OuterRef("external_subscription_id"),
        started_at__lte=OuterRef("timestamp"),
        canceled_at=None,
    ).order_by("-started_at")
    return UsageEvent.objects.filter(service=service_id).annotate(
        subscription_public_id=Subquery(running.values("public_id")[:1]),
        customer_public_id=Subquery(running.values("customer__public_id")[:1]),
    )


_UNOWNED = Q(subscription_public_id=None)


def find_event(*, service_id: int, transaction_id: str) -> UsageEvent | None:
    """The event of that id; of several under different subscriptions the one received last."""
    found = events_of_service(service_id).filter(transaction_id=transaction_id)
    return found.order_by("-received_at", "-pk").first()


def find_events(
    *, service_id: int, keys: Collection[tuple[str | None, str]]
) -> dict[tuple[str | None, str], UsageEvent]:
    """The events of some subscriptions with those transaction ids, by both; what was never stored is left out."""
    rows = events_of_service(service_id).filter(
        external_subscription_id__in={subscription for subscription, _ in keys},
        transaction_id__in={transaction for _, transaction in keys},
    )
    found = {(row.external_subscription_id, row.transaction_id): row for row in rows}
    return {key: found[key] for key in keys if key in found}


def list_events(
    *,
    service_id: int,
    code: str | None = None,
    external_subscription_id: str | None = None,
    timestamp_from: datetime | None = None,
    timestamp_to: datetime | None = None,
    is_from_start: bool = False,
) -> QuerySet[UsageEvent]:
    """The events of a service that a list asks for, newest first; both bounds count as inside.

    `is_from_start` leaves out what happened before the subscription that is named began.
    """
    rows = events_of_service(service_id)
    if code:
        rows = rows.filter(code=code)
    if external_subscription_id:
        rows = rows.filter(external_subscription_id=external_subscription_id)
    if timestamp_from:
        rows = rows.filter(timestamp__gte=timestamp_from)
    if timestamp_to:
        rows = rows.filter(timestamp__lte=timestamp_to)
    if is_from_start and external_subscription_id:
        rows = rows.exclude(_UNOWNED)
    return rows.order_by("-timestamp", "transaction_id", "pk")


def count_events(rows: QuerySet[UsageEvent]) -> int:
    """How many rows a list has: exactly up to 100,000, beyond that as the planner estimates it."""
    plain = rows.order_by()
    counted = plain.values("pk")[: COUNTED_EXACTLY + 1].count()
    return counted if counted <= COUNTED_EXACTLY else max(counted, _estimate(plain))


def _estimate(rows: QuerySet[UsageEvent]) -> int:
    statement, parameters = rows.values("pk").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}", parameters)
        (plan,) = cursor.fetchone()
    plans: Sequence[dict[str, dict[str, int]]] = json.loads(plan) if isinstance(plan, str) else plan
    return int(plans[0]["Plan"]["Plan Rows"])
