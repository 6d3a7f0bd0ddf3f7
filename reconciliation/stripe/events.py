"""Events of Stripe's: kept first, whichever way they come, and processed after by reading what they are about anew.

An event only says that something changed. What it changed to is read from Stripe, in the pinned version: so neither
the order of events, nor one that comes twice or in another version's shape, can make a figure wrong.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from ingest import audit
from ingest.errors import DomainError, require_permission
from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.stripe.api import StripeApi
from reconciliation.connectors.stripe.lines import id_of, members
from reconciliation.connectors.stripe.pages import clean, read_instant
from reconciliation.connectors.stripe.records import KIND_OF_OBJECT, Kind, StripeItem
from reconciliation.connectors.stripe.signature import verify
from reconciliation.models import EventState, StripeEvent, StripeRecord
from reconciliation.stripe.keeping import forget_item, keep_items

# Events that are processed at once: as many objects are read from Stripe at most.
LOT = 100
# After each failure that may pass; then somebody has to look.
WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 720))
# Stripe's clock and ours, generously.
CLOCKS_DIFFER = timedelta(minutes=5)
# Longer than a lot may take: what a killed worker had is tried again then.
LEASE = timedelta(minutes=10)


def receive(*, body: bytes, signature: str, now: datetime) -> StripeEvent:
    """Keeps an event as it came, once its signature is verified; another delivery of it changes nothing.

    One of another account or mode is kept, parked, and never processed. Raises ConnectorError for a signature that
    is stale, forged or cannot be verified, and DomainError `no_event` for a body that is no event.
    """
    verify(body, signature, settings.STRIPE_WEBHOOK_SECRETS, now=now.timestamp())
    values = _decode(body)
    row = _make(values, body.decode(errors="replace"), now)
    reason = _find_foreign(values)
    if reason:
        row.state, row.reason, row.next_attempt_at = EventState.PARKED, reason, None
    StripeEvent.objects.bulk_create([row], ignore_conflicts=True)
    return StripeEvent.objects.get(event_id=row.event_id)


def keep_polled(*, account: str, items: Sequence[StripeItem], now: datetime) -> int:
    """Keeps events that the poll found, those that no webhook told of; returns how many."""
    known = set(
        StripeEvent.objects.filter(event_id__in=[item.id for item in items]).values_list(
            "event_id", flat=True
        )
    )
    rows = [_make(item.values, json.dumps(item.values), now) for item in items if item.id not in known]
    for row in rows:
        row.account, row.is_polled = account, True
    StripeEvent.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def process_due(*, api: StripeApi, account: str, now: datetime) -> int:
    """Processes a lot of the events that are due; returns how many there were.

    Each object is read once, however many events tell of it. What may pass is tried again later; what Stripe does
    not have, or the key may not read, is parked with a reason.
    """
    events = _claim(now)
    lots: dict[tuple[str, str], list[StripeEvent]] = defaultdict(list)
    for event in events:
        lots[event.object_kind, event.object_id].append(event)
    for (name, id_), about in lots.items():
        kind = KIND_OF_OBJECT.get(name)
        if kind is None or not id_:
            _end(about, EventState.IGNORED, "The console does not read such objects.")
        else:
            _process(api, account, kind, id_, about)
    return len(events)


def are_due(now: datetime) -> bool:
    """Whether any event waits to be processed."""
    return StripeEvent.objects.filter(state=EventState.WAITING, next_attempt_at__lte=now).exists()


@transaction.atomic
def retry(*, event_id: int, actor: User) -> StripeEvent:
    """Processes a parked event again; refuses any other (`not_parked`) and one of another account (`not_ours`)."""
    require_permission(actor, "reconciliation.retry_stripeevent")
    event = StripeEvent.objects.select_for_update().get(pk=event_id)
    if event.state != EventState.PARKED:
        raise DomainError("not_parked", "Only a parked event can be processed again.")
    if _find_foreign(json.loads(event.body)):
        raise DomainError("not_ours", "It is of another account or mode: its objects cannot be read.")
    event.state, event.reason, event.attempts = EventState.WAITING, "", 0
    event.next_attempt_at = timezone.now()
    event.save(update_fields=["state", "reason", "attempts", "next_attempt_at"])
    audit.record(actor=actor, action="stripe_event.retry", target=event)
    return event


def _process(api: StripeApi, account: str, kind: Kind, id_: str, about: Sequence[StripeEvent]) -> None:
    if _was_read_since(account, id_, about):
        _end(about, EventState.DONE)
        return
    started_at = timezone.now()
    try:
        items = _read(api, kind, id_)
    except ConnectorError as error:
        _fail(about, error)
        return
    keep_items(account=account, items=items, fetched_at=started_at)
    is_there = any(item.id == id_ for item in items)
    is_known = is_there or forget_item(account=account, kind=kind, id_=id_, fetched_at=started_at)
    if is_known or any(event.event_type.endswith(".deleted") for event in about):
        _end(about, EventState.DONE)
        return
    _end(about, EventState.PARKED, f"This account has no {kind.value} {id_}: is the event another account's?")


def _was_read_since(account: str, id_: str, about: Sequence[StripeEvent]) -> bool:
    """Whether the object was read well after the last event: a pass reads what is new, and then finds its events."""
    read_at = max(event.created for event in about) + CLOCKS_DIFFER
    return StripeRecord.objects.filter(account=account, stripe_id=id_, fetched_at__gt=read_at).exists()


def _read(api: StripeApi, kind: Kind, id_: str) -> list[StripeItem]:
    """The object as it is now, and what decides over it."""
    item = api.read_one(kind, id_)
    if item is None:
        return []
    if kind is Kind.CHARGES and (intent := id_of(item.values.get("payment_intent"))):
        # Whether it paid an invoice, before it could count as one without.
        asked = {"payment": {"type": "payment_intent", "payment_intent": intent}}
        return [*api.read_page(Kind.PAYMENTS, asked).items, item]
    if kind is Kind.REFUNDS and (charge := id_of(item.values.get("charge"))):
        return [each for each in (api.read_one(Kind.CHARGES, charge), item) if each is not None]
    return [item]


@transaction.atomic
def _claim(now: datetime) -> list[StripeEvent]:
    due = StripeEvent.objects.select_for_update(skip_locked=True).filter(
        state=EventState.WAITING, next_attempt_at__lte=now
    )
    events = list(due.order_by("next_attempt_at", "pk").defer("body")[:LOT])
    # The next attempt is due before this one begins: a worker that dies has lost nothing.
    StripeEvent.objects.filter(pk__in=[event.pk for event in events]).update(next_attempt_at=now + LEASE)
    return events


def _end(events: Sequence[StripeEvent], state: EventState, reason: str = "") -> None:
    keys = [event.pk for event in events]
    StripeEvent.objects.filter(pk__in=keys, state=EventState.WAITING).update(
        state=state, reason=reason, next_attempt_at=None, done_at=timezone.now()
    )


def _fail(events: Sequence[StripeEvent], error: ConnectorError) -> None:
    for event in events:
        event.attempts += 1
        if error.permanent or event.attempts > len(WAITS):
            event.state, event.next_attempt_at = EventState.PARKED, None
        else:
            event.next_attempt_at = timezone.now() + WAITS[event.attempts - 1]
        event.reason = error.message
    StripeEvent.objects.bulk_update(events, ["attempts", "state", "next_attempt_at", "reason"])


def _decode(body: bytes) -> Mapping[str, Any]:
    try:
        values = clean(json.loads(body, parse_float=str))
    except (ValueError, RecursionError):
        values = None
    if (
        not isinstance(values, dict)
        or values.get("object") != "event"
        or not isinstance(values.get("id"), str)
    ):
        raise DomainError("no_event", "The body is no event of Stripe's.")
    return values


def _make(values: Mapping[str, Any], body: str, now: datetime) -> StripeEvent:
    about = members(values, "data", "object")
    return StripeEvent(
        account=id_of(values.get("account"))[:255],
        event_id=str(values["id"])[:255],
        event_type=str(values.get("type") or "")[:255],
        object_kind=str(members(about, "object") or "")[:64],
        object_id=id_of(about)[:255],
        created=read_instant(values.get("created")) or now,
        next_attempt_at=now,
        received_at=now,
        body=body.replace("\0", "\ufffd"),
    )


def _find_foreign(values: Mapping[str, Any]) -> str:
    """Why an event is not of what is read here; empty when it is."""
    account, ours = id_of(values.get("account")), settings.STRIPE_ACCOUNT or _read_account()
    if account and account != ours:
        return f"It is of account {account}, and {ours or 'no such account'} is read here."
    is_live = settings.STRIPE_API_KEY.startswith(("sk_live_", "rk_live_"))
    if settings.STRIPE_API_KEY and values.get("livemode") is not is_live:
        return f"It is of {'test' if is_live else 'live'} mode, and the key is of the other."
    return ""


def _read_account() -> str:
    """The account that was read last, where the settings do not name it."""
    row = StripeRecord.objects.exclude(account="").order_by("-pk").values_list("account", flat=True).first()
    return row or ""
