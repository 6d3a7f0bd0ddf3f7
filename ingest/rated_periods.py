"""Rating a period of a service from its events on: metered, rated, and noted that it was done."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from ingest.fees import rate_period
from ingest.metering.periods import Period, is_closed
from ingest.models import RatedPeriod, Service
from ingest.services import lock_service
from ingest.usage import meter_period


@dataclass(frozen=True, slots=True)
class Changed:
    """How many rows of usage and how many fees metering and rating wrote."""

    usage: int
    fees: int


@transaction.atomic
def meter_and_rate(
    *, service: Service, period_label: str, now: datetime, customers: Collection[int] | None = None
) -> Changed:
    """Makes the fees of one period from its events as they are; idempotent.

    Done for all customers it is noted, so that a closed period which nobody looked at is told from one that has
    nothing to bill. Refuses and raises as metering and rating do.
    """
    lock_service(service.pk)
    changed = Changed(
        usage=meter_period(service=service, period_label=period_label, now=now, customers=customers),
        fees=rate_period(service=service, period_label=period_label, now=now, customers=customers),
    )
    if customers is None:
        RatedPeriod.objects.update_or_create(
            service=service, period_label=period_label, defaults={"rated_at": now}
        )
    return changed


def find_unrated(*, service: Service, periods: Collection[Period]) -> set[Period]:
    """Those of the periods that were not metered and rated as a whole since they closed."""
    if not periods:
        return set()
    grace = timedelta(hours=service.grace_hours)
    rated = dict(RatedPeriod.objects.filter(service=service).values_list("period_label", "rated_at"))
    return {
        period
        for period in periods
        if period.label not in rated
        or not is_closed(period_end=period.end, grace=grace, now=rated[period.label])
    }
