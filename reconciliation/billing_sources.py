"""Which source's bills count: one at a time for each service, dated, and changed by an audited decision."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import DateField, DateTimeField, Func, Q, QuerySet, Value
from django.db.models.functions import Cast, Coalesce, NullIf

from ingest import audit
from ingest.errors import DomainError, require_permission
from ingest.metering.arithmetic import exact_sum
from ingest.models import Phase, Service
from ingest.services import lock_service
from reconciliation.billing_terms import DEFAULT, read_terms
from reconciliation.documents import digest_of
from reconciliation.models import SOURCES_OF_KIND, Amount, BillingKind, BillingSource, RunKind, Side
from reconciliation.runs import request_run

PERMISSION = "reconciliation.add_billingsource"


@dataclass(frozen=True, slots=True)
class Effect:
    """What would count for a period in one currency, before and after; documents, and the sum as they state it."""

    period_label: str
    currency: str
    documents_before: int
    before: Decimal
    documents_after: int
    after: Decimal


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change of the source would do; `digest` is of the figures that a person saw."""

    effects: tuple[Effect, ...]
    digest: str


def preview_change(*, service: Service, kind: BillingKind, starts_on: date) -> Preview:
    """The periods in which something else would count; nothing is written."""
    now = read_terms(service)
    then = now.changed(kind, starts_on)
    groups: dict[tuple[datetime, str, str], list[_Stated]] = defaultdict(list)
    for row in _with_day(service).values_list(
        "period_start", "period_label", "currency", "day", "document__source", "total", "untaxed"
    ):
        start, label, currency, day, source, total, untaxed = row
        before, after = (source in SOURCES_OF_KIND[terms.kind_on(day)] for terms in (now, then))
        groups[start, label, currency].append((before, after, untaxed if total is None else total))
    effects = [
        _add_up(label, currency, groups[start, label, currency]) for start, label, currency in sorted(groups)
    ]
    changed = tuple(effect for effect in effects if effect is not None)
    return Preview(changed, digest_of([kind, starts_on.isoformat(), *map(str, changed)]))


@transaction.atomic
def change_source(
    *, service: Service, kind: BillingKind, starts_on: date, reason: str, digest: str, actor: User
) -> BillingSource:
    """From that day on another source says what the service billed; audited, and what rested on it is judged anew.

    Refuses who may not (`permission_denied`), no reason (`reason_required`), what is so already (`no_change`), a
    service that is live (`service_is_live`), and figures that changed since the preview (`preview_is_stale`).
    """
    require_permission(actor, PERMISSION)
    if not reason.strip():
        raise DomainError("reason_required", "Say why another source should count.")
    service = lock_service(service.pk)
    if service.phase in {Phase.APPROVED, Phase.LIVE}:
        raise DomainError("service_is_live", f"{service} is decided to go live on what counts now.")
    terms = read_terms(service)
    if terms.kind_on(starts_on) == kind:
        raise DomainError("no_change", f"{kind.label} count from that day already.")
    preview = preview_change(service=service, kind=kind, starts_on=starts_on)
    if preview.digest != digest:
        raise DomainError("preview_is_stale", "Amounts arrived since the preview was made: look at it again.")
    BillingSource.objects.filter(service=service, starts_on=starts_on, is_current=True).update(
        is_current=False
    )
    row = BillingSource.objects.create(
        service=service, kind=kind, starts_on=starts_on, reason=reason.strip(), decided_by=actor
    )
    recount(service)
    audit.record(
        actor=actor,
        action="billing_source.change",
        target=row,
        service=service,
        before={"source": terms.kind_on(starts_on), "from": starts_on.isoformat()},
        after={
            "source": kind,
            "from": starts_on.isoformat(),
            "periods": [_show(each) for each in preview.effects],
        },
        reason=reason.strip(),
        evidence_digest=digest,
    )
    if service.phase == Phase.DUAL_RUN:
        request_run(kind=RunKind.RECONCILE, service=service, actor=actor)
    return row


def recount(service: Service) -> None:
    """Marks which amounts count under the terms that hold; call it under the service's lock."""
    terms = read_terms(service).terms
    bounds = [None, *(starts_on for starts_on, _ in terms), None]
    kinds = [DEFAULT, *(kind for _, kind in terms)]
    for kind, first, end in zip(kinds, bounds[:-1], bounds[1:], strict=True):
        rows = _between(_with_day(service), first, end)
        counted = Q(document__source__in=SOURCES_OF_KIND[kind])
        for is_counted, matching in ((True, counted), (False, ~counted)):
            keys = rows.filter(matching, is_current=not is_counted).values_list("pk", flat=True)
            Amount.objects.filter(pk__in=keys).update(is_current=is_counted)


_Stated = tuple[bool, bool, Decimal]


def _add_up(label: str, currency: str, stated: Sequence[_Stated]) -> Effect | None:
    """None where nothing changes."""
    if all(before == after for before, after, _ in stated):
        return None
    before, after = (
        [amount for *counts, amount in stated if counts[place] and amount is not None] for place in (0, 1)
    )
    return Effect(label, currency, len(before), exact_sum(before), len(after), exact_sum(after))


def _show(effect: Effect) -> Mapping[str, str]:
    return {
        "period": effect.period_label,
        "currency": effect.currency,
        "before": f"{effect.before:f}",
        "after": f"{effect.after:f}",
    }


def _with_day(service: Service) -> QuerySet[Any]:
    """The external amounts of current documents, with the local day that their period begins on."""
    zone = Coalesce(NullIf("customer__timezone", Value("")), Value(service.timezone))
    local = Func(zone, "period_start", function="timezone", output_field=DateTimeField())
    return Amount.objects.filter(service=service, side=Side.EXTERNAL, document__is_current=True).annotate(
        day=Cast(local, DateField())
    )


def _between(rows: QuerySet[Any], first: date | None, end: date | None) -> QuerySet[Any]:
    rows = rows if first is None else rows.filter(day__gte=first)
    return rows if end is None else rows.filter(day__lt=end)
