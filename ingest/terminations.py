"""How a subscription ends: terminated while it runs, or canceled before it begins (Lago: subscriptions).

Whoever calls these holds the lock on its customer, see `customers.lock_customer`.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from ingest import audit
from ingest.models import Customer, Subscription, SubscriptionStatus


def in_status(status: str, now: datetime | Now) -> Q:
    """The rows of a status, by the rule of `Subscription.status_at`; an unknown one has none."""
    never = Q(canceled_at__isnull=False)
    left = ~never & (Q(terminated_at=None) | Q(terminated_at__gt=now))
    conditions: Mapping[str, Q] = {
        SubscriptionStatus.CANCELED: never,
        SubscriptionStatus.TERMINATED: ~never & Q(terminated_at__lte=now),
        SubscriptionStatus.PENDING: left & Q(started_at__gt=now),
        SubscriptionStatus.ACTIVE: left & Q(started_at__lte=now),
    }
    return conditions.get(status, Q(pk__in=[]))


def not_over(now: datetime) -> QuerySet[Subscription]:
    """Subscriptions that run or are still to begin, with what their periods need, the earliest first."""
    return (
        Subscription.objects.filter(canceled_at=None)
        .filter(Q(terminated_at=None) | Q(terminated_at__gt=now))
        .select_related("plan", "customer__service")
        .order_by("started_at")
    )


def next_of(subscription: Subscription, now: datetime) -> Subscription | None:
    """The plan that is to follow it, where a downgrade waits for its period's end."""
    return not_over(now).filter(previous=subscription, started_at__gt=now).first()


def cancel(subscription: Subscription, *, now: datetime, rule: str) -> None:
    """Gives up a subscription that has not begun; the one that it was to follow ends as it would have without it."""
    before = describe(subscription)
    subscription.canceled_at = now
    subscription.save(update_fields=["canceled_at", "profile"])
    record(subscription, "subscription.cancel", rule, before)
    previous = subscription.previous
    if previous is not None and previous.terminated_at == subscription.started_at:
        before = describe(previous)
        previous.terminated_at = previous.ending_at
        previous.save(update_fields=["terminated_at"])
        record(previous, "subscription.change", rule, before)


def terminate(
    subscription: Subscription, *, now: datetime, rule: str, action: str = "subscription.terminate"
) -> None:
    """Ends a subscription that runs, at this instant, and cancels what was to follow it."""
    following = next_of(subscription, now)
    if following is not None:
        cancel(following, now=now, rule=rule)
    before = describe(subscription)
    subscription.terminated_at = end_for(subscription, now)
    subscription.save(update_fields=["terminated_at", "profile"])
    record(subscription, action, rule, before)


def end_for(subscription: Subscription, now: datetime) -> datetime:
    """When one that runs ends if it ends now: it has run for an instant at least, whatever the clocks say."""
    return max(now, subscription.started_at + timedelta.resolution)


def end_all(customer: Customer, *, now: datetime, rule: str) -> None:
    """Terminates what a customer has running and cancels what it has pending."""
    for subscription in not_over(now).filter(customer=customer, started_at__lte=now):
        terminate(subscription, now=now, rule=rule)
    for subscription in not_over(now).filter(customer=customer):
        cancel(subscription, now=now, rule=rule)


def describe(subscription: Subscription) -> dict[str, Any]:
    """What an audit record says of a subscription."""
    dates = ("subscription_at", "started_at", "ending_at", "terminated_at", "canceled_at", "metered_from")
    return {
        "plan": subscription.plan.code,
        "customer": subscription.customer.external_id,
        "name": subscription.name,
        "billing_time": subscription.billing_time,
        **{name: _text(getattr(subscription, name)) for name in dates},
        "profile": subscription.profile,
    }


def record(
    subscription: Subscription,
    action: str,
    rule: str,
    before: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """Audits what was just done with a subscription; without `before` it is new."""
    audit.record(
        actor=None,
        action=action,
        target=subscription,
        service=subscription.customer.service,
        before=before,
        after=describe(subscription),
        rule=rule,
    )


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
