"""Secrets at rest: encrypted with a key from the settings, never shown again."""

import base64
import hashlib

from cryptography.fernet import Fernet
from django.conf import settings


def encrypt(secret: str) -> bytes:
    """The secret as it may be stored."""
    return _cipher().encrypt(secret.encode())


def decrypt(stored: bytes) -> str:
    """The secret of what `encrypt` gave; raises InvalidToken when SECRETS_KEY is another one."""
    return _cipher().decrypt(stored).decode()


def _cipher() -> Fernet:
    # Fernet wants exactly 32 bytes; a digest of any long random key gives them.
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(settings.SECRETS_KEY.encode()).digest()))
