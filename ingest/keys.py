"""API keys: issuing one, revoking one, and finding the service behind one."""

import hashlib
import secrets
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from ingest import audit
from ingest.errors import DomainError, require_permission
from ingest.intake_terms import IntakeTerms, terms_of
from ingest.models import ApiKey, Scope, Service

MARK = "bc"
# How long a process trusts what it read about a key: a revoked key stops working within this time.
TRUST_SECONDS = 1.0
LAST_USE_IS_NOTED_EVERY = timedelta(minutes=1)
# For how long a rotated key still works, beside the new one.
OVERLAP = timedelta(hours=24)
LONGEST_OVERLAP = timedelta(days=90)
HIGHEST_LIMIT = 1_000_000


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A new key in clear, the only time that anyone sees it, and its row."""

    key: str = field(repr=False)
    record: ApiKey


@dataclass(frozen=True, slots=True)
class Caller:
    """What a valid key proves: which service calls, with which of its keys, and how it wants its events taken."""

    service_id: int
    key_id: int
    prefix: str
    expires_at: datetime | None
    scopes: frozenset[str]
    rate_limit: int | None
    intake: IntakeTerms

    @property
    def rule(self) -> str:
        """What an audit record names as having decided."""
        return f"API key {self.prefix}…"

    @property
    def is_authenticated(self) -> bool:
        """Always: there is no caller without a valid key."""
        return True


@transaction.atomic
def create_key(
    *,
    service: Service,
    name: str,
    actor: User | None,
    expires_at: datetime | None = None,
    scopes: Collection[str] = tuple(Scope.values),
    rate_limit: int | None = None,
) -> IssuedKey:
    """Issues a key with 256 random bits and keeps its digest alone.

    `rate_limit` is in requests per window of `rate_limits`, None for any number. Refuses with
    `permission_denied`, `expiry_is_past`, `scopes_are_invalid` or `rate_limit_is_invalid`.
    """
    require_permission(actor, "ingest.add_apikey")
    if expires_at is not None and expires_at <= timezone.now():
        raise DomainError("expiry_is_past", "A key must expire in the future.")
    if not scopes or not set(scopes) <= set(Scope.values):
        raise DomainError("scopes_are_invalid", f"A key opens one or more of {', '.join(Scope.values)}.")
    _check_limit(rate_limit)
    return _issue(
        actor, service=service, name=name, expires_at=expires_at, scopes=_sort(scopes), rate_limit=rate_limit
    )


@transaction.atomic
def rotate_key(*, key_id: int, actor: User | None, overlap: timedelta = OVERLAP) -> IssuedKey:
    """Issues a key in place of another: the same scopes and limit, and as long a life as the other was given.

    The old one works on for `overlap`, or to its own expiry where that comes first. Refuses with
    `permission_denied`, `unknown_key`, `key_has_ended`, `key_is_rotated` (it has its successor already) or
    `overlap_is_invalid`.
    """
    require_permission(actor, "ingest.add_apikey")
    require_permission(actor, "ingest.change_apikey")
    if not timedelta() <= overlap <= LONGEST_OVERLAP:
        raise DomainError("overlap_is_invalid", f"Keys overlap for at most {LONGEST_OVERLAP.days} days.")
    old, now = _lock(key_id), timezone.now()
    if old.revoked_at is not None or (old.expires_at is not None and old.expires_at <= now):
        raise DomainError("key_has_ended", "This key is revoked or has expired: issue a new one.")
    if ApiKey.objects.filter(replaces=old).exists():
        raise DomainError("key_is_rotated", "This key has been rotated already.")
    issued = _issue(
        actor,
        service=old.service,
        name=old.name,
        expires_at=now + (old.expires_at - old.created_at) if old.expires_at else None,
        scopes=old.scopes,
        rate_limit=old.rate_limit,
        replaces=old,
    )
    before, old.expires_at = old.expires_at, min(old.expires_at or now + overlap, now + overlap)
    old.save(update_fields=["expires_at"])
    after = {"expires_at": _text(old.expires_at), "replaced_by": issued.record.prefix}
    _record(old, actor, "api_key.rotate", after, before={"expires_at": _text(before)})
    return issued


@transaction.atomic
def limit_key(*, key_id: int, rate_limit: int | None, actor: User | None) -> ApiKey:
    """Sets how often a key may be used, None for any number; it holds in every process within two seconds.

    Refuses with `permission_denied`, `unknown_key` or `rate_limit_is_invalid`.
    """
    require_permission(actor, "ingest.change_apikey")
    _check_limit(rate_limit)
    record = _lock(key_id)
    before = record.rate_limit
    if rate_limit != before:
        record.rate_limit = rate_limit
        record.save(update_fields=["rate_limit"])
        _record(record, actor, "api_key.limit", {"rate_limit": rate_limit}, before={"rate_limit": before})
    return record


@transaction.atomic
def revoke_key(*, key_id: int, actor: User | None) -> ApiKey:
    """Ends a key for good, in every process within two seconds; a key already revoked stays as it is.

    Refuses with `permission_denied`, or `unknown_key`.
    """
    require_permission(actor, "ingest.change_apikey")
    record = _lock(key_id)
    if record.revoked_at is None:
        record.revoked_at = timezone.now()
        record.save(update_fields=["revoked_at"])
        _record(record, actor, "api_key.revoke", {"revoked_at": _text(record.revoked_at)})
    return record


def find_caller(key: str) -> Caller | None:
    """The service behind a key; None when the key is unknown, revoked or expired.

    Costs microseconds: the row behind a valid key is read once a second by each process.
    """
    digest = digest_key(key)
    now = time.monotonic()
    caller, trusted_until = _trusted.get(digest, (None, now))
    if now >= trusted_until:
        caller = _look_up(digest)
        _trust(digest, caller, now + TRUST_SECONDS)
    if caller is not None and caller.expires_at is not None and caller.expires_at <= timezone.now():
        return None
    return caller


def digest_key(key: str) -> str:
    """SHA-256, as the table holds it: a random 256-bit key needs no slow hash."""
    return hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()


# Valid keys alone, so that a stream of invented ones does not fill the memory.
_trusted: dict[str, tuple[Caller, float]] = {}


def _trust(digest: str, caller: Caller | None, until: float) -> None:
    if caller is None:
        _trusted.pop(digest, None)
    else:
        _trusted[digest] = (caller, until)


def _look_up(digest: str) -> Caller | None:
    record = ApiKey.objects.filter(digest=digest, revoked_at=None).select_related("service").first()
    if record is None:
        return None
    now = timezone.now()
    if record.last_used_at is None or record.last_used_at <= now - LAST_USE_IS_NOTED_EVERY:
        _note_use(record.pk, now)
    return Caller(
        service_id=record.service_id,
        key_id=record.pk,
        prefix=record.prefix,
        expires_at=record.expires_at,
        scopes=frozenset(record.scopes),
        rate_limit=record.rate_limit,
        intake=terms_of(record.service),
    )


def _note_use(key_id: int, now: datetime) -> None:
    """Notes the use unless the row is locked: a request never waits for whoever edits the key."""
    with transaction.atomic():
        unlocked = ApiKey.objects.select_for_update(skip_locked=True).filter(pk=key_id)
        stale = Q(last_used_at=None) | Q(last_used_at__lte=now - LAST_USE_IS_NOTED_EVERY)
        ApiKey.objects.filter(stale, pk__in=unlocked.values("pk")).update(last_used_at=now)


def _issue(actor: User | None, **values: Any) -> IssuedKey:
    # The part that stays visible is drawn apart, so that showing it gives nothing of the secret away.
    prefix = f"{MARK}_{secrets.token_hex(4)}"
    key = f"{prefix}_{secrets.token_urlsafe(32)}"
    record = ApiKey.objects.create(prefix=prefix, digest=digest_key(key), **values)
    after: dict[str, Any] = {
        "name": record.name,
        "scopes": record.scopes,
        "rate_limit": record.rate_limit,
        "expires_at": _text(record.expires_at),
    }
    if record.replaces:
        after["replaces"] = record.replaces.prefix
    _record(record, actor, "api_key.create", after)
    return IssuedKey(key=key, record=record)


def _lock(key_id: int) -> ApiKey:
    keys = ApiKey.objects.select_for_update(of=("self",)).select_related("service")
    record = keys.filter(pk=key_id).first()
    if record is None:
        raise DomainError("unknown_key", "There is no such key.")
    return record


def _check_limit(rate_limit: int | None) -> None:
    if rate_limit is not None and not 1 <= rate_limit <= HIGHEST_LIMIT:
        raise DomainError("rate_limit_is_invalid", f"A limit is a number from 1 to {HIGHEST_LIMIT:,}.")


def _sort(scopes: Collection[str]) -> list[str]:
    return [scope for scope in Scope.values if scope in scopes]


def _record(
    record: ApiKey,
    actor: User | None,
    action: str,
    after: dict[str, Any],
    before: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    audit.record(
        actor=actor,
        action=action,
        target=record,
        service=record.service,
        before=before,
        after={"prefix": record.prefix, **after},
    )


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
