"""API keys: issuing one, revoking one, and finding the service behind one."""

import hashlib
import secrets
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from ingest import audit
from ingest.errors import DomainError, require_permission
from ingest.intake_terms import IntakeTerms, terms_of
from ingest.models import ApiKey, Service

MARK = "bc"
# How long a process trusts what it read about a key: a revoked key stops working within this time.
TRUST_SECONDS = 1.0
LAST_USE_IS_NOTED_EVERY = timedelta(minutes=1)


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
    *, service: Service, name: str, actor: User | None, expires_at: datetime | None = None
) -> IssuedKey:
    """Issues a key with 256 random bits and keeps its digest alone.

    Refuses with `permission_denied`, or `expiry_is_past`.
    """
    require_permission(actor, "ingest.add_apikey")
    if expires_at is not None and expires_at <= timezone.now():
        raise DomainError("expiry_is_past", "A key must expire in the future.")
    # The part that stays visible is drawn apart, so that showing it gives nothing of the secret away.
    prefix = f"{MARK}_{secrets.token_hex(4)}"
    key = f"{prefix}_{secrets.token_urlsafe(32)}"
    record = ApiKey.objects.create(
        service=service, name=name, prefix=prefix, digest=digest_key(key), expires_at=expires_at
    )
    _record(record, actor, "api_key.create", {"name": name, "expires_at": _text(expires_at)})
    return IssuedKey(key=key, record=record)


@transaction.atomic
def revoke_key(*, key_id: int, actor: User | None) -> ApiKey:
    """Ends a key for good, in every process within two seconds; a key already revoked stays as it is.

    Refuses with `permission_denied`, or `unknown_key`.
    """
    require_permission(actor, "ingest.change_apikey")
    record = (
        ApiKey.objects.select_for_update(of=("self",)).select_related("service").filter(pk=key_id).first()
    )
    if record is None:
        raise DomainError("unknown_key", "There is no such key.")
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
        intake=terms_of(record.service),
    )


def _note_use(key_id: int, now: datetime) -> None:
    """Notes the use unless the row is locked: a request never waits for whoever edits the key."""
    with transaction.atomic():
        unlocked = ApiKey.objects.select_for_update(skip_locked=True).filter(pk=key_id)
        stale = Q(last_used_at=None) | Q(last_used_at__lte=now - LAST_USE_IS_NOTED_EVERY)
        ApiKey.objects.filter(stale, pk__in=unlocked.values("pk")).update(last_used_at=now)


def _record(record: ApiKey, actor: User | None, action: str, after: dict[str, str | None]) -> None:
    after = {"prefix": record.prefix, **after}
    audit.record(actor=actor, action=action, target=record, service=record.service, after=after)


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
