"""How often a key may be used: one count for all processes, kept by the database."""

from dataclasses import dataclass
from math import ceil

from django.db import connection

# Clients wait as long as they are told, but never longer than 20 seconds: a window must end before.
WINDOW_SECONDS = 10

# Windows begin with a request, not on the clock: senders do not all wake at the same instant. A window that
# began in the future is one from before the database's clock was set back.
COUNT = """
    INSERT INTO ingest_ratewindow AS present (key_id, started_at, used)
    VALUES (%(key)s, statement_timestamp(), 1)
    ON CONFLICT (key_id) DO UPDATE SET (started_at, used) = (
        SELECT CASE WHEN is_open THEN present.started_at ELSE statement_timestamp() END,
               CASE WHEN is_open THEN present.used + 1 ELSE 1 END
        FROM (
            SELECT abs(extract(epoch FROM statement_timestamp() - present.started_at)) < %(window)s AS is_open
        ) AS state
    )
    RETURNING used, %(window)s - extract(epoch FROM statement_timestamp() - started_at)
"""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a key may still do: `limit` requests in a window, `used` of them gone, `seconds` to its end."""

    limit: int
    used: int
    seconds: int

    @property
    def is_exceeded(self) -> bool:
        """Whether the request that was counted last is one too many."""
        return self.used > self.limit

    @property
    def headers(self) -> dict[str, str]:
        """As Lago's clients read them: the reset is a number of seconds to wait."""
        return {
            "x-ratelimit-limit": str(self.limit),
            "x-ratelimit-remaining": str(max(self.limit - self.used, 0)),
            "x-ratelimit-reset": str(self.seconds),
        }


def count_request(*, key_id: int, limit: int) -> Allowance:
    """Counts one request of a key, whichever process asks; a refused one counts too.

    Exact across processes and machines: at most `limit` requests are let through in each window, and so at most
    twice as many in any ten seconds. Costs one write to an unlogged table.
    """
    with connection.cursor() as cursor:
        cursor.execute(COUNT, {"key": key_id, "window": WINDOW_SECONDS})
        used, seconds = cursor.fetchone()
    return Allowance(limit=limit, used=used, seconds=min(max(ceil(seconds), 1), WINDOW_SECONDS))
