"""A subscription as the API returns it (Lago: subscriptions)."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.db.models import Prefetch, QuerySet

from ingest.api.plans import ServicePlan, show_plan, with_prices
from ingest.api.rendering import render_millisecond, render_second
from ingest.calendar import customer_timezone, grid_of
from ingest.metering.periods import Period, billing_period
from ingest.models import Customer, Plan, SubscriptionStatus
from ingest.models import Subscription as SubscriptionRow
from ingest.prices import plan_version_at
from ingest.rating.money import to_cents

# What is answered as it was sent.
PLAIN = (
    "progressive_billing_disabled",
    "consolidate_invoice",
    "purchase_order_number",
    "billing_entity_code",
)


class PaymentMethod(msgspec.Struct):
    """How a subscription is paid."""

    payment_method_id: str | None = None
    payment_method_type: str | None = None


class Subscription(msgspec.Struct, kw_only=True):
    """A subscription with Lago's field names; `plan_amount_cents` is the base amount in force now."""

    lago_id: str
    external_id: str
    lago_customer_id: str
    external_customer_id: str
    name: str | None
    plan_code: str
    plan_amount_cents: int
    plan_amount_currency: str
    status: str
    billing_time: str
    subscription_at: str
    started_at: str | None
    trial_ended_at: str | None
    ending_at: str | None
    terminated_at: str | None
    canceled_at: str | None
    created_at: str
    previous_plan_code: str | None
    next_plan_code: str | None
    downgrade_plan_date: str | None
    current_billing_period_started_at: str | None
    current_billing_period_ending_at: str | None
    on_termination_credit_note: str | None
    on_termination_invoice: str
    progressive_billing_disabled: bool = False
    consolidate_invoice: bool = True
    purchase_order_number: str | None = None
    billing_entity_code: str | None = None
    cancellation_reason: str | None = None
    activated_at: str | None
    payment_method: PaymentMethod
    activation_rules: list[dict[str, Any]] = []
    entitlements: list[dict[str, Any]] = []
    applicable_usage_thresholds: list[dict[str, Any]] = []
    applied_invoice_custom_sections: list[dict[str, Any]] = []


class SubscriptionWithPlan(Subscription, kw_only=True):
    """A subscription with the whole plan that it is on, with its prices of now."""

    plan: ServicePlan


def with_shown(rows: QuerySet[SubscriptionRow]) -> QuerySet[SubscriptionRow]:
    """The rows with all that an answer tells of them, in a fixed number of queries."""
    following = SubscriptionRow.objects.filter(canceled_at=None).select_related("plan")
    return rows.select_related("plan", "customer__service", "previous__plan").prefetch_related(
        "plan__versions",
        Prefetch("next_ones", following.order_by("-started_at"), to_attr="following"),
    )


def show_subscription(subscription: SubscriptionRow, *, now: datetime) -> Subscription:
    """The answer that tells of a subscription as it stands, of a row read by `with_shown`."""
    return Subscription(**_words(subscription, now))


def show_with_plan(subscription: SubscriptionRow, *, now: datetime) -> SubscriptionWithPlan:
    """As `show_subscription`, with its plan, which may be deleted by now."""
    plan = with_prices(Plan.objects.filter(pk=subscription.plan_id)).get()
    return SubscriptionWithPlan(**_words(subscription, now), plan=show_plan(plan, now))


def _words(subscription: SubscriptionRow, now: datetime) -> dict[str, Any]:
    plan, customer, profile = subscription.plan, subscription.customer, subscription.profile
    status = subscription.status_at(now)
    version = plan_version_at(plan, now)
    has_begun = status in (SubscriptionStatus.ACTIVE, SubscriptionStatus.TERMINATED)
    started_at = subscription.started_at if has_begun else None
    period = _read_period(subscription, status, now)
    following = _read_following(subscription)
    is_downgraded = following is not None and following.status_at(now) == SubscriptionStatus.PENDING
    return dict(
        lago_id=str(subscription.public_id),
        external_id=subscription.external_id,
        lago_customer_id=str(customer.public_id),
        external_customer_id=customer.external_id,
        name=subscription.name or None,
        plan_code=plan.code,
        plan_amount_cents=to_cents(version.amount, plan.currency) if version else 0,
        plan_amount_currency=plan.currency,
        status=status,
        billing_time=subscription.billing_time,
        subscription_at=render_second(subscription.anchor),
        started_at=render_millisecond(started_at) if started_at else None,
        activated_at=_second(started_at),
        trial_ended_at=_second(_end_of_trial(subscription, version.trial_days if version else 0, now)),
        ending_at=_second(subscription.ending_at),
        terminated_at=_second(
            subscription.terminated_at if status == SubscriptionStatus.TERMINATED else None
        ),
        canceled_at=_second(subscription.canceled_at),
        created_at=render_second(subscription.created_at),
        previous_plan_code=subscription.previous.plan.code if subscription.previous else None,
        next_plan_code=following.plan.code if following else None,
        downgrade_plan_date=_local_date(following.started_at, customer)
        if following and is_downgraded
        else None,
        current_billing_period_started_at=_second(
            max(period.start, subscription.started_at) if period else None
        ),
        current_billing_period_ending_at=_second(period.end - timedelta.resolution if period else None),
        on_termination_credit_note=profile.get(
            "on_termination_credit_note", "credit" if plan.is_pay_in_advance else None
        ),
        on_termination_invoice=profile.get("on_termination_invoice", "generate"),
        payment_method=PaymentMethod(**profile.get("payment_method", {})),
        **{name: profile[name] for name in PLAIN if name in profile},
    )


def _read_period(subscription: SubscriptionRow, status: SubscriptionStatus, now: datetime) -> Period | None:
    """The period that it is in, the first one where it is to begin, none where it is over."""
    if status in (SubscriptionStatus.TERMINATED, SubscriptionStatus.CANCELED):
        return None
    return billing_period(at=max(now, subscription.started_at), **grid_of(subscription))


def _read_following(subscription: SubscriptionRow) -> SubscriptionRow | None:
    """The newest one that follows it."""
    found: list[SubscriptionRow] = getattr(subscription, "following", [])
    return found[0] if found else None


def _end_of_trial(subscription: SubscriptionRow, days: int, now: datetime) -> datetime | None:
    """When its trial ended, if it had one."""
    ended_at = subscription.anchor + timedelta(days=days)
    return ended_at if days and ended_at <= now else None


def _local_date(moment: datetime, customer: Customer) -> str:
    return moment.astimezone(customer_timezone(customer)).date().isoformat()


def _second(moment: datetime | None) -> str | None:
    return render_second(moment) if moment else None
