"""Webhooks out: facts told to a service in Lago's envelope, signed, retried for days, each delivery visible."""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from time import monotonic
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

import requests
from cryptography.fernet import InvalidToken
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from urllib3.exceptions import HTTPError

from ingest import audit
from ingest.errors import DomainError, require_permission
from ingest.models import Service
from ingest.services import lock_service
from reconciliation.models import Delivery, DeliveryStatus, SignatureAlgorithm, WebhookEndpoint
from reconciliation.secrets import decrypt, encrypt
from reconciliation.signing import sign_jwt

# Lago: webhooks, delivery. These four are success, a redirect is not and is not followed.
SUCCESS = {200, 201, 202, 204}
MOST_ENDPOINTS = 10
KEPT_RESPONSE = 2000
LONGEST_URL = 1024
# Seconds after which a call delivers nothing more, and after which an endpoint is slow: the rest waits for the next.
BUDGET = 20
SLOW = 2
OPEN = [DeliveryStatus.PENDING, DeliveryStatus.RETRYING]

# Lago gives up after 24 seconds; a receiver that is down for a night must still learn of it.
WAITS = [
    timedelta(seconds=3),
    timedelta(seconds=20),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=3),
    *[timedelta(hours=12)] * 5,
]


@transaction.atomic
def create_endpoint(
    *,
    service: Service,
    url: str,
    actor: User | None,
    secret: str = "",
    name: str = "",
    algorithm: str = SignatureAlgorithm.HMAC,
    event_types: Sequence[str] | None = None,
    rule: str = "",
) -> tuple[WebhookEndpoint, str]:
    """Registers an address and returns it with its HMAC key, which is shown this once; with jwt there is none.

    `secret` carries an old key over, `event_types` of None is all, `rule` says what asked for it, as in
    `audit.Decision`. Refuses an address that is no http(s) URL or that holds a password, which
    every list would show (`url_is_invalid`), one whose host cannot be asked for (`host_is_invalid`), one that is
    there already (`value_already_exist`) and the eleventh (`exceeded_limit`).
    """
    require_permission(actor, "reconciliation.add_webhookendpoint")
    _check_address(url)
    lock_service(service.pk)
    existing = find_endpoints(service.pk)
    _refuse_taken(existing, url)
    if existing.count() >= MOST_ENDPOINTS:
        raise DomainError("exceeded_limit", f"A service has at most {MOST_ENDPOINTS} endpoints.")
    key = "" if algorithm == SignatureAlgorithm.JWT else secret or _make_secret()
    endpoint = WebhookEndpoint.objects.create(
        service=service,
        url=url,
        name=name,
        algorithm=algorithm,
        secret=encrypt(key) if key else b"",
        event_types=event_types,
    )
    _record(endpoint, "webhook_endpoint.create", actor, rule, after=_describe(endpoint))
    return endpoint, key


@transaction.atomic
def change_endpoint(
    *, endpoint: WebhookEndpoint, values: Mapping[str, Any], rule: str
) -> tuple[WebhookEndpoint, str]:
    """Changes `url`, `name`, `algorithm` and `event_types`, audited; what waits is sent as the endpoint is then.

    Returns it with a new HMAC key when it takes to hmac. Refuses with `unknown_endpoint` when it was
    deleted, and as `create_endpoint` does.
    """
    lock_service(endpoint.service_id)
    row = _lock_endpoint(endpoint)
    before, had_hmac = _describe(row), row.algorithm == SignatureAlgorithm.HMAC
    for name, value in values.items():
        setattr(row, name, value)
    if row.url != before["url"]:
        _check_address(row.url)
        _refuse_taken(find_endpoints(row.service_id), row.url)
    key = ""
    if row.algorithm == SignatureAlgorithm.HMAC and not had_hmac:
        key = _make_secret()
        row.secret = encrypt(key)
    elif row.algorithm == SignatureAlgorithm.JWT:
        row.secret = b""
    after = _describe(row)
    if after != before:
        row.save(force_update=True)
        _record(row, "webhook_endpoint.change", None, rule, before=before, after=after)
    return row, key


@transaction.atomic
def renew_key(*, endpoint_id: int, actor: User, reason: str) -> str:
    """Gives an endpoint another HMAC key and returns it, this once; what is sent from now on is signed with it.

    Refuses who may not (`permission_denied`), one that was deleted (`unknown_endpoint`), one that is signed for by
    jwt (`not_hmac`), and no reason (`reason_required`).
    """
    require_permission(actor, "reconciliation.change_webhookendpoint")
    if not reason.strip():
        raise DomainError("reason_required", "Say why the endpoint needs another key.")
    row = _lock_endpoint(WebhookEndpoint(pk=endpoint_id))
    if row.algorithm != SignatureAlgorithm.HMAC:
        raise DomainError("not_hmac", "This endpoint has no key: it verifies with the console's public key.")
    key = _make_secret()
    row.secret = encrypt(key)
    row.save(update_fields=["secret"])
    audit.record(
        actor=actor,
        action="webhook_endpoint.renew_key",
        target=row,
        service=row.service,
        reason=reason.strip(),
    )
    return key


@transaction.atomic
def delete_endpoint(*, endpoint: WebhookEndpoint, rule: str) -> WebhookEndpoint:
    """Ends an endpoint: nothing more is sent there, what waits fails. Its row and its past stay.

    Refuses with `unknown_endpoint`.
    """
    row = _lock_endpoint(endpoint)
    row.deleted_at = timezone.now()
    row.save(update_fields=["deleted_at"])
    row.deliveries.filter(status__in=OPEN).update(status=DeliveryStatus.FAILED, next_attempt_at=None)
    _record(row, "webhook_endpoint.delete", None, rule, before=_describe(row))
    return row


@transaction.atomic
def listen_at(*, service: Service, url: str, rule: str) -> None:
    """Sees to it that a service listens at an address, by jwt when it is new; refuses as `create_endpoint` does."""
    lock_service(service.pk)
    if not find_endpoints(service.pk).filter(url=url).exists():
        create_endpoint(service=service, url=url, actor=None, algorithm=SignatureAlgorithm.JWT, rule=rule)


def find_endpoints(service_id: int) -> QuerySet[WebhookEndpoint]:
    """Where a service listens."""
    return WebhookEndpoint.objects.filter(service=service_id, deleted_at=None)


def _lock_endpoint(endpoint: WebhookEndpoint) -> WebhookEndpoint:
    rows = WebhookEndpoint.objects.select_for_update(of=("self",)).select_related("service")
    row = rows.filter(pk=endpoint.pk, deleted_at=None).first()
    if row is None:
        raise DomainError("unknown_endpoint", "There is no such endpoint.")
    return row


def _make_secret() -> str:
    return secrets.token_urlsafe(32)


def _check_address(url: str) -> None:
    if not _is_address(url):
        raise DomainError("url_is_invalid", "The address must be an http or https URL without a password.")
    if not _has_encodable_host(url):
        raise DomainError("host_is_invalid", "The address's host is no name that a request could be sent to.")


def _refuse_taken(existing: QuerySet[WebhookEndpoint], url: str) -> None:
    if existing.filter(url=url).exists():
        raise DomainError("value_already_exist", "The service already listens there.")


def _is_address(url: str) -> bool:
    # The parser drops what breaks a line; bytes, because an index takes no longer key.
    if any(character.isspace() or not character.isprintable() for character in url):
        return False
    try:
        parts = urlsplit(url)
        is_web = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return is_web and parts.username is None and len(url.encode()) <= LONGEST_URL


def _describe(endpoint: WebhookEndpoint) -> dict[str, Any]:
    names = ("url", "name", "algorithm", "event_types")
    return {name: getattr(endpoint, name) for name in names}


def _record(
    endpoint: WebhookEndpoint,
    action: str,
    actor: User | None,
    rule: str,
    *,
    before: Mapping[str, Any] = MappingProxyType({}),
    after: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    audit.record(
        actor=actor,
        action=action,
        target=endpoint,
        service=endpoint.service,
        before=before,
        after=after,
        rule=rule,
    )


def _has_encodable_host(url: str) -> bool:
    """Whether a delivery can write the host down: as the library that posts it does, then as the resolver does."""
    prepared = requests.PreparedRequest()
    try:
        prepared.prepare_url(url, None)
        (urlsplit(str(prepared.url)).hostname or "").encode("idna")
    # Beside its own errors the library lets through those of a text that cannot be encoded.
    except (requests.RequestException, HTTPError, UnicodeError):
        return False
    return True


def announce(
    *, service: Service, webhook_type: str, object_type: str, payload: Mapping[str, Any]
) -> list[Delivery]:
    """Stores one delivery per active endpoint that wants the type, in the transaction of the fact that it tells of.

    The body is Lago's envelope: type, object type, organization, and the object under its type's name.
    """
    envelope = {
        "webhook_type": webhook_type,
        "object_type": object_type,
        "organization_id": str(service.public_id),
        object_type: payload,
    }
    body = json.dumps(envelope, separators=(",", ":"))
    is_wanted = Q(event_types=None) | Q(event_types__contains=[webhook_type])
    return [
        Delivery.objects.create(
            endpoint=endpoint, webhook_type=webhook_type, body=body, next_attempt_at=timezone.now()
        )
        for endpoint in find_endpoints(service.pk).filter(is_wanted, is_active=True)
    ]


def sign(*, secret: str, body: bytes) -> str:
    """Lago's `hmac` signature: base64 of the raw HMAC-SHA256 digest of the exact bytes sent."""
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def deliver_due(*, now: datetime, limit: int = 50) -> int:
    """Attempts the deliveries that are due, one after the other; returns how many were attempted.

    Begins none once `BUDGET` is used up, and no second one to an endpoint that was slow: it may not keep the
    others waiting behind all that it is owed.
    """
    until, slow = monotonic() + BUDGET, set[int]()
    for attempted in range(limit):
        began = monotonic()
        delivery = _claim(now, slow) if began < until else None
        if delivery is None:
            return attempted
        _attempt(delivery, now)
        if monotonic() - began > SLOW:
            slow.add(delivery.endpoint_id)
    return limit


@transaction.atomic
def retry(*, delivery_id: int, actor: User) -> Delivery:
    """Sends a failed delivery again, with the same body and key.

    Refuses any other (`not_failed`), and one whose endpoint is gone (`endpoint_is_deleted`).
    """
    require_permission(actor, "reconciliation.retry_delivery")
    deliveries = Delivery.objects.select_for_update(of=("self",)).select_related("endpoint__service")
    delivery = deliveries.get(pk=delivery_id)
    if delivery.status != DeliveryStatus.FAILED:
        raise DomainError("not_failed", "Only a failed delivery can be sent again.")
    if delivery.endpoint.deleted_at is not None:
        raise DomainError("endpoint_is_deleted", "The service does not listen there any more.")
    delivery.status, delivery.next_attempt_at = DeliveryStatus.RETRYING, timezone.now()
    delivery.attempts = 0
    delivery.save(update_fields=["status", "next_attempt_at", "attempts"])
    audit.record(actor=actor, action="delivery.retry", target=delivery, service=delivery.endpoint.service)
    return delivery


@transaction.atomic
def _claim(now: datetime, slow: Collection[int] = ()) -> Delivery | None:
    """Takes a due delivery, its next attempt scheduled before this one is made: a crash forgets none.

    An endpoint that last gave no answer at all comes after those that do.
    """
    unanswered = Delivery.objects.filter(
        endpoint=OuterRef("endpoint"), status=DeliveryStatus.RETRYING, http_status=None, attempts__gt=0
    )
    delivery = (
        Delivery.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(status__in=OPEN, next_attempt_at__lte=now, endpoint__is_active=True)
        .filter(endpoint__deleted_at=None)
        .exclude(endpoint__in=slow)
        .select_related("endpoint")
        .order_by(Exists(unanswered), "next_attempt_at", "pk")
        .first()
    )
    if delivery is not None:
        delivery.attempts += 1
        longest = timedelta(seconds=2 * settings.WEBHOOK_TIMEOUT)
        delivery.next_attempt_at = max(now, timezone.now()) + max(_wait_after(delivery.attempts), longest)
        delivery.save(update_fields=["attempts", "next_attempt_at"])
    return delivery


def _attempt(delivery: Delivery, now: datetime) -> None:
    http_status, response = _post(delivery)
    result: dict[str, Any] = {"http_status": http_status, "response": response}
    if http_status in SUCCESS:
        result |= {
            "status": DeliveryStatus.SUCCEEDED,
            "delivered_at": timezone.now(),
            "next_attempt_at": None,
        }
    elif delivery.attempts >= len(WAITS):
        result |= {"status": DeliveryStatus.FAILED, "next_attempt_at": None}
    else:
        next_attempt_at = max(now, timezone.now()) + _wait_after(delivery.attempts)
        result |= {"status": DeliveryStatus.RETRYING, "next_attempt_at": next_attempt_at}
    # A later attempt has its own result: this one's would come too late.
    Delivery.objects.filter(pk=delivery.pk, attempts=delivery.attempts, status__in=OPEN).update(**result)


def _post(delivery: Delivery) -> tuple[int | None, str]:
    """Sends the body once; what came back, or the name of what went wrong: its text might tell a secret."""
    body = delivery.body.encode()
    try:
        signature = _sign_for(delivery.endpoint, body)
        with requests.post(
            delivery.endpoint.url,
            data=body,
            headers={
                "Content-Type": "application/json",
                "X-Lago-Signature": signature,
                "X-Lago-Signature-Algorithm": delivery.endpoint.algorithm,
                "X-Lago-Unique-Key": str(delivery.unique_key),
            },
            timeout=settings.WEBHOOK_TIMEOUT,
            allow_redirects=False,
            stream=True,
        ) as response:
            return response.status_code, _read_start(response)
    # Beside its own errors requests lets through those of an address that cannot be written as one.
    except (requests.RequestException, HTTPError, UnicodeError, InvalidToken) as error:
        return None, type(error).__name__


def _sign_for(endpoint: WebhookEndpoint, body: bytes) -> str:
    if endpoint.algorithm == SignatureAlgorithm.JWT:
        return sign_jwt(body.decode())
    return sign(secret=decrypt(bytes(endpoint.secret)), body=body)


def _read_start(response: requests.Response) -> str:
    """The first part of an answer; the receiver decides its length, we decide what is kept."""
    start = next(response.iter_content(KEPT_RESPONSE), b"")
    return start.decode(errors="replace").replace("\x00", "")


def _wait_after(attempts: int) -> timedelta:
    return WAITS[min(attempts, len(WAITS)) - 1]
