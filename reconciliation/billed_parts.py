"""Which subscriptions a bill is for, and when each of them ran in its period (Lago: billing periods)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from ingest.calendar import customer_timezone, grid_of, midnight_of
from ingest.metering.periods import billing_period
from ingest.models import Subscription
from reconciliation.bills import Bill

PERIODIC = "subscription_periodic"
TERMINATING = "subscription_terminating"


@dataclass(frozen=True, slots=True)
class BilledPart:
    """The part of a bill's period, `[start, end)`, in which a subscription ran."""

    subscription: Subscription
    start: datetime
    end: datetime

    @property
    def first_day(self) -> datetime:
        """When its first day began where the customer is: a plan's days count whole."""
        customer = self.subscription.customer
        return midnight_of(customer, self.start.astimezone(customer_timezone(customer)).date())

    @property
    def reason(self) -> str:
        """Why it is billed: because a period ended, or because it did (Lago: invoicing reason)."""
        return TERMINATING if self.subscription.terminated_at == self.end else PERIODIC


def parts_of(bill: Bill) -> list[BilledPart]:
    """Of each subscription of the customer whose own period ends with the bill's, in the order of their starts."""
    return list(_find_parts(bill))


def _find_parts(bill: Bill) -> Iterator[BilledPart]:
    row = bill.row
    ran = Subscription.objects.filter(
        Q(terminated_at=None) | Q(terminated_at__gt=row.period_start),
        customer=row.customer,
        plan__currency=row.currency,
        started_at__lt=row.period_end,
        canceled_at=None,
    ).select_related("plan", "customer__service")
    for subscription in ran.order_by("started_at", "pk"):
        start = max(row.period_start, subscription.started_at)
        if billing_period(at=start, **grid_of(subscription)).end == row.period_end:
            yield BilledPart(
                subscription, start, min(row.period_end, subscription.terminated_at or row.period_end)
            )
