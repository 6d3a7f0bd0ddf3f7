"""Lago by its API: every page of its lists, at the pace that it allows, with a key that may be restricted."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError

from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.lago.pages import decode, find_next, read_page
from reconciliation.connectors.lago.records import (
    Bills,
    Collection,
    Echo,
    LagoRecord,
    Listing,
    fail,
    make_records,
    refuse_gap,
)

PREFIX = "/api/v1"
PAGE_SIZE = 100
# Of one page, in bytes: a hundred plans of a thousand filters each are a tenth of it.
LARGEST = 64 * 1024 * 1024
CHUNK = 64 * 1024
# Seconds to wait after each failure that may pass; then the error is told.
WAITS = (1.0, 4.0, 15.0)
# Lago's clients wait for what `x-ratelimit-reset` says, in seconds; beyond this somebody should know.
LONGEST_WAIT = 60.0
MOST_WAITS = 20
# Lists only the active ones unless told otherwise.
Query = list[tuple[str, str]]
OF_EVERY_STATUS: Query = [
    ("status[]", status) for status in ("pending", "active", "terminated", "canceled", "incomplete")
]


class LagoApi:
    """One organization of Lago's, as one key sees it. Reads only; not for sharing between threads."""

    def __init__(
        self,
        url: str,
        key: str,
        *,
        timeout: float = 30.0,
        longest: float = 120.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`timeout` bounds each wait for bytes, `longest` a page as a whole, both in seconds.

        Raises ConnectorError for what is no address, or no key.
        """
        self._base = read_address(url)
        if not key or not key.isascii() or not key.isprintable() or " " in key:
            raise fail("no_key", "There is no API key, or it is more than one line.")
        self._session = requests.Session()
        # Else a .netrc of the machine could put its own credentials in place of the key.
        self._session.trust_env = False
        self._session.headers.update({"Authorization": f"Bearer {key}", "Accept": "application/json"})
        self._timeout = timeout
        self._longest = longest
        self._sleep = sleep

    @property
    def name(self) -> str:
        return self._base

    def read(self, collection: Collection, echo: Echo) -> Listing:
        try:
            if collection is not Collection.SUBSCRIPTIONS:
                return Listing(collection, self._read_all(collection, [], echo))
            records = self._read_all(collection, OF_EVERY_STATUS, echo)
            return Listing(collection, records, overridden=self._find_overridden(records))
        except Forbidden as error:
            return Listing(collection, missing=str(error))

    def _find_overridden(self, records: tuple[LagoRecord, ...]) -> frozenset[str]:
        """Subscriptions with prices of their own.

        A Lago that does not know the filter answers all, to both questions; then there is nothing to tell by.
        """
        every = {record.lago_id for record in records}
        found = self._ids_where("true") & every
        if found and found == every:
            found -= self._ids_where("false")
        return frozenset(found)

    def _ids_where(self, overridden: str) -> set[str]:
        query = [*OF_EVERY_STATUS, ("overridden", overridden)]
        return {record.lago_id for record in self._read_all(Collection.SUBSCRIPTIONS, query, lambda _: None)}

    def _read_all(self, collection: Collection, query: Query, echo: Echo) -> tuple[LagoRecord, ...]:
        total: list[Any] = []
        records = make_records(self._read_entries(collection, query, echo, total))
        refuse_gap(f"{self._base}/{collection.value}", records, total[-1])
        return records

    def _read_entries(
        self, collection: Collection | Bills, query: Query, echo: Echo, total: list[Any]
    ) -> Iterator[tuple[str, Any]]:
        number: int | None = 1
        while number is not None:
            where = f"{collection.value}, page {number}"
            asked = [*query, ("page", str(number)), ("per_page", str(PAGE_SIZE))]
            body = self._get(where, collection.value, asked, echo)
            page = read_page(where, collection, decode(where, body))
            number = find_next(where, page, number)
            total.append((page.meta or {}).get("total_count"))
            for place, entry in enumerate(page.entries, 1):
                yield f"{where}, entry {place}", entry
            echo(len(page.entries))

    def _get(self, where: str, path: str, query: Query, echo: Echo) -> bytes:
        """The body of a 200; waits as told after a 429, and tries again what may pass; `echo` hears of each wait."""
        waits, throttled = iter(WAITS), 0
        while True:
            try:
                status, headers, body = self._ask(where, path, query)
                if status == 200:
                    return body
                if status != 429:
                    raise _refuse(where, status, body)
                throttled += 1
                if throttled > MOST_WAITS:
                    raise fail("throttled", f"{where}: Lago keeps asking to wait.", permanent=False)
                pause: float | None = _read_reset(where, headers)
            except ConnectorError as error:
                pause = None if error.permanent or error.code == "throttled" else next(waits, None)
                if pause is None:
                    raise
            echo(0)
            self._sleep(pause or 0.0)

    def _ask(self, where: str, path: str, query: Query) -> tuple[int, Mapping[str, str], bytes]:
        """One request: status, headers and the whole body. A redirect is not followed: the key would go along."""
        deadline = time.monotonic() + self._longest
        try:
            with self._session.get(
                f"{self._base}/{path}",
                params=query,
                timeout=self._timeout,
                allow_redirects=False,
                stream=True,
            ) as response:
                body = bytearray()
                for chunk in response.iter_content(CHUNK):
                    body += chunk
                    if len(body) > LARGEST:
                        raise fail("too_large", f"{where} is larger than {LARGEST:,} bytes.")
                    if time.monotonic() > deadline:
                        raise fail(
                            "timeout", f"{where} took longer than {self._longest:g} s.", permanent=False
                        )
                return response.status_code, response.headers, bytes(body)
        except (requests.RequestException, HTTPError, UnicodeError) as error:
            # The error's own text would show the address that was asked, and could show more.
            message = f"{where}: Lago did not answer ({type(error).__name__})."
            raise fail("unreachable", message, permanent=False) from None


class Forbidden(Exception):
    """The key may not see the collection; the text says which permission it lacks."""


def read_address(url: str) -> str:
    """The address of the API's lists; `/api/v1` may be told or not, as Lago's clients differ on it.

    Raises ConnectorError for what is none, or holds more than an address.
    """
    try:
        parts = urlsplit(url.strip())
        is_web = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_web = False
    if (
        not is_web
        or parts.username is not None
        or parts.query
        or parts.fragment
        or not url.strip().isprintable()
    ):
        shown = url.rpartition("@")[2]
        raise fail("wrong_address", f"“{shown}” is not an address like https://api.getlago.com.")
    base = f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")
    return base if base.endswith(PREFIX) else base + PREFIX


def _refuse(where: str, status: int, body: bytes) -> Exception:
    if status == 401:
        return fail("authentication", "Lago does not know the API key, or it has expired.")
    if status == 403:
        return Forbidden(f"the key may not read it ({_read_code(where, body)})")
    if status >= 500:
        return fail("server_error", f"{where}: Lago answered {status}.", permanent=False)
    if 300 <= status < 400:
        return fail(
            "redirected", f"{where}: Lago answered {status} and points elsewhere; give that address itself."
        )
    return fail("unexpected_answer", f"{where}: Lago answered {status}; is the address that of Lago's API?")


def _read_code(where: str, body: bytes) -> str:
    try:
        answer = decode(where, body)
    except ConnectorError:
        return "forbidden"
    code = answer.get("code") if isinstance(answer, dict) else None
    return code[:100] if isinstance(code, str) and code.isprintable() else "forbidden"


def _read_reset(where: str, headers: Mapping[str, str]) -> float:
    """How many seconds to wait; one where that is not told. Raises ConnectorError for more than we wait."""
    try:
        seconds = float(headers.get("x-ratelimit-reset", "1"))
    except ValueError:
        seconds = 1.0
    if not math.isfinite(seconds) or seconds > LONGEST_WAIT:
        message = f"{where}: Lago lets nobody ask for more than {LONGEST_WAIT:g} s. Start again later."
        raise fail("throttled", message, permanent=False)
    return max(seconds, 0.0)
