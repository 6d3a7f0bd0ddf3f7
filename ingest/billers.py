"""Who bills a subscription's period: asked by every write that could bill, changed only by a cutover."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from ingest.models import Biller, BillerTerm, Fee, Subscription


def biller_of(*, subscription: Subscription, period_start: datetime) -> Biller:
    """The biller of the period that starts then: the latest term at or before it, else the service."""
    term = subscription.biller_terms.filter(starts_at__lte=period_start).order_by("-starts_at").first()
    return Biller(term.biller) if term else Biller.SERVICE


def billed_by(biller: Biller, fees: QuerySet[Fee]) -> QuerySet[Fee]:
    """Those of the fees whose period a biller bills, by the same rule as `biller_of`, in the same query."""
    terms = BillerTerm.objects.filter(
        subscription=OuterRef("subscription"), starts_at__lte=OuterRef("period_start")
    ).order_by("-starts_at")
    return fees.annotate(
        biller=Coalesce(Subquery(terms.values("biller")[:1]), Value(Biller.SERVICE.value))
    ).filter(biller=biller)


def switch_biller(*, switches: Iterable[tuple[Subscription, datetime]], biller: Biller) -> int:
    """Gives each subscription a biller from a period start on; call it in the decision's transaction.

    A term that was to start at or after that instant is replaced: it never came into force.
    """
    terms = []
    for subscription, starts_at in switches:
        BillerTerm.objects.filter(subscription=subscription, starts_at__gte=starts_at).delete()
        if biller_of(subscription=subscription, period_start=starts_at) != biller:
            terms.append(BillerTerm(subscription=subscription, biller=biller, starts_at=starts_at))
    return len(BillerTerm.objects.bulk_create(terms))
