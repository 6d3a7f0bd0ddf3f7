"""Webhooks out: facts told to a service in Lago's envelope, signed, retried for days, each delivery visible."""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import requests
from cryptography.fernet import InvalidToken
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from urllib3.exceptions import HTTPError

from ingest import audit
from ingest.errors import DomainError, require_permission
from ingest.models import Service
from ingest.services import lock_service
from reconciliation.models import Delivery, DeliveryStatus, WebhookEndpoint
from reconciliation.secrets import decrypt, encrypt

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
    *, service: Service, url: str, actor: User | None, secret: str = ""
) -> tuple[WebhookEndpoint, str]:
    """Registers an address and returns it with its HMAC key, which is shown this once.

    `secret` carries an old key over. Refuses an address that is no http(s) URL or that holds a password, which
    every list would show (`url_is_invalid`), one whose host cannot be asked for (`host_is_invalid`), one that is
    there already (`value_already_exist`) and the eleventh (`exceeded_limit`).
    """
    require_permission(actor, "reconciliation.add_webhookendpoint")
    if not _is_address(url):
        raise DomainError("url_is_invalid", "The address must be an http or https URL without a password.")
    if not _has_encodable_host(url):
        raise DomainError("host_is_invalid", "The address's host is no name that a request could be sent to.")
    lock_service(service.pk)
    existing = WebhookEndpoint.objects.filter(service=service)
    if existing.filter(url=url).exists():
        raise DomainError("value_already_exist", "The service already listens there.")
    if existing.count() >= MOST_ENDPOINTS:
        raise DomainError("exceeded_limit", f"A service has at most {MOST_ENDPOINTS} endpoints.")
    key = secret or secrets.token_urlsafe(32)
    endpoint = WebhookEndpoint.objects.create(service=service, url=url, secret=encrypt(key))
    audit.record(
        actor=actor, action="webhook_endpoint.create", target=endpoint, service=service, after={"url": url}
    )
    return endpoint, key


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        is_web = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return is_web and parts.username is None and len(url) <= LONGEST_URL


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
    """Stores one delivery per active endpoint, in the transaction of the fact that it tells of.

    The body is Lago's envelope: type, object type, organization, and the object under its type's name.
    """
    envelope = {
        "webhook_type": webhook_type,
        "object_type": object_type,
        "organization_id": str(service.public_id),
        object_type: payload,
    }
    body = json.dumps(envelope, separators=(",", ":"))
    return [
        Delivery.objects.create(
            endpoint=endpoint, webhook_type=webhook_type, body=body, next_attempt_at=timezone.now()
        )
        for endpoint in service.webhook_endpoints.filter(is_active=True)
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
    """Sends a failed delivery again, with the same body and key; refuses any other (`not_failed`)."""
    require_permission(actor, "reconciliation.retry_delivery")
    deliveries = Delivery.objects.select_for_update(of=("self",)).select_related("endpoint__service")
    delivery = deliveries.get(pk=delivery_id)
    if delivery.status != DeliveryStatus.FAILED:
        raise DomainError("not_failed", "Only a failed delivery can be sent again.")
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
        secret = decrypt(bytes(delivery.endpoint.secret))
        with requests.post(
            delivery.endpoint.url,
            data=body,
            headers={
                "Content-Type": "application/json",
                "X-Lago-Signature": sign(secret=secret, body=body),
                "X-Lago-Signature-Algorithm": "hmac",
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


def _read_start(response: requests.Response) -> str:
    """The first part of an answer; the receiver decides its length, we decide what is kept."""
    start = next(response.iter_content(KEPT_RESPONSE), b"")
    return start.decode(errors="replace").replace("\x00", "")


def _wait_after(attempts: int) -> timedelta:
    return WAITS[min(attempts, len(WAITS)) - 1]
