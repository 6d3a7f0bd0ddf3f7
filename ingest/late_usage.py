"""The late usage policy on rows: what late usage makes of closed periods is carried, credited or reported, once.

The rows of `LateSettlement` are the ledger. A fee's late amount less what closed periods settled is for the period
that is open now, so that rating again changes nothing, more late usage adds the difference, and every amount is in
one bill: that of its own fee, that of a fee of late usage, or none where the policy says so.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from ingest.billers import BillerBook
from ingest.calendar import grid_of, start_bounds
from ingest.metering.arithmetic import ZERO, exact_difference, exact_sum
from ingest.metering.events import truncate_to_millisecond
from ingest.metering.periods import Period, active_window, billing_period
from ingest.models import Fee, FeeKind, LateOutcome, LateSettlement, Service, Subscription
from ingest.rating.late_usage import decide_late

# What of a row is decided anew as long as its period is open.
DECIDED = ("policy", "outcome", "amount", "events_count", "settled_at")
CARRIED = (
    "amount",
    "exact_amount",
    "late_amount",
    "events_count",
    "late_events_count",
    "details",
    "rated_at",
)


@dataclass(frozen=True, slots=True)
class _Case:
    """A fee with late usage, the rows of periods that have closed since, and that of the open period if any."""

    fee: Fee
    open: Period
    earlier: Sequence[LateSettlement]
    current: LateSettlement | None

    @property
    def amount(self) -> Decimal:
        """What is late and was not settled with a period that has closed."""
        return exact_difference(self.fee.late_amount, exact_sum(row.amount for row in self.earlier))

    @property
    def own(self) -> Decimal:
        """What the fee's own period bills so far: what was on time, and what was corrected there."""
        corrected = [row.amount for row in self.earlier if row.outcome == LateOutcome.OWN]
        return exact_sum((exact_difference(self.fee.amount, self.fee.late_amount), *corrected))

    @property
    def events_count(self) -> int:
        """How many late events are new since; none when there are fewer, as for a fee that is rated no longer."""
        return max(self.fee.late_events_count - sum(row.events_count for row in self.earlier), 0)


def settle_late_usage(
    *, service: Service, period_label: str, now: datetime, customers: Sequence[int] | None = None
) -> int:
    """Does with a closed period's late usage as the service's policy says; returns how many fees that changed.

    Call it when the period was rated, in the same transaction, with the service as it is now and locked. Of a
    period that had closed before its subscription was known here nothing was billed by this rating, so nothing
    is late to its bill: it stays whole.
    """
    closed_until = now - timedelta(hours=service.grace_hours)
    fees = _read_fees(service, period_label, closed_until, customers)
    if not fees:
        return 0
    cases = [_make_case(fee, closed_until) for fee in fees]
    changed = _settle(cases, service, now)
    return _defer(cases, now) + _carry(changed)


def deferred_amount(settlements: Iterable[LateSettlement]) -> Decimal:
    """What of a fee's amount its own period does not bill, by all of its settlements."""
    return exact_sum(row.amount for row in settlements if row.outcome != LateOutcome.OWN)


def _read_fees(
    service: Service, period_label: str, closed_until: datetime, customers: Sequence[int] | None
) -> list[Fee]:
    is_settled = Exists(LateSettlement.objects.filter(fee=OuterRef("pk")))
    fees: QuerySet[Fee] = Fee.objects.filter(
        subscription__service=service,
        period_label=period_label,
        period_start__range=start_bounds(period_label),
        period_end__lte=closed_until,
    )
    if customers is not None:
        fees = fees.filter(subscription__customer__in=customers)
    found = (
        fees.exclude(kind=FeeKind.LATE)
        .filter(~Q(late_amount=0) | is_settled)
        .select_related("subscription__plan", "subscription__customer__service")
        .prefetch_related("late_settlements")
        .order_by("pk")
    )
    grace = timedelta(hours=service.grace_hours)
    return [
        fee
        for fee in found
        if fee.subscription.created_at <= fee.period_end + grace or fee.late_settlements.all()
    ]


def _make_case(fee: Fee, closed_until: datetime) -> _Case:
    # Everything up to `closed_until` is closed: the period that it lies in is the earliest open one.
    period = billing_period(at=closed_until, **grid_of(fee.subscription))
    rows = {row.period_start: row for row in fee.late_settlements.all()}
    current = rows.pop(period.start, None)
    return _Case(fee, period, list(rows.values()), current)


def _settle(cases: Sequence[_Case], service: Service, now: datetime) -> list[LateSettlement]:
    """Writes the rows of the open periods that are new or other than before, and returns them."""
    billers = BillerBook(case.fee.subscription_id for case in cases)
    bills: dict[tuple[int, datetime], list[_Case]] = defaultdict(list)
    for case in cases:
        bills[case.fee.subscription_id, case.fee.period_start].append(case)
    new: list[LateSettlement] = []
    changed: list[LateSettlement] = []
    for bill in bills.values():
        decided = {"policy": service.late_usage_policy, "outcome": _decide(bill, service, billers)}
        for case in bill:
            values = {**decided, "amount": case.amount, "events_count": case.events_count}
            if case.current is None and case.amount:
                new.append(_make_row(case, **values, settled_at=now))
            elif case.current is not None and _update(case.current, values):
                case.current.settled_at = now
                changed.append(case.current)
    LateSettlement.objects.bulk_create(new)
    LateSettlement.objects.bulk_update(changed, DECIDED)
    return [*new, *changed]


def _decide(bill: Sequence[_Case], service: Service, billers: BillerBook) -> str:
    """One answer for all fees of a subscription's period: a minimum gives back what its usage adds."""
    first = bill[0].fee
    period = bill[0].open
    at_first, at_open = (
        billers.find(subscription_id=first.subscription_id, period_start=start)
        for start in (first.period_start, period.start)
    )
    return decide_late(
        policy=service.late_usage_policy,
        amount=exact_sum(case.amount for case in bill),
        own=exact_sum(case.own for case in bill),
        can_carry=at_first == at_open and _runs_in(first.subscription, period),
    )


def _runs_in(subscription: Subscription, period: Period) -> bool:
    ended_at = subscription.terminated_at
    window = active_window(
        period=period,
        started_at=truncate_to_millisecond(subscription.started_at),
        ended_at=ended_at and truncate_to_millisecond(ended_at),
    )
    return window is not None


def _make_row(case: _Case, **values: Any) -> LateSettlement:
    return LateSettlement(
        fee=case.fee,
        period_start=case.open.start,
        period_end=case.open.end,
        period_label=case.open.label,
        **values,
    )


def _update(row: Any, values: Mapping[str, Any]) -> bool:
    """Sets what differs; whether anything did."""
    differing = {name: value for name, value in values.items() if getattr(row, name) != value}
    for name, value in differing.items():
        setattr(row, name, value)
    return bool(differing)


def _defer(cases: Sequence[_Case], now: datetime) -> int:
    """Takes off each fee's own bill what its settlements bill elsewhere or not at all."""
    settlements: dict[int, list[LateSettlement]] = defaultdict(list)
    for row in LateSettlement.objects.filter(fee__in=[case.fee.pk for case in cases]):
        settlements[row.fee_id].append(row)
    changed = [
        case.fee
        for case in cases
        if _update(case.fee, {"deferred_amount": deferred_amount(settlements[case.fee.pk])})
    ]
    for fee in changed:
        fee.rated_at = now
    Fee.objects.bulk_update(changed, ["deferred_amount", "rated_at"])
    return len(changed)


def _carry(settled: Sequence[LateSettlement]) -> int:
    """Makes the fees of late usage of what these rows carry; one that carries nothing any more becomes zero."""
    kept = {
        (fee.of_fee_id, fee.period_start): fee
        for fee in Fee.objects.filter(kind=FeeKind.LATE, of_fee__in=[row.fee_id for row in settled])
    }
    new: list[Fee] = []
    changed: list[Fee] = []
    for row in settled:
        fee, values = kept.get((row.fee_id, row.period_start)), _carried(row)
        if fee is not None and _update(fee, values):
            changed.append(fee)
        elif fee is None and values["amount"]:
            new.append(_make_fee(row, values))
    Fee.objects.bulk_create(new)
    Fee.objects.bulk_update(changed, CARRIED)
    return len(new) + len(changed)


def _carried(row: LateSettlement) -> dict[str, Any]:
    is_carried = row.outcome == LateOutcome.CARRIED
    amount, events_count = (row.amount, row.events_count) if is_carried else (ZERO, 0)
    return {
        "amount": amount,
        "exact_amount": amount,
        "late_amount": amount,
        "events_count": events_count,
        "late_events_count": events_count,
        "details": [
            {
                "late_usage_of": row.fee.period_label,
                "late_amount": format(row.fee.late_amount, "f"),
                "settled_before": format(exact_difference(row.fee.late_amount, row.amount), "f"),
            }
        ],
        "rated_at": row.settled_at,
    }


def _make_fee(row: LateSettlement, values: Mapping[str, Any]) -> Fee:
    origin = row.fee
    return Fee(
        subscription=origin.subscription,
        kind=FeeKind.LATE,
        of_fee=origin,
        charge_id=origin.charge_id,
        charge_version_id=origin.charge_version_id,
        plan_version_id=origin.plan_version_id,
        period_start=row.period_start,
        period_end=row.period_end,
        period_label=row.period_label,
        filter_values=origin.filter_values,
        grouped_by=origin.grouped_by,
        # One for each fee that something is carried from, beside the period's own.
        bucket=origin.public_id.hex,
        currency=origin.currency,
        quantity=ZERO,
        unit_amount=None,
        **values,
    )
