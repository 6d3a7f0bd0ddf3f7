"""A webhook is Stripe's when one of the secrets signed its very bytes, not long ago."""

import pytest
from stripe import WebhookSignature

from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.stripe.signature import verify

NOW = 1_790_000_000
BODY = b'{"id": "evt_1",  "object": "event"}'


def sign(secret="whsec_1", body=BODY, at=NOW):
    return WebhookSignature.generate_signature_header(body.decode(), secret, at)


def refused(header, *, body=BODY, secrets=("whsec_1",)):
    with pytest.raises(ConnectorError) as error:
        verify(body, header, secrets, now=NOW)
    return error.value.code


@pytest.mark.parametrize("secret", ["whsec_old", "whsec_new"])
def test_while_a_secret_is_rotated_either_signs(secret):
    verify(BODY, sign(secret), ["whsec_new", "whsec_old"], now=NOW)


def test_five_minutes_are_no_longer_than_five_minutes():
    verify(BODY, sign(at=NOW - 300), ["whsec_1"], now=NOW)
    assert refused(sign(at=NOW - 301)) == "stale_signature"
    assert refused(sign(at=NOW + 301)) == "stale_signature"


@pytest.mark.parametrize(
    "header",
    ["", "t=1", "v1=abc", f"t={NOW},v1=", f"t={NOW},v1=" + "0" * 64, f"t=x,v1={sign()[-64:]}", "t=1=2,v1"],
)
def test_what_stripe_did_not_sign_is_forged(header):
    assert refused(header) == "forged_signature"


def test_the_bytes_count_not_what_they_mean():
    assert refused(sign(), body=BODY.replace(b"  ", b" ")) == "forged_signature"
    assert refused(sign(), body=BODY + b"\xff") == "forged_signature"
    assert refused(sign("whsec_2")) == "forged_signature"


def test_without_a_secret_nothing_is_believed():
    assert refused(sign(), secrets=()) == "no_secret"
