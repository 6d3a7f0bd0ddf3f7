"""Who bills a subscription's period: asked by every write that could bill, changed only by a cutover."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db.models import OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from ingest import audit
from ingest.models import BEGINNING, Biller, BillerTerm, Fee, Subscription

# The rule of `biller_of` for statements over a fee `fee`.
BILLER_OF_FEE = """coalesce((
    SELECT term.biller FROM ingest_billerterm AS term
    WHERE term.subscription_id = fee.subscription_id AND term.starts_at <= fee.period_start
    ORDER BY term.starts_at DESC LIMIT 1
), 'service')"""


def biller_of(*, subscription: Subscription, period_start: datetime) -> Biller:
    """The biller of the period that starts then: the latest term at or before it, else the service."""
    term = subscription.biller_terms.filter(starts_at__lte=period_start).order_by("-starts_at").first()
    return Biller(term.biller) if term else Biller.SERVICE


class BillerBook:
    """The billers of many subscriptions' periods by the rule of `biller_of`, read in one query."""

    def __init__(self, subscriptions: Iterable[int]) -> None:
        self._terms: dict[int, list[BillerTerm]] = defaultdict(list)
        for term in BillerTerm.objects.filter(subscription__in=set(subscriptions)).order_by("starts_at"):
            self._terms[term.subscription_id].append(term)

    def find(self, *, subscription_id: int, period_start: datetime) -> Biller:
        """The biller of the subscription's period that starts then."""
        begun = [term for term in self._terms[subscription_id] if term.starts_at <= period_start]
        return Biller(begun[-1].biller) if begun else Biller.SERVICE


def billed_by(biller: Biller, fees: QuerySet[Fee]) -> QuerySet[Fee]:
    """Those of the fees whose period a biller bills, by the same rule as `biller_of`, in the same query."""
    terms = BillerTerm.objects.filter(
        subscription=OuterRef("subscription"), starts_at__lte=OuterRef("period_start")
    ).order_by("-starts_at")
    return fees.annotate(
        biller=Coalesce(Subquery(terms.values("biller")[:1]), Value(Biller.SERVICE.value))
    ).filter(biller=biller)


def switch_biller(
    *, switches: Iterable[tuple[Subscription, datetime]], biller: Biller, actor: User | None, reason: str
) -> int:
    """Gives each subscription a biller from a period start on; returns how many changed hands, each audited.

    Call it in the decision's transaction. A term from that instant on is replaced, so give no instant that is
    past: a term that came into force stays.
    """
    wanted = dict(switches)
    terms = _read_terms(wanted)
    replaced: list[BillerTerm] = []
    added: list[BillerTerm] = []
    decisions: list[audit.Decision] = []
    for subscription, starts_at in wanted.items():
        kept = [term for term in terms[subscription.pk] if term.starts_at < starts_at]
        later = terms[subscription.pk][len(kept) :]
        is_switch = (kept[-1].biller if kept else Biller.SERVICE) != biller
        new = [BillerTerm(subscription=subscription, biller=biller, starts_at=starts_at)] if is_switch else []
        if _describe(new) != _describe(later):
            replaced += later
            added += new
            decisions.append(_decision(subscription, kept + later, kept + new, actor, reason))
    BillerTerm.objects.filter(pk__in=[term.pk for term in replaced]).delete()
    BillerTerm.objects.bulk_create(added)
    return audit.record_all(decisions)


def forget_terms(subscriptions: Iterable[Subscription], *, reason: str) -> None:
    """Takes back who was to bill subscriptions of which no period was billed, because their periods move.

    A term that starts in the middle of a moved period would leave that period to nobody. What a cutover decided
    is given again by the sweep that gives late subscriptions theirs.
    """
    switch_biller(
        switches=[(subscription, BEGINNING) for subscription in subscriptions],
        biller=Biller.SERVICE,
        actor=None,
        reason=reason,
    )


def _decision(
    subscription: Subscription,
    before: Sequence[BillerTerm],
    after: Sequence[BillerTerm],
    actor: User | None,
    reason: str,
) -> audit.Decision:
    return audit.Decision(
        actor=actor,
        action="subscription.switch_biller",
        target=subscription,
        service=subscription.customer.service,
        before={"terms": _describe(before)},
        after={"terms": _describe(after)},
        reason=reason,
        rule="cutover",
    )


def _read_terms(subscriptions: Iterable[Subscription]) -> dict[int, list[BillerTerm]]:
    terms: dict[int, list[BillerTerm]] = defaultdict(list)
    for term in BillerTerm.objects.filter(subscription__in=list(subscriptions)).order_by("starts_at"):
        terms[term.subscription_id].append(term)
    return terms


def _describe(terms: Sequence[BillerTerm]) -> list[dict[str, Any]]:
    return [{"biller": str(term.biller), "from": term.starts_at.isoformat()} for term in terms]
