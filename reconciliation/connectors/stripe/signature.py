"""Webhooks of Stripe's: whether a body is really Stripe's, told by its signature over the very bytes."""

from __future__ import annotations

import time
from collections.abc import Sequence

from stripe import SignatureVerificationError, WebhookSignature

from reconciliation.connectors.stripe.records import fail

# Stripe's own default: what is older may be somebody's recording.
TOLERANCE = 300


def verify(body: bytes, header: str, secrets: Sequence[str], *, now: float | None = None) -> None:
    """Returns when one of the secrets signed the body within the tolerance; while one is rotated there are two.

    Raises ConnectorError: `no_secret` when none is configured, `stale_signature`, and `forged_signature` for
    everything else. A signature from the future is refused like one from the past.
    """
    if not secrets:
        raise fail("no_secret", "No webhook secret is configured.")
    if not any(_is_signed(body, header, secret) for secret in secrets):
        raise fail("forged_signature", "The signature is not Stripe's.")
    signed_at = next(int(part.split("=")[1]) for part in header.split(",") if part.startswith("t="))
    if abs((time.time() if now is None else now) - signed_at) > TOLERANCE:
        raise fail("stale_signature", f"The signature is more than {TOLERANCE} seconds old.")


def _is_signed(body: bytes, header: str, secret: str) -> bool:
    try:
        WebhookSignature.verify_header(body, header, secret)
    except (SignatureVerificationError, UnicodeDecodeError):
        return False
    return True
