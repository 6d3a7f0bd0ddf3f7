"""What became of a service's customers, subscriptions and prices, told to it by webhooks (Lago: webhooks, events).

What somebody decided is read from the audit, which is written with each decision; what a date brings about, from the
subscriptions. So nothing that changes them has to know who listens.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from django.db import transaction
from django.db.models import F, Min, Q
from django.db.models.functions import Greatest

from ingest.models import AuditRecord, Charge, Service, Subscription
from ingest.terminations import in_status
from reconciliation.lago.taking import RULE
from reconciliation.models import FactReport, ToldFact
from reconciliation.webhooks import announce, find_endpoints

# How long a decision may take to commit after it was audited.
LATEST_COMMIT = timedelta(hours=1)
# Days before an agreed end (Lago: termination alert).
ALERT_DAYS = (45, 15)

# What each audited action is called. A plan's prices and charges are the plan's.
DECIDED: Mapping[str, str] = {
    "customer.create": "customer.created",
    "customer.restore": "customer.created",
    "customer.change": "customer.updated",
    "subscription.change": "subscription.updated",
    "subscription.downgrade": "subscription.updated",
    "plan.create": "plan.created",
    **dict.fromkeys(
        ("plan.change", "plan.price", "charge.add", "charge.change", "charge.price", "charge.remove"),
        "plan.updated",
    ),
    "plan.delete": "plan.deleted",
    "metric.create": "billable_metric.created",
    "metric.change": "billable_metric.updated",
    "metric.delete": "billable_metric.deleted",
}


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that a service is told: what happened, and to which object, by its public id."""

    webhook_type: str
    object_id: UUID

    @property
    def object_type(self) -> str:
        """What it happened to, as the message calls it."""
        return self.webhook_type.partition(".")[0]


# What a message says of the object of a fact.
Show = Callable[[Fact, datetime], Mapping[str, Any]]
_Found = Iterator[tuple[Fact, UUID]]


def announce_facts(*, now: datetime, show: Show) -> int:
    """Tells every service that listens what happened since it was last told; returns how many messages.

    A fact is told once, however often and concurrently this is called, as its object is when it is told; several
    changes of one object are told together. What happened before a service first listened is not told.
    """
    services = Service.objects.filter(webhook_endpoints__is_active=True, webhook_endpoints__deleted_at=None)
    return sum(_catch_up(service, now, show) for service in services.distinct())


@transaction.atomic
def _catch_up(service: Service, now: datetime, show: Show) -> int:
    first = find_endpoints(service.pk).filter(is_active=True).aggregate(at=Min("created_at"))["at"]
    if first is None:
        return 0
    FactReport.objects.get_or_create(service=service, defaults={"told_until": first})
    report = FactReport.objects.select_for_update().get(service=service)
    since = max(report.told_until - LATEST_COMMIT, first)
    told = _tell(service, since, now, show)
    report.told_until = max(report.told_until, now)
    report.save(update_fields=["told_until"])
    ToldFact.objects.filter(service=service, told_at__lt=report.told_until - 2 * LATEST_COMMIT).delete()
    return told


def _tell(service: Service, since: datetime, now: datetime, show: Show) -> int:
    found = {(fact.webhook_type, key): fact for fact, key in _find_facts(service, since, now)}
    known = ToldFact.objects.filter(service=service, key__in={key for _, key in found})
    for told in known.values_list("webhook_type", "key"):
        found.pop(told, None)
    messages = sum(
        len(
            announce(
                service=service,
                webhook_type=fact.webhook_type,
                object_type=fact.object_type,
                payload=show(fact, now),
            )
        )
        for fact in _put_together(found.values())
    )
    ToldFact.objects.bulk_create(
        ToldFact(service=service, webhook_type=webhook_type, key=key, told_at=now)
        for webhook_type, key in found
    )
    return messages


def _put_together(found: Iterable[Fact]) -> list[Fact]:
    """Each fact once; a plan that is new is told of with its prices and charges already."""
    facts = dict.fromkeys(found)
    new = {fact.object_id for fact in facts if fact.webhook_type == "plan.created"}
    return [fact for fact in facts if fact.webhook_type != "plan.updated" or fact.object_id not in new]


def _find_facts(service: Service, since: datetime, now: datetime) -> _Found:
    rows = Subscription.objects.filter(service=service)
    yield from _find_decided(service, since, now)
    # One that began elsewhere was told of there.
    begun = rows.exclude(metered_from__isnull=False, started_at__lt=F("created_at"))
    begun = begun.annotate(began_at=Greatest("started_at", "created_at")).filter(canceled_at=None)
    yield from _of("subscription.started", begun.filter(began_at__gt=since, started_at__lte=now))
    ended = rows.filter(canceled_at=None, terminated_at__gt=since, terminated_at__lte=now)
    yield from _of("subscription.terminated", ended)
    yield from _of("subscription.canceled", rows.filter(canceled_at__gt=since, canceled_at__lte=now))
    yield from _find_alerts(rows.filter(in_status("active", now)), since, now)


def _find_decided(service: Service, since: datetime, now: datetime) -> _Found:
    """What was decided, by its audit record, in the order in which it was; Lago told of what came from there."""
    records = AuditRecord.objects.filter(
        service=service, action__in=DECIDED, created_at__gt=since, created_at__lte=now
    )
    records = records.exclude(actor=None, actor_label=RULE).order_by("pk")
    found = list(records.values_list("action", "object_id", "public_id"))
    plans = _plans_of(object_id for action, object_id, _ in found if action.startswith("charge."))
    for action, object_id, key in found:
        subject = plans.get(UUID(object_id)) if action.startswith("charge.") else UUID(object_id)
        if subject is not None:
            yield Fact(DECIDED[action], subject), key


def _plans_of(charge_ids: Iterable[str]) -> dict[UUID, UUID]:
    charges = Charge.objects.filter(public_id__in=set(charge_ids))
    return dict(charges.values_list("public_id", "plan__public_id"))


def _of(webhook_type: str, rows: Any) -> _Found:
    for public_id in rows.order_by("pk").values_list("public_id", flat=True):
        yield Fact(webhook_type, public_id), public_id


def _find_alerts(running: Any, since: datetime, now: datetime) -> _Found:
    """Of those whose agreed end has come near: each of the distances once for each end that was agreed on."""
    distances = [timedelta(days=days) for days in ALERT_DAYS]
    is_near = Q()
    for distance in distances:
        is_near |= Q(ending_at__gt=since + distance, ending_at__lte=now + distance)
    for public_id, ending_at in running.filter(is_near).values_list("public_id", "ending_at"):
        for distance in distances:
            if since + distance < ending_at <= now + distance:
                key = uuid5(public_id, f"{distance.days} {ending_at.isoformat()}")
                yield Fact("subscription.termination_alert", public_id), key
