"""The key that verifies webhooks signed by jwt: one for ever, for every process, and never its other half."""

import base64
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from django.db import connection

from reconciliation.models import SigningKey
from reconciliation.signing import read_public_key

pytestmark = pytest.mark.django_db


def test_it_is_base64_of_its_pem_in_lines_and_stays_what_it_is(call):
    answer = call("GET", "webhooks/json_public_key").json()
    text = answer["webhook"]["public_key"]
    pem = base64.b64decode(text)
    assert load_pem_public_key(pem).key_size == 2048
    assert "\n" in text.strip()
    assert pem.decode() == read_public_key()
    assert call("GET", "webhooks/json_public_key").json() == answer


def test_it_is_there_as_plain_text_too(call):
    answer = call("GET", "webhooks/public_key")
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/plain")
    assert base64.b64decode(answer.content).decode() == read_public_key()
    refused = call("GET", "webhooks/public_key", authorization="Bearer wrong")
    assert (refused.status_code, refused.json()["error"]) == (401, "Unauthorized")


def test_the_private_key_is_encrypted_at_rest():
    read_public_key()
    (pair,) = SigningKey.objects.values()
    assert b"PRIVATE" not in bytes(pair["private_key"])
    assert "PRIVATE" not in pair["public_key"]


@pytest.mark.django_db(transaction=True)
def test_made_by_many_at_once_it_is_one():
    def read(_):
        try:
            return read_public_key()
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(read, range(6)))) == 1
    assert SigningKey.objects.count() == 1
