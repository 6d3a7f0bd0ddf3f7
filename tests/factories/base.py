"""What the factories share: September 2026, when it was seen, and digests."""

import hashlib
from datetime import UTC, datetime

from factory.django import DjangoModelFactory

PERIOD_START = datetime(2026, 9, 1, tzinfo=UTC)
PERIOD_END = datetime(2026, 10, 1, tzinfo=UTC)
PERIOD_LABEL = "2026-09"
SEEN_AT = datetime(2026, 10, 3, 12, tzinfo=UTC)


def make_digest(text):
    """The SHA-256 of a text, as the digest columns hold it."""
    return hashlib.sha256(str(text).encode()).hexdigest()


class PeriodFactory(DjangoModelFactory):
    """The base of rows that belong to a period."""

    class Meta:
        abstract = True

    period_start = PERIOD_START
    period_end = PERIOD_END
    period_label = PERIOD_LABEL
