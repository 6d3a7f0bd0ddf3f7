"""The cutover: a service's billing moves to Odoo, one subscription after the other, on a second person's word."""

from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from ingest import audit
from ingest.billers import switch_biller
from ingest.calendar import first_period_from, first_period_on, midnight_of, running_subscriptions
from ingest.errors import DomainError, require_permission
from ingest.models import Biller, BillerTerm, Phase, Service, Subscription
from ingest.rated_periods import meter_and_rate
from ingest.services import lock_service
from reconciliation import webhooks
from reconciliation.comparison.readiness import Readiness
from reconciliation.comparison.rules import Rule, find_loosened
from reconciliation.models import CutoverRequest, CutoverStatus
from reconciliation.readiness import judged_labels, read_readiness
from reconciliation.reconcile import reconcile_period
from reconciliation.rules import read_loosenings, read_rules

APPROVE = "reconciliation.approve_cutover"
# A date beyond this is a slip of the keyboard.
FARTHEST = timedelta(days=731)
# From which status a request may go to which; anything else is refused.
TRANSITIONS: dict[CutoverStatus, set[CutoverStatus]] = {
    CutoverStatus.REQUESTED: {CutoverStatus.APPROVED, CutoverStatus.REJECTED},
    CutoverStatus.APPROVED: {CutoverStatus.LIVE, CutoverStatus.ROLLED_BACK},
    CutoverStatus.LIVE: {CutoverStatus.ROLLED_BACK},
    CutoverStatus.REJECTED: set(),
    CutoverStatus.ROLLED_BACK: set(),
}


@transaction.atomic
def start_dual_run(*, service: Service, actor: User | None) -> Service:
    """Moves a service from shadow into its dual run: from now on its closed periods count."""
    require_permission(actor, "ingest.change_service")
    service = lock_service(service.pk)
    if service.phase != Phase.SHADOW:
        raise DomainError("not_in_shadow", f"{service} is not in shadow.")
    _set_phase(service, Phase.DUAL_RUN, actor, "service.start_dual_run")
    return service


@transaction.atomic
def request_cutover(*, service: Service, effective_date: date, comment: str, actor: User) -> CutoverRequest:
    """Asks a manager to move a service to Odoo from a date on; keeps the readiness report as it stands.

    It may be asked before everything is ready; approval is what readiness decides. Refuses a service that is
    not in its dual run (`not_in_dual_run`), a date that is past (`date_is_past`) or years away
    (`date_is_too_far`), and a second open request.
    """
    require_permission(actor, "reconciliation.request_cutover")
    service = lock_service(service.pk)
    if service.phase != Phase.DUAL_RUN:
        raise DomainError("not_in_dual_run", f"{service} is not in its dual run.")
    today = timezone.localdate(timezone=ZoneInfo(service.timezone))
    if effective_date <= today:
        raise DomainError("date_is_past", "The effective date must be in the future.")
    if effective_date > today + FARTHEST:
        raise DomainError("date_is_too_far", "The effective date must be within two years.")
    readiness = read_readiness(service=service, effective_date=effective_date)
    try:
        with transaction.atomic():
            request = CutoverRequest.objects.create(
                service=service,
                effective_date=effective_date,
                comment=comment.strip(),
                requested_by=actor,
                readiness=asdict(readiness),
                evidence_digest=readiness.digest,
            )
    except IntegrityError as error:
        raise DomainError("already_requested", f"A cutover of {service} is already under way.") from error
    _record(request, actor, "cutover.request", {}, comment)
    return request


def approve(*, request_id: int, actor: User, seen: str, comment: str = "") -> CutoverRequest:
    """Approves a request: every subscription gets its first period that Odoo bills, and the service is told.

    `seen` is the digest of the readiness report that the person decided on, for the request's effective date.
    The newest closed periods are metered, rated and reconciled anew first, under the lock of the decision: usage,
    prices and amounts that came since the last run cannot slip by, and none can come in between. What that finds
    is kept when it refuses. It takes tens of seconds for tens of thousands of customers; a service is approved once.
    Refuses the person who asked, or who loosened a rule during the dual run (`same_person`), a request whose rules
    were loosened since (`rules_loosened`), usage that cannot be priced (`invalid_properties`), any unmet condition,
    read anew now (`not_ready`), and a report that is no longer the one that was seen (`changed_since_seen`); there
    is no override.
    """
    require_permission(actor, APPROVE)
    request, refusal = _approve(request_id, actor, seen, comment)
    if refusal is not None:
        raise refusal
    return request


@transaction.atomic
def _approve(
    request_id: int, actor: User, seen: str, comment: str
) -> tuple[CutoverRequest, DomainError | None]:
    """The request, and why it is not approved: that is returned, so that the figures which show it are committed."""
    request = _lock(request_id, CutoverStatus.APPROVED)
    _refuse_same_person(request, actor)
    _refuse_loosened(request, actor)
    _judge_anew(request.service)
    readiness = read_readiness(service=request.service, effective_date=request.effective_date)
    refusal = _find_refusal(readiness, seen)
    if refusal is not None:
        return request, refusal
    request.readiness, request.evidence_digest = asdict(readiness), readiness.digest
    _decide(request, CutoverStatus.APPROVED, actor, comment)
    switched = assign_to_odoo(request, actor=actor)
    _set_phase(request.service, Phase.APPROVED, actor, "service.approve")
    _record(request, actor, "cutover.approve", {"subscriptions": switched}, comment)
    _announce(request, "cutover.approved")
    return request, None


def _find_refusal(readiness: Readiness, seen: str) -> DomainError | None:
    unmet = [condition.label for condition in readiness.conditions if not condition.is_met]
    if unmet:
        return DomainError("not_ready", f"Not ready, this is unmet: {'; '.join(unmet)}.")
    if readiness.digest != seen:
        message = "Figures have changed since you looked: look at the readiness as it is now, then decide."
        return DomainError("changed_since_seen", message)
    return None


def _judge_anew(service: Service) -> None:
    if service.phase == Phase.DUAL_RUN:
        for label in judged_labels(service):
            now = timezone.now()
            meter_and_rate(service=service, period_label=label, now=now)
            reconcile_period(service=service, period_label=label, now=now)


@transaction.atomic
def reject(*, request_id: int, actor: User, comment: str) -> CutoverRequest:
    """Rejects a request with a comment; whoever asked may not decide (`same_person`)."""
    require_permission(actor, APPROVE)
    if not comment.strip():
        raise DomainError("comment_required", "Say why it is rejected.")
    request = _lock(request_id, CutoverStatus.REJECTED)
    _refuse_same_person(request, actor)
    _decide(request, CutoverStatus.REJECTED, actor, comment)
    _record(request, actor, "cutover.reject", {}, comment)
    return request


@transaction.atomic
def roll_back(*, request_id: int, actor: User, reason: str) -> CutoverRequest:
    """Gives billing back to the service, from each subscription's next period start on.

    A period that Odoo has begun to bill stays with Odoo: nobody is billed twice for it.
    """
    require_permission(actor, APPROVE)
    if not reason.strip():
        raise DomainError("reason_required", "Say why it is rolled back.")
    request = _lock(request_id, CutoverStatus.ROLLED_BACK)
    now = timezone.now()
    switched = switch_biller(
        switches=[
            (subscription, first_period_from(subscription, max(now, _midnight(subscription, request))).start)
            for subscription in running_subscriptions(request.service, now)
        ],
        biller=Biller.SERVICE,
        actor=actor,
        reason=reason.strip(),
    )
    request.status = CutoverStatus.ROLLED_BACK
    request.rolled_back_by, request.rolled_back_at, request.rollback_reason = actor, now, reason.strip()
    request.save(update_fields=["status", "rolled_back_by", "rolled_back_at", "rollback_reason"])
    _set_phase(request.service, Phase.DUAL_RUN, actor, "service.roll_back")
    _record(request, actor, "cutover.roll_back", {"subscriptions": switched}, reason)
    _announce(request, "cutover.rolled_back")
    return request


def activate_due(*, now: datetime) -> int:
    """Moves approved services to live once their date has come, and gives late subscriptions their biller.

    A subscription created after the approval switches by the same rule as all others. Returns how many
    services went live.
    """
    under_way = CutoverRequest.objects.filter(status__in=[CutoverStatus.APPROVED, CutoverStatus.LIVE])
    return sum(_activate(pk, now) for pk in list(under_way.values_list("pk", flat=True)))


@transaction.atomic
def _activate(pk: int, now: datetime) -> bool:
    request = _lock_row(pk)
    if request.status not in {CutoverStatus.APPROVED, CutoverStatus.LIVE}:
        return False
    assign_to_odoo(request, actor=None)
    if request.status == CutoverStatus.LIVE or now < _starts_at(request):
        return False
    _go_live(request)
    return True


def assign_to_odoo(request: CutoverRequest, *, actor: User | None) -> int:
    """Gives each subscription that has none yet its first period that Odoo bills; returns how many got one.

    All that ran after the decision: one that began and ended between two sweeps is Odoo's too. One that ended
    before its first such period has none.
    """
    given = BillerTerm.objects.filter(
        subscription=OuterRef("pk"), biller=Biller.ODOO, created_at__gte=request.decided_at
    )
    ran = running_subscriptions(request.service, request.decided_at or timezone.now())
    switches = [
        (subscription, first_period_on(subscription, request.effective_date).start)
        for subscription in ran.filter(~Exists(given))
    ]
    return switch_biller(
        switches=[
            (subscription, start)
            for subscription, start in switches
            if subscription.terminated_at is None or start < subscription.terminated_at
        ],
        biller=Biller.ODOO,
        actor=actor,
        reason=f"Cutover to Odoo on {request.effective_date}",
    )


def _go_live(request: CutoverRequest) -> None:
    request.status = CutoverStatus.LIVE
    request.save(update_fields=["status"])
    _set_phase(request.service, Phase.LIVE, None, "service.go_live")
    _record(request, None, "cutover.go_live", {}, "")
    _announce(request, "cutover.live")


def _midnight(subscription: Subscription, request: CutoverRequest) -> datetime:
    return midnight_of(subscription.customer, request.effective_date)


def _starts_at(request: CutoverRequest) -> datetime:
    """The effective date's midnight where the service is."""
    zone = ZoneInfo(request.service.timezone)
    return datetime.combine(request.effective_date, time.min, zone).astimezone(UTC)


def _lock_row(pk: int) -> CutoverRequest:
    request = CutoverRequest.objects.select_for_update().get(pk=pk)
    request.service = lock_service(request.service_id)
    return request


def _lock(pk: int, to: CutoverStatus) -> CutoverRequest:
    request = _lock_row(pk)
    if to not in TRANSITIONS[CutoverStatus(request.status)]:
        label = request.get_status_display().lower()
        raise DomainError("wrong_status", f"The request is {label}: it cannot become {to.label.lower()}.")
    return request


def _refuse_same_person(request: CutoverRequest, actor: User) -> None:
    if request.requested_by_id == actor.pk:
        raise DomainError("same_person", "Whoever asked for a cutover may not decide on it.")


def _refuse_loosened(request: CutoverRequest, actor: User) -> None:
    """Four eyes on the rules: nobody approves by rules that they loosened, nor a request made under stricter ones."""
    if actor.pk in {loosening.actor_id for loosening in read_loosenings(request.service)}:
        raise DomainError(
            "same_person", "Whoever loosened the rules of a dual run may not approve its cutover."
        )
    asked_under = [Rule(**rule) for rule in request.readiness.get("rules", [])]
    loosened = find_loosened(asked_under, read_rules(request.service)) if asked_under else []
    if loosened:
        message = (
            f"Since it was asked for the rules were loosened: {', '.join(loosened)}. Reject it and ask again."
        )
        raise DomainError("rules_loosened", message)


def _decide(request: CutoverRequest, status: CutoverStatus, actor: User, comment: str) -> None:
    request.status, request.decided_by, request.decided_at = status, actor, timezone.now()
    request.decision_comment = comment.strip()
    request.save()


def _set_phase(service: Service, phase: Phase, actor: User | None, action: str) -> None:
    before, service.phase, service.phase_since = service.phase, phase, timezone.now()
    service.save(update_fields=["phase", "phase_since"])
    audit.record(
        actor=actor,
        action=action,
        target=service,
        service=service,
        before={"phase": before},
        after={"phase": phase},
        rule="effective date reached",
    )


def _record(
    request: CutoverRequest, actor: User | None, action: str, facts: dict[str, object], reason: str
) -> None:
    audit.record(
        actor=actor,
        action=action,
        target=request,
        service=request.service,
        after={"status": request.status, "effective_date": str(request.effective_date), **facts},
        reason=reason.strip(),
        evidence_digest=request.evidence_digest,
        rule="effective date reached",
    )


def _announce(request: CutoverRequest, webhook_type: str) -> None:
    webhooks.announce(
        service=request.service,
        webhook_type=webhook_type,
        object_type="cutover",
        payload={
            "lago_id": str(request.public_id),
            "service_code": request.service.code,
            "status": request.status,
            "effective_date": str(request.effective_date),
        },
    )
