"""Moving pushes on from one status to the next: only by the worker that holds them, and many in one statement."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from ingest.services import lock_service
from reconciliation.models import Push, PushStatus
from reconciliation.models.push import WAITING
from reconciliation.upserts import update

# Odoo retries a conflict by itself for up to 30 seconds: an attempt that was lost may still commit until then.
LONGEST_SERVER_TIME = timedelta(seconds=90)
OVER = [PushStatus.DONE, PushStatus.FAILED, PushStatus.SUPERSEDED, PushStatus.CANCELED]


@dataclass(frozen=True, slots=True)
class Move:
    """A push, as its worker knows it, and what is to become of it."""

    push: Push
    status: PushStatus
    code: str = ""
    message: str = ""


@transaction.atomic(savepoint=False)
def move_all(moves: Iterable[Move]) -> list[Push]:
    """Moves pushes of one service that this worker still holds; returns those, each as it is by then.

    The lease tells one holder from the next: what another worker holds stays, and is read again. What would wait or
    fail while a newer version stands for it is superseded instead: an older version is never sent after a newer one.
    """
    moves = list(moves)
    if not moves:
        return []
    lock_service(moves[0].push.service_id)
    newest = _find_newest([move.push.key for move in moves if move.status in WAITING])
    now = timezone.now()
    changes = {move.push: _make_changes(move, newest, now) for move in moves}
    moved = update(Push, [_name_holder(push) | values for push, values in changes.items()])
    for push, values in changes.items():
        if push.pk in moved:
            _set(push, values)
        else:
            push.refresh_from_db(fields=list(values))
    return [push for push in changes if push.pk in moved]


def keep_attempts(pushes: Sequence[Push]) -> None:
    """Stores that these attempts begin, each with its own next time; whoever calls has the rows locked."""
    names = ["id", "status", "attempts", "next_attempt_at", "leased_until"]
    update(Push, [{name: getattr(push, name) for name in names} for push in pushes])


def has_newer(push: Push) -> bool:
    """Whether a newer version of the same record was meant: then this one is history."""
    return _find_newest([push.key])[push.key] > push.version


def _find_newest(keys: Sequence[str]) -> dict[str, int]:
    if not keys:
        return {}
    versions = Push.objects.filter(key__in=keys).order_by()
    return dict(versions.values_list("key").annotate(Max("version")))


def _make_changes(move: Move, newest: dict[str, int], now: datetime) -> dict[str, Any]:
    push, status = move.push, move.status
    if newest.get(push.key, 0) > push.version:
        status = PushStatus.SUPERSEDED
    return {
        "status": status,
        "error_code": move.code,
        "error": move.message,
        "odoo_id": push.odoo_id,
        "settled_at": now if status in OVER else None,
        "leased_until": now + LONGEST_SERVER_TIME if status == PushStatus.UNKNOWN else None,
    }


def _name_holder(push: Push) -> dict[str, Any]:
    return {"id": push.pk, "was_status": push.status, "was_leased_until": push.leased_until}


def _set(push: Push, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(push, name, value)
