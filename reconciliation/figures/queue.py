"""The queue of reconciliations: its views, what is at stake in a row, and what a bulk decision was based on."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Count, Max, Q, QuerySet, Sum, Value
from django.db.models.functions import Abs, Coalesce
from django.utils import timezone

from ingest.models.fields import ExactDecimalField
from reconciliation.models import Outcome, Reconciliation, Status

Rows = QuerySet[Reconciliation]

# Nothing on both sides agrees, and says nothing.
ZERO_AGAINST_ZERO = Q(outcome=Outcome.COMPARED, odoo_amount=0, external_amount=0)
REOPENED = Q(status=Status.DELTA, reopened_at__isnull=False)
OVER_BILLED = Q(outcome=Outcome.COMPARED, delta__gt=0) & ~Q(status=Status.MATCH)
UNDER_BILLED = Q(outcome=Outcome.COMPARED, delta__lt=0) & ~Q(status=Status.MATCH)

AT_STAKE = Coalesce(
    Abs("delta"),
    Abs("odoo_amount"),
    Abs("external_amount"),
    Value(Decimal(0), output_field=ExactDecimalField()),
)

DEFAULT_VIEW = "triage"
# Counting further costs more than it tells.
MOST_COUNTED = 1000


@dataclass(frozen=True, slots=True)
class View:
    """A saved view of the queue: its name in the address, its title, and which rows it holds."""

    name: str
    title: str
    rows: Q


def views_of(user: User) -> tuple[View, ...]:
    """The views in the order of their tabs, as this person sees them."""
    return (
        View(DEFAULT_VIEW, "To triage", Q(status=Status.DELTA)),
        View("mine", "Mine", Q(status=Status.DELTA, owner=user.pk)),
        View("reopened", "Reopened", REOPENED),
        View("tolerance", "Within tolerance", Q(status=Status.MATCH)),
        View("resolved", "Resolved", Q(status=Status.RESOLVED)),
        View("all", "All", Q()),
    )


def count_views(rows: Rows, user: User) -> Mapping[str, str]:
    """How many of the rows each view holds, by its name; past a thousand only that there are more."""
    counted = {}
    for view in views_of(user):
        count = rows.filter(view.rows).order_by()[: MOST_COUNTED + 1].count()
        counted[view.name] = f"{MOST_COUNTED:,}+" if count > MOST_COUNTED else f"{count:,}"
    return counted


def with_stake(rows: Rows) -> QuerySet[Any]:
    """Each row with the money at stake: its delta's size, or all of the one side that is there."""
    return rows.annotate(at_stake=AT_STAKE)


def share_of(row: Reconciliation) -> Decimal | None:
    """The delta as a share of what was billed; None when there is none, or nothing was billed."""
    if row.delta is None or not row.external_amount:
        return None
    return row.delta / abs(row.external_amount)


def age_of(row: Reconciliation) -> int | None:
    """For how many days an open row has been waiting, since it was reopened if it was."""
    if row.status != Status.DELTA:
        return None
    return (timezone.now() - (row.reopened_at or row.created_at)).days


def fingerprint(rows: Rows) -> str:
    """What a decision on many rows is based on: it changes when a row joins, leaves or changes."""
    facts = rows.order_by().aggregate(
        count=Count("pk"), ids=Sum("pk"), versions=Sum("version"), newest=Max("reconciled_at")
    )
    return hashlib.sha256(repr(sorted(facts.items())).encode()).hexdigest()


def read_next(row: Reconciliation, rows: Rows) -> Reconciliation | None:
    """The open one of these rows with the most at stake after this one, which is where work goes on."""
    waiting = with_stake(rows.filter(status=Status.DELTA).exclude(pk=row.pk))
    waiting = waiting.select_related("customer", "service").order_by("-at_stake", "-pk")
    stake = stake_of(row)
    return waiting.filter(Q(at_stake__lt=stake) | Q(at_stake=stake, pk__lt=row.pk)).first() or waiting.first()


def stake_of(row: Reconciliation) -> Decimal:
    """The money at stake in one row, as `with_stake` has it."""
    amounts = (row.delta, row.odoo_amount, row.external_amount)
    return abs(next((amount for amount in amounts if amount is not None), Decimal(0)))
