"""Which columns are secrets, so that no address may ask a list about them."""

from django.db.models.constants import LOOKUP_SEP

# A field that has one of these words in its name; the digest of a key is as good as asking for the key.
WORDS = frozenset({"digest", "password", "secret", "token"})


def names_secret(lookup: str) -> bool:
    """Whether a lookup such as `endpoint__secret__startswith` asks about a secret, on whatever path."""
    return any(WORDS.intersection(part.split("_")) for part in lookup.split(LOOKUP_SEP))
