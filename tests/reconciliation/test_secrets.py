"""Secrets are kept so that the database alone tells nothing of them."""

import pytest
from cryptography.fernet import InvalidToken

from reconciliation.secrets import decrypt, encrypt

SECRET = "an old key that is carried over"


def test_a_secret_is_read_by_its_key_alone(settings):
    stored = encrypt(SECRET)
    assert decrypt(stored) == SECRET
    assert encrypt(SECRET) != stored, "the same secret twice cannot be told from two"
    settings.SECRETS_KEY = "another key"
    with pytest.raises(InvalidToken):
        decrypt(stored)
