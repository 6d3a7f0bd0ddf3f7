"""The rules of whose a bill is: each service's, in versions, previewed on what was read before they hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q

from ingest import audit
from ingest.errors import DomainError, require_permission
from ingest.models import Service
from ingest.services import lock_service
from reconciliation.comparison.ownership import (
    Book,
    Claim,
    Fact,
    Rule,
    RuleError,
    find_claims,
    parse_rules,
    write_rules,
)
from reconciliation.connectors.stripe.facts import read_facts
from reconciliation.connectors.stripe.records import Kind
from reconciliation.documents import digest_of
from reconciliation.models import ClaimRules, RecordState, RunKind, StripeRecord
from reconciliation.runs import request_run

PERMISSION = "reconciliation.add_claimrules"
# The bills that rules are asked about; everything else belongs to one of them.
CLAIMABLE = (Kind.INVOICES, Kind.CHARGES)
# What no rule is asked about: Odoo's own, what paid a bill, what bills nothing.
SETTLED = (RecordState.ODOO, RecordState.EVIDENCE, RecordState.UNBILLED)
# The newest of each kind that a preview reads; the run that follows a decision reads all.
PREVIEWED = 5_000


@dataclass(frozen=True, slots=True)
class Effect:
    """What new rules would do to bills in one currency: how many, and the money that they are for."""

    change: str
    currency: str
    count: int
    amount: Decimal
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """What new rules would do to the bills that were read; `digest` is of what a person saw."""

    rules: tuple[Rule, ...]
    effects: tuple[Effect, ...]
    seen: int
    digest: str


def read_books() -> list[Book]:
    """The rules in force of every service."""
    rows = ClaimRules.objects.filter(is_current=True).order_by("service")
    return [Book(row.service_id, row.version, _read_rules(row)) for row in rows]


def write_current(service: Service) -> str:
    """A service's rules in force, as people write them."""
    row = ClaimRules.objects.filter(service=service, is_current=True).first()
    return write_version(row) if row else ""


def write_version(row: ClaimRules) -> str:
    """A version's rules, as people write them."""
    return write_rules(_read_rules(row))


def preview_rules(*, service: Service, text: str) -> Preview:
    """What rules would claim, let go and contest among the bills that were read; nothing is written.

    Refuses what are no rules (`invalid_rule`).
    """
    rules = _parse(text)
    others = [book for book in read_books() if book.service_id != service.pk]
    books = [*others, Book(service.pk, 0, rules)]
    found: dict[tuple[str, str], list[StripeRecord]] = {}
    seen = 0
    for kind in CLAIMABLE:
        rows = StripeRecord.objects.filter(kind=kind).exclude(state__in=SETTLED)
        for row in rows.order_by("-created", "-pk")[:PREVIEWED].iterator(500):
            seen += 1
            change = _find_change(service, row, find_claims(read_facts(row.raw), books))
            if change:
                found.setdefault((change, row.currency), []).append(row)
    effects = tuple(_sum_up(*key, rows) for key, rows in sorted(found.items()))
    return Preview(rules, effects, seen, digest_of([text, *map(str, effects)]))


@transaction.atomic
def save_rules(*, service: Service, text: str, reason: str, digest: str, actor: User) -> ClaimRules:
    """Puts rules in force as a new version, audited; what was read is attributed anew by a run.

    Refuses who may not (`permission_denied`), no reason (`reason_required`), what are no rules (`invalid_rule`),
    rules that hold already (`no_change`), and bills that came since the preview (`preview_is_stale`).
    """
    require_permission(actor, PERMISSION)
    if not reason.strip():
        raise DomainError("reason_required", "Say why these rules should hold.")
    lock_service(service.pk)
    rules = _parse(text)
    last = ClaimRules.objects.filter(service=service).order_by("-version").first()
    before = write_current(service)
    if write_rules(rules) == before:
        raise DomainError("no_change", "These rules hold already.")
    if preview_rules(service=service, text=text).digest != digest:
        raise DomainError("preview_is_stale", "Bills came since the preview was made: look at it again.")
    ClaimRules.objects.filter(service=service, is_current=True).update(is_current=False)
    row = ClaimRules.objects.create(
        service=service,
        version=last.version + 1 if last else 1,
        rules=[{"fact": rule.fact, "key": rule.key, "value": rule.value} for rule in rules],
        reason=reason.strip(),
        decided_by=actor,
    )
    audit.record(
        actor=actor,
        action="claim_rules.change",
        target=row,
        service=service,
        before={"rules": before.splitlines()},
        after={"rules": write_rules(rules).splitlines(), "version": row.version},
        reason=reason.strip(),
        evidence_digest=digest,
    )
    wake_bills()
    request_run(kind=RunKind.STRIPE, service=None, actor=None, parameters={"only": "settle"})
    return row


def wake_bills() -> None:
    """Lets every bill be attributed again; what comes to the same changes nothing."""
    rows = StripeRecord.objects.filter(Q(kind__in=CLAIMABLE) | Q(kind=Kind.CREDIT_NOTES))
    rows.update(state=RecordState.WAITING)


def _read_rules(row: ClaimRules) -> tuple[Rule, ...]:
    return tuple(Rule(Fact(each["fact"]), each["value"], each["key"]) for each in row.rules)


def _parse(text: str) -> tuple[Rule, ...]:
    try:
        return parse_rules(text)
    except RuleError as error:
        raise DomainError(error.code, error.message) from None


def _find_change(service: Service, row: StripeRecord, claims: Sequence[Claim]) -> str:
    """What would change for a bill; empty where nothing does."""
    is_mine = any(claim.service_id == service.pk for claim in claims)
    was_mine = row.service_id == service.pk
    if len(claims) > 1:
        return "claimed twice" if is_mine else ""
    if is_mine and not was_mine:
        return "claimed anew"
    return "let go" if was_mine and not is_mine and not row.pays else ""


def _sum_up(change: str, currency: str, rows: Sequence[StripeRecord]) -> Effect:
    amount = sum((row.amount or Decimal(0) for row in rows), Decimal(0))
    return Effect(change, currency, len(rows), amount, tuple(row.stripe_id for row in rows[:5]))
