"""Subscriptions from Lago: who is on which plan since when, with their past left where it was billed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from rest_framework import serializers

from ingest.calendar import grid_of
from ingest.errors import DomainError
from ingest.inputs.codes import InstantField
from ingest.inputs.fields import TextField, check_input
from ingest.inputs.subscriptions import SubscriptionInput, to_columns
from ingest.metering.periods import billing_period
from ingest.models import Customer, LagoId, LagoKind, Plan, Subscription, SubscriptionStatus
from ingest.models.public import PublicModel
from ingest.prices import plan_version_at
from ingest.rating.money import to_cents
from ingest.subscriptions import end_subscription, keep_up, take_over
from ingest.terminations import not_over
from reconciliation.connectors.lago.records import LagoRecord
from reconciliation.lago.answers import SUBSCRIPTION, pick
from reconciliation.lago.taking import RULE, Errand, Skip, Taken

Values = Mapping[str, Any]
INCOMPLETE = "incomplete"
OVERRIDDEN = (
    "It has prices of its own (plan_overrides), and plans here have one each; give it its own plan in Lago."
)
# Lago's own clocks move by this much between the end of one subscription and the start of the next; what is known
# already stays as it was, so that nothing of a period is between two of them.
NEAR = timedelta(days=1)


class SubscriptionRecord(SubscriptionInput):
    """A subscription as Lago answers it: what its API takes, and what has become of it."""

    status = serializers.ChoiceField(choices=[*SubscriptionStatus.values, INCOMPLETE])
    started_at = InstantField(required=False)
    terminated_at = InstantField(required=False)
    canceled_at = InstantField(required=False)
    previous_plan_code = TextField(required=False)

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        """What has happened needs not be what was agreed on."""
        return values


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """Subscriptions; `overridden` are those with prices of their own, None where nobody can say."""

    overridden: frozenset[str] | None = None
    kind = LagoKind.SUBSCRIPTION

    def name(self, values: Values) -> str:
        return str(values.get("external_id", ""))

    def pick(self, values: Values) -> dict[str, Any]:
        return pick(values, SUBSCRIPTION)

    def find(self, errand: Errand, public_id: UUID) -> tuple[PublicModel | None, bool]:
        rows = Subscription.objects.select_related("plan", "customer")
        row = rows.filter(service=errand.service, public_id=public_id).first()
        return row, row is not None

    def find_twin(self, errand: Errand, said: Values) -> PublicModel | None:
        """What runs here under the external id, and came from nowhere else."""
        external_id = said.get("external_id")
        if not isinstance(external_id, str) or said.get("status") != SubscriptionStatus.ACTIVE:
            return None
        row = not_over(errand.now).filter(service=errand.service, external_id=external_id).first()
        if row is None or row.customer.external_id != said.get("external_customer_id"):
            return None
        known = LagoId.objects.filter(service=errand.service, kind=self.kind, public_id=row.public_id)
        return None if known.exists() else row

    def is_due(self, errand: Errand, row: PublicModel) -> bool:
        """Where an earlier day is asked for, from which its periods are metered."""
        known = row.metered_from if isinstance(row, Subscription) else None
        return errand.since is not None and known is not None and errand.since < known

    def check_new(self, errand: Errand, record: LagoRecord, said: Values) -> None:
        status = said.get("status")
        if status == SubscriptionStatus.CANCELED:
            raise Skip("it was canceled before it began")
        if status == SubscriptionStatus.TERMINATED and not errand.with_ended:
            raise Skip("it has ended; --with-ended brings it")
        if status == INCOMPLETE:
            raise DomainError(
                "incomplete", "It waits for its first payment in Lago; settle that, then import again."
            )
        if self._is_overridden(errand, record):
            raise DomainError("overridden", OVERRIDDEN)

    def take(self, errand: Errand, said: Values, row: PublicModel | None) -> Taken:
        values = check_input(SubscriptionRecord(data=said))
        known = row if isinstance(row, Subscription) else None
        if values["status"] == SubscriptionStatus.CANCELED:
            return Taken(_cancel(errand, known))
        if known is not None and _has_ended_here(errand, known, values):
            raise DomainError(
                "ended_here", "It ended here and runs on in Lago; end it there, or begin it anew here."
            )
        customer, plan = _find_customer(errand, values), _find_plan(errand, values)
        terms = _read_terms(errand, values, known)
        if known is not None:
            return Taken(keep_up(subscription=known, plan=plan, terms=terms, rule=RULE))
        taken = take_over(
            customer=customer, plan=plan, external_id=values["external_id"], terms=terms, rule=RULE
        )
        return Taken(taken)

    def _is_overridden(self, errand: Errand, record: LagoRecord) -> bool:
        """By Lago's word, else by another base amount than its plan's."""
        if self.overridden is not None:
            return record.lago_id in self.overridden
        cents, code = record.values.get("plan_amount_cents"), record.values.get("plan_code")
        plans = Plan.objects.filter(service=errand.service, deleted_at=None)
        plan = plans.filter(code=code).first() if isinstance(code, str) else None
        version = None if plan is None else plan_version_at(plan, errand.now)
        if plan is None or version is None or not isinstance(cents, int):
            return False
        return cents != to_cents(version.amount, plan.currency)


def order_of(record: LagoRecord) -> tuple[str, str]:
    """Sorts each external id's subscriptions as they followed one another; what is to begin comes last."""
    external_id, started_at = record.values.get("external_id"), record.values.get("started_at")
    return str(external_id), started_at if isinstance(started_at, str) and started_at else "~"


def _read_terms(errand: Errand, values: Values, known: Subscription | None) -> dict[str, Any]:
    """The columns that a subscription of Lago's has here."""
    columns = {"name": "", "ending_at": None, **to_columns(_without_dates(values))}
    started_at = values.get("started_at") or _planned_start(errand, values)
    terminated_at = values.get("terminated_at") or columns["ending_at"]
    if known is not None:
        started_at = _keep_near(known.started_at, started_at)
        terminated_at = _keep_near(known.terminated_at, terminated_at)
        if terminated_at is None and known.next_ones.filter(canceled_at=None).exists():
            # What is to follow it begins when it ends; Lago sets the end on that day.
            terminated_at = known.terminated_at
    return {
        **columns,
        "subscription_at": values.get("subscription_at"),
        "started_at": started_at,
        "terminated_at": terminated_at,
        "metered_from": errand.since or errand.now,
        "follows": values.get("previous_plan_code", ""),
    }


def _without_dates(values: Values) -> dict[str, Any]:
    told = ("status", "started_at", "terminated_at", "canceled_at", "previous_plan_code", "subscription_at")
    return {name: value for name, value in values.items() if name not in told}


def _planned_start(errand: Errand, values: Values) -> datetime:
    """When one that is to begin begins: after the one before it, else when it was agreed to."""
    external_id = values["external_id"]
    current = not_over(errand.now).filter(service=errand.service, external_id=external_id).first()
    if values.get("previous_plan_code") and current is not None:
        return billing_period(at=max(errand.now, current.started_at), **grid_of(current)).end
    planned: datetime | None = values.get("subscription_at")
    if planned is None:
        raise DomainError("no_start", "It says neither when it started nor when it is to.")
    return planned


def _keep_near(ours: datetime | None, theirs: datetime | None) -> datetime | None:
    if ours is not None and theirs is not None and abs(ours - theirs) < NEAR:
        return ours
    return theirs


def _has_ended_here(errand: Errand, known: Subscription, values: Values) -> bool:
    is_over = known.status_at(errand.now) in (SubscriptionStatus.TERMINATED, SubscriptionStatus.CANCELED)
    is_replaced = known.next_ones.filter(canceled_at=None).exists()
    return is_over and not is_replaced and values["status"] != SubscriptionStatus.TERMINATED


def _cancel(errand: Errand, known: Subscription | None) -> Subscription:
    if known is None or known.canceled_at is not None:
        raise Skip("it was canceled before it began")
    if known.started_at <= errand.now:
        raise DomainError("has_begun", "It was canceled in Lago, but has begun here; end it by the API.")
    return end_subscription(subscription=known, values={}, rule=RULE)


def _find_customer(errand: Errand, values: Values) -> Customer:
    external_id = values["external_customer_id"]
    row = Customer.objects.filter(service=errand.service, external_id=external_id, deleted_at=None).first()
    if row is None:
        raise DomainError("unknown_customer", f"Its customer {external_id} is not here; bring it first.")
    return row


def _find_plan(errand: Errand, values: Values) -> Plan:
    code = values.get("plan_code", "")
    row = Plan.objects.filter(service=errand.service, code=code, deleted_at=None).first()
    if row is None:
        raise DomainError("unknown_plan", f"Its plan {code} is not here; bring it first.")
    return row
