"""What a subscription used since its first start, through every change of plan (Lago: lifetime usage)."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import Sum

from ingest.calendar import grid_of
from ingest.customers import lock_customer
from ingest.fees import rate_what_if
from ingest.metering.arithmetic import ZERO, exact_sum
from ingest.metering.periods import billing_period
from ingest.models import Fee, FeeKind, Subscription
from ingest.terminations import describe, record

# In the profile, in the smallest unit of the plan's currency: what was used before the console metered it.
HISTORICAL = "external_historical_usage_amount_cents"


@dataclass(frozen=True, slots=True)
class LifetimeUsage:
    """Amounts of usage in the plan's currency, without plan fees, minimums and tax; what came before it in cents."""

    historical_cents: int
    invoiced: Decimal
    current: Decimal
    starts_at: datetime


def read_lifetime_usage(*, subscription: Subscription, now: datetime) -> LifetimeUsage:
    """Of all that ran under the external id of that customer: earlier periods as rated, this one as it stands.

    Refuses a charge that cannot be priced with (`invalid_properties`).
    """
    period = billing_period(at=now, **grid_of(subscription))
    rated = rate_what_if(
        service=subscription.customer.service,
        period_label=period.label,
        instead={},
        customers=[subscription.customer_id],
    )
    chain = Subscription.objects.filter(
        service=subscription.service_id,
        customer=subscription.customer_id,
        external_id=subscription.external_id,
        canceled_at=None,
    )
    billed = Fee.objects.filter(subscription__in=chain, kind=FeeKind.USAGE)
    is_current = {"subscription": subscription, "period_start": period.start}
    return LifetimeUsage(
        historical_cents=subscription.profile.get(HISTORICAL, 0),
        invoiced=billed.exclude(**is_current).aggregate(total=Sum("amount"))["total"] or ZERO,
        current=exact_sum(
            fee.amount
            for fee in rated
            if fee.subscription_id == subscription.pk and fee.kind == FeeKind.USAGE
        ),
        starts_at=chain.earliest("started_at").started_at,
    )


@transaction.atomic
def set_historical_usage(*, subscription: Subscription, cents: int, rule: str) -> Subscription:
    """Keeps what was used before the console metered it, in the smallest unit of the currency; audited."""
    lock_customer(subscription.customer_id)
    row = Subscription.objects.select_related("plan", "customer__service").get(pk=subscription.pk)
    before = describe(row)
    row.profile = {**row.profile, HISTORICAL: cents}
    row.save(update_fields=["profile"])
    record(row, "subscription.change", rule, before)
    return row
