"""A raw client of the demo's Odoo stand-in, which alone may be written to beside the console's guarded connector."""

import hashlib
import json
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import odoorpc
from django.conf import settings

# Not the prefix of the console's own pushes.
PREFIX = "__billing_console_demo__"
# A record that is there stays as it is: what somebody changed in the stand-in is theirs.
INSERT_ONLY = {"mode": "update", "noupdate": True}
MARK = "X-Odoo-Stand-In"


class DemoRefusedError(Exception):
    """The demo cannot be loaded here; the message says why and what to do."""

    code = "demo_refused"


class StandInClient:
    """Calls the stand-in as its console user does; there is none for a server that is anything else."""

    def __init__(self) -> None:
        """Refuses (DemoRefusedError) an address that does not call itself the stand-in."""
        require_stand_in(settings.ODOO_URL)
        parts = urlsplit(settings.ODOO_URL)
        self._odoo = odoorpc.ODOO(parts.hostname, port=parts.port or 80, timeout=settings.ODOO_TIMEOUT)
        self._odoo.login(settings.ODOO_DB, settings.ODOO_LOGIN, settings.ODOO_API_KEY)

    def call(self, model: str, method: str, *args: Any, **named: Any) -> Any:
        """Calls one method."""
        return self._odoo.execute_kw(model, method, list(args), named)

    def find_by(self, model: str, field: str) -> dict[str, int]:
        """The ids of all records of a small model by one of their fields."""
        rows = self.call(model, "search_read", [], fields=[field])
        return {row[field][1] if isinstance(row[field], list) else row[field]: row["id"] for row in rows}

    def load(self, model: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
        """Creates what is not there yet, by the external id in the column `id`; returns one id per row."""
        answer = self.call(model, "load", list(columns), rows, context=INSERT_ONLY)
        if not answer["ids"]:
            raise RuntimeError(f"The stand-in refused {model}: {json.dumps(answer['messages'])[:500]}")
        return list(answer["ids"])


def name_record(kind: str, key: str) -> str:
    """The external id of a record of the demo: its key may hold what an external id may not."""
    return f"{PREFIX}.{kind}_{hashlib.sha256(key.encode()).hexdigest()[:20]}"


def require_stand_in(url: str) -> None:
    """Refuses any server but the stand-in: no demo record ever reaches somebody's Odoo."""
    try:
        with urllib.request.urlopen(f"{url}/web/version", timeout=10) as answer:
            is_stand_in = answer.headers.get(MARK) == "1"
    except (OSError, ValueError) as error:
        raise DemoRefusedError(
            f"The Odoo stand-in does not answer at {url}: {error}. Start the console with `make run`."
        ) from error
    if not is_stand_in:
        raise DemoRefusedError(
            f"{url} is not the demo's Odoo stand-in, and the demo writes to nothing else. Set DEMO=0."
        )
