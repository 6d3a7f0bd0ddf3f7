"""The worklist of lines that do not say which period they bill: put there by a fetch, decided by people."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from ingest import audit
from ingest.calendar import grid_of
from ingest.errors import DomainError, require_permission
from ingest.metering.periods import Period, period_by_label
from ingest.models import Customer, Service, Subscription
from reconciliation.models import LineState, Strategy, UnattributedLine

DECIDE = "reconciliation.attribute_line"
# What a fetch may still change: nobody decided on it.
UNDECIDED = (LineState.OPEN, LineState.SETTLED)
FIGURES = ("document", "name", "partner_id", "untaxed", "currency", "why")


@dataclass(frozen=True, slots=True)
class OpenLine:
    """A line that may be a service's and is of no period that we know, and why."""

    odoo_id: int
    occasion: str
    document: str
    name: str
    partner_id: int
    untaxed: Decimal
    currency: str
    why: str


def put_before_people(service: Service, strategy: Strategy, lines: Iterable[OpenLine]) -> int:
    """The lines wait for a person; those that no longer need one are settled. Returns how many wait.

    Call it in the transaction that stores the amounts. A line that a person decided on is not among them.
    """
    rows = [
        UnattributedLine(
            service=service,
            strategy=strategy,
            odoo_id=line.odoo_id,
            occasion=line.occasion,
            state=LineState.OPEN,
            **{name: getattr(line, name) for name in FIGURES},
        )
        for line in lines
    ]
    own = UnattributedLine.objects.filter(service=service, strategy=strategy)
    open_keys = {(row.odoo_id, row.occasion) for row in rows}
    waiting = own.filter(state=LineState.OPEN).values_list("pk", "odoo_id", "occasion")
    settled = [pk for pk, *key in waiting if tuple(key) not in open_keys]
    own.filter(pk__in=settled).update(state=LineState.SETTLED)
    UnattributedLine.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["service", "strategy", "odoo_id", "occasion"],
        update_fields=["state", *FIGURES],
    )
    return len(rows)


@transaction.atomic
def assign_line(
    *, line_id: int, customer: Customer, period_label: str, reason: str, actor: User
) -> UnattributedLine:
    """A person says which customer's period a line bills; it counts there from the next fetch on, audited.

    Refuses who may not (`permission_denied`), a line that a fetch has settled (`settled`), a customer of another
    service (`other_service`), a period that none of the customer's subscriptions has (`unknown_period`), and no
    reason (`reason_required`).
    """
    line = _take(line_id, reason, actor)
    if customer.service_id != line.service_id:
        raise DomainError("other_service", f"{customer} is not a customer of {line.service}.")
    period = _find_period(customer, period_label)
    before = _describe(line)
    line.state, line.customer = LineState.ASSIGNED, customer
    line.period_start, line.period_end, line.period_label = period.start, period.end, period.label
    return _decide(line, before, reason, actor)


@transaction.atomic
def leave_out(*, line_id: int, reason: str, actor: User) -> UnattributedLine:
    """A person says that a line bills nothing of this service, audited; refuses as `assign_line` does."""
    line = _take(line_id, reason, actor)
    before = _describe(line)
    line.state, line.customer = LineState.LEFT_OUT, None
    line.period_start = line.period_end = None
    line.period_label = ""
    return _decide(line, before, reason, actor)


def _take(line_id: int, reason: str, actor: User) -> UnattributedLine:
    require_permission(actor, DECIDE)
    if not reason.strip():
        raise DomainError("reason_required", "Say why: the decision counts as evidence.")
    line = UnattributedLine.objects.select_for_update(of=("self",)).select_related("service").get(pk=line_id)
    if line.state == LineState.SETTLED:
        raise DomainError("settled", "The line no longer needs a decision.")
    return line


def _find_period(customer: Customer, label: str) -> Period:
    rows = Subscription.objects.filter(customer=customer, canceled_at=None)
    for row in rows.select_related("plan", "customer__service"):
        period = period_by_label(label=label, **grid_of(row))
        if period is not None:
            return period
    raise DomainError("unknown_period", f"No subscription of {customer} has a period {label}.")


def _decide(
    line: UnattributedLine, before: dict[str, str | None], reason: str, actor: User
) -> UnattributedLine:
    line.reason, line.decided_by, line.decided_at = reason.strip(), actor, timezone.now()
    line.save()
    audit.record(
        actor=actor,
        action="line.attribute",
        target=line,
        service=line.service,
        before=before,
        after=_describe(line),
        reason=line.reason,
    )
    return line


def _describe(line: UnattributedLine) -> dict[str, str | None]:
    return {
        "state": str(line.state),
        "customer": line.customer.external_id if line.customer else None,
        "period": line.period_label,
        "untaxed": str(line.untaxed),
        "currency": line.currency,
    }
