"""The console's own RSA keys: made once, the private one encrypted in the database, the public one shown."""

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from django.conf import settings

from reconciliation.models import SigningKey
from reconciliation.secrets import decrypt, encrypt

WEBHOOKS = "webhooks"
BITS = 2048


def read_public_key() -> str:
    """The PEM that verifies what `sign_jwt` gives; every process and every day the same."""
    return _find_pair().public_key


def sign_jwt(body: str) -> str:
    """Lago's `jwt` signature: an RS256 token whose claims are the body and the API's address.

    Raises InvalidToken when SECRETS_KEY is another one than when the key was made.
    """
    private_key = decrypt(bytes(_find_pair().private_key))
    return jwt.encode({"data": body, "iss": settings.API_URL}, private_key, algorithm="RS256")


def _find_pair() -> SigningKey:
    """The pair that signs webhooks, made on first use; of two that are made at once the first stays."""
    pair = SigningKey.objects.filter(purpose=WEBHOOKS).first()
    return pair or SigningKey.objects.get_or_create(purpose=WEBHOOKS, defaults=_make_pair())[0]


def _make_pair() -> dict[str, str | bytes]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=BITS)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    return {"private_key": encrypt(private), "public_key": public}
