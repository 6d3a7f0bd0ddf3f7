"""What a push would change in Odoo, before anybody confirms it: from the fees as they were rated last."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from django.db import OperationalError, connection, transaction

from ingest.errors import DomainError
from ingest.models import Customer, RatedPeriod, Service
from ingest.rated_periods import meter_and_rate
from reconciliation.intents import Intent, find_changes
from reconciliation.models import Amount, Push, PushKind, PushStatus
from reconciliation.quotations import Refusal

MOST_SHOWN = 50
# A page does not wait for a run that has the service.
LONGEST_WAIT = "1s"
NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class LineChange:
    """A line that would be added, changed or taken away; None where it is not. Plan lines are quantities."""

    name: str
    held: Decimal | None
    meant: Decimal | None
    is_priced_by_odoo: bool


@dataclass(frozen=True, slots=True)
class RowChange:
    """One record that would be written: usage as it was pushed last and as it would be, untaxed.

    `in_odoo` is all that Odoo made of it when it was last read, its own plan lines included.
    """

    what: str
    customer: Customer
    currency: str
    is_new: bool
    in_odoo: Decimal | None
    held: Decimal
    meant: Decimal
    lines: Sequence[LineChange]

    @property
    def difference(self) -> Decimal:
        """How much more usage Odoo would hold."""
        return self.meant - self.held


@dataclass(frozen=True, slots=True)
class Total:
    """All rows of one currency; currencies are never added."""

    currency: str
    rows: int
    held: Decimal
    meant: Decimal
    difference: Decimal


@dataclass(frozen=True, slots=True)
class Preview:
    """What would be written, the largest change first; `digest` is what a confirmation is bound to."""

    rows: Sequence[RowChange]
    rows_left: int
    totals: Sequence[Total]
    unchanged: int
    refusals: Sequence[Refusal]
    digest: str
    rated_at: datetime | None
    is_fresh: bool = False

    @property
    def count(self) -> int:
        """How many records would be written."""
        return len(self.rows) + self.rows_left


def read_preview(
    *, service: Service, period_label: str, actor: User, customers: Iterable[int] | None = None
) -> Preview:
    """What a push would do now. Reads only, and nothing of Odoo: what it held when it was last read."""
    changes = find_changes(service=service, period_label=period_label, actor=actor, customers=customers)
    keys = [intent.bill.key for intent in changes.to_send]
    held, in_odoo = _read_held(keys), _read_amounts(service, keys)
    rows = [
        _compare(intent, held.get(intent.bill.key, {}), in_odoo.get(intent.bill.key))
        for intent in changes.to_send
    ]
    rows.sort(key=lambda row: (-abs(row.difference), str(row.customer)))
    rated = RatedPeriod.objects.filter(service=service, period_label=period_label).first()
    return Preview(
        rows=rows[:MOST_SHOWN],
        rows_left=max(0, len(rows) - MOST_SHOWN),
        totals=_total(rows),
        unchanged=changes.unchanged,
        refusals=changes.refusals,
        digest=changes.digest,
        rated_at=rated.rated_at if rated else None,
    )


def read_fresh_preview(
    *, service: Service, period_label: str, actor: User, customers: Sequence[int], now: datetime
) -> Preview:
    """The same for few customers, with their usage rated as of now, of which nothing is kept.

    While another run has the service it is from the fees as they are, and says so.
    """
    with transaction.atomic():
        is_fresh = _rate(service, period_label, customers, now)
        preview = read_preview(service=service, period_label=period_label, actor=actor, customers=customers)
        transaction.set_rollback(True)
    return replace(preview, is_fresh=is_fresh)


def _rate(service: Service, period_label: str, customers: Sequence[int], now: datetime) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [LONGEST_WAIT])
            meter_and_rate(service=service, period_label=period_label, now=now, customers=customers)
    except (OperationalError, DomainError):
        return False
    return True


def _read_held(keys: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    """The payload that a read-back settled last, by key."""
    done = Push.objects.filter(key__in=keys, status=PushStatus.DONE).order_by("key", "-version")
    return dict(done.distinct("key").values_list("key", "payload"))


def _read_amounts(service: Service, keys: Sequence[str]) -> dict[str, Decimal | None]:
    amounts = Amount.objects.filter(service=service, is_current=True, document__reference__in=keys)
    return dict(amounts.values_list("document__reference", "untaxed"))


def _compare(intent: Intent, held: Mapping[str, Any], in_odoo: Decimal | None) -> RowChange:
    before, now = _read_lines(held), _read_lines(intent.draft.payload())
    lines = [
        LineChange(name, _value(before.get(key)), _value(now.get(key)), is_plan)
        for key, (name, is_plan) in _name_lines(before, now).items()
        if _value(before.get(key)) != _value(now.get(key))
    ]
    return RowChange(
        what=PushKind(intent.kind).label,
        customer=intent.bill.customer,
        currency=intent.bill.currency,
        is_new=not held,
        in_odoo=in_odoo,
        held=_sum_usage(held),
        meant=_sum_usage(intent.draft.payload()),
        lines=lines,
    )


Lines = Mapping[str, Mapping[str, str]]


def _read_lines(payload: Mapping[str, Any]) -> dict[str, Mapping[str, str]]:
    lines = [*payload.get("usage_lines", ()), *payload.get("plan_lines", ())]
    return {line["key"]: line for line in lines}


def _name_lines(*sides: Lines) -> dict[str, tuple[str, bool]]:
    return {key: (line["name"], "quantity" in line) for side in sides for key, line in side.items()}


def _value(line: Mapping[str, str] | None) -> Decimal | None:
    return Decimal(line.get("amount") or line["quantity"]) if line else None


def _sum_usage(payload: Mapping[str, Any]) -> Decimal:
    return sum((Decimal(line["amount"]) for line in payload.get("usage_lines", ())), NOTHING)


def _total(rows: Iterable[RowChange]) -> list[Total]:
    by_currency: dict[str, list[RowChange]] = defaultdict(list)
    for row in rows:
        by_currency[row.currency].append(row)
    return [
        Total(
            currency,
            len(of_one),
            sum((row.held for row in of_one), NOTHING),
            sum((row.meant for row in of_one), NOTHING),
            sum((row.difference for row in of_one), NOTHING),
        )
        for currency, of_one in sorted(by_currency.items())
    ]
