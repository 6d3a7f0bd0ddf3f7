"""Keeping Stripe's objects: each once, as it was last read, whatever the order in which it was."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Q

from reconciliation.connectors.stripe.amounts import read_amount, read_currency
from reconciliation.connectors.stripe.facts import find_lago_invoice
from reconciliation.connectors.stripe.lines import id_of, members
from reconciliation.connectors.stripe.records import BillError, Kind, StripeItem
from reconciliation.documents import digest_of
from reconciliation.models import RecordState, Run, StripeRecord
from reconciliation.upserts import as_literal

# What an object has at stake, by its kind; an invoice's `total` is before any payment.
WORTH: Mapping[Kind, str] = {
    Kind.INVOICES: "total",
    Kind.CREDIT_NOTES: "total",
    Kind.PAYMENTS: "amount_paid",
    Kind.BALANCE_TRANSACTIONS: "fee",
}
# The status of what Stripe has no more.
GONE = "deleted"
CHANGING = (
    "kind",
    "created",
    "customer",
    "currency",
    "amount",
    "status",
    "intent",
    "pays",
    "state",
    "raw",
    "digest",
    "fetched_at",
    "run",
)


@transaction.atomic
def keep_items(
    *, account: str, items: Sequence[StripeItem], fetched_at: datetime, run: Run | None = None
) -> list[str]:
    """Keeps objects read at one time; returns the ids of those that are new or say something else now.

    These wait to be attributed, and so do the charges whose payment became known. What was read before the version
    that is kept changes nothing, so that neither order nor repetition matters.
    """
    take_turns(account)
    rows = {row.stripe_id: row for row in (_make(account, item, fetched_at, run) for item in items)}
    kept = StripeRecord.objects.filter(account=account, stripe_id__in=rows).defer("raw")
    same, changed = list[int](), list[StripeRecord]()
    for old in kept:
        new = rows.pop(old.stripe_id)
        if old.fetched_at > fetched_at:
            continue
        if old.digest == new.digest:
            same.append(old.pk)
            continue
        new.pk = old.pk
        changed.append(new)
    StripeRecord.objects.filter(pk__in=same).update(fetched_at=fetched_at)
    if changed:
        StripeRecord.objects.bulk_update(changed, CHANGING)
    StripeRecord.objects.bulk_create(rows.values())
    fresh = [*changed, *rows.values()]
    _wake_others(account, fresh)
    return [row.stripe_id for row in fresh]


@transaction.atomic
def forget_item(*, account: str, kind: Kind, id_: str, fetched_at: datetime) -> bool:
    """Stripe has the object no more, a draft that was deleted: it bills nothing. False when nobody knew it."""
    take_turns(account)
    rows = StripeRecord.objects.filter(account=account, stripe_id=id_, kind=kind, fetched_at__lte=fetched_at)
    return bool(rows.update(state=RecordState.WAITING, status=GONE, fetched_at=fetched_at))


def _make(account: str, item: StripeItem, fetched_at: datetime, run: Run | None) -> StripeRecord:
    values = item.values
    currency = _read_currency(values)
    return StripeRecord(
        account=account,
        kind=item.kind,
        stripe_id=item.id,
        created=item.created,
        customer=id_of(values if item.kind is Kind.CUSTOMERS else values.get("customer"))[:255],
        currency=currency,
        amount=_read_worth(item, currency),
        status=str(values.get("status") or "")[:32],
        intent=_find_intent(values)[:255],
        pays=_find_paid(item)[:255],
        raw=as_literal(values),
        digest=digest_of(values),
        fetched_at=fetched_at,
        run=run,
    )


def _find_intent(values: Mapping[str, Any]) -> str:
    """The intent of a payment or a charge; of a payment by a charge alone it is that charge."""
    paid = (members(values, "payment", name) for name in ("payment_intent", "charge"))
    return next(filter(None, map(id_of, (values.get("payment_intent"), *paid))), "")


def _find_paid(item: StripeItem) -> str:
    """The bill that an object belongs to, as far as it says so itself."""
    values = item.values
    if item.kind in {Kind.PAYMENTS, Kind.CREDIT_NOTES}:
        return id_of(values.get("invoice"))
    if item.kind in {Kind.REFUNDS, Kind.DISPUTES}:
        return id_of(values.get("charge"))
    if item.kind is Kind.BALANCE_TRANSACTIONS:
        return id_of(values.get("source"))
    return find_lago_invoice(values) if item.kind is Kind.CHARGES else ""


def _wake_others(account: str, rows: Iterable[StripeRecord]) -> None:
    """What a payment, an invoice or a charge says decides over others that may have been read before."""
    mine = StripeRecord.objects.filter(account=account)
    by_kind: dict[str, list[StripeRecord]] = {}
    for row in rows:
        by_kind.setdefault(row.kind, []).append(row)
    intents = [row.intent for row in by_kind.get(Kind.PAYMENTS, []) if row.intent]
    bills = [row.stripe_id for kind in (Kind.INVOICES, Kind.CHARGES) for row in by_kind.get(kind, [])]
    paid = Q(kind=Kind.CHARGES) & (Q(intent__in=intents) | Q(stripe_id__in=intents))
    if intents or bills:
        others = mine.filter(paid | Q(pays__in=bills)).exclude(kind=Kind.PAYMENTS)
        others.update(state=RecordState.WAITING)


def _read_currency(values: Mapping[str, Any]) -> str:
    try:
        return read_currency(values.get("currency"))
    except BillError:
        return ""


def _read_worth(item: StripeItem, currency: str) -> Any:
    if not currency or item.kind in {Kind.CUSTOMERS, Kind.EVENTS}:
        return None
    try:
        return read_amount(item.values.get(WORTH.get(item.kind, "amount")), currency, "amount")
    except BillError:
        return None


def take_turns(account: str) -> None:
    """One at a time keeps or attributes an account's objects, until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"stripe {account}"])
