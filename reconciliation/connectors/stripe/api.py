"""Stripe by its SDK: every page of its lists and single objects, at the pace that it allows.

The SDK signs, sends and tells errors apart. Its own retries are off, for one layer of them is enough, and its typed
objects are not used: evidence is the answer as it came.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

import requests
import stripe
from stripe import RequestsClient, StripeClient

from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.stripe.pages import decode, read_item, read_page
from reconciliation.connectors.stripe.records import API_VERSION, Account, Kind, Page, StripeItem, fail

PAGE_SIZE = 100
# Seconds to wait after each failure that may pass; then the error is told.
WAITS = (1.0, 4.0, 15.0)
# After 429: doubling from half a second, never longer than this, and so often. In sum some five minutes.
LONGEST_WAIT = 32.0
MOST_WAITS = 14
# Of one invoice.
MOST_LINES = 20_000


class StripeApi:
    """One account, as one key sees it. Reads only; not for sharing between threads."""

    def __init__(
        self,
        key: str,
        *,
        base: str = "",
        timeout: float = 30.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`base` is another address than Stripe's own, `timeout` the seconds of each wait for bytes.

        Raises ConnectorError for what is no key.
        """
        if not key or not key.isascii() or not key.isprintable() or " " in key:
            raise fail("no_key", "There is no Stripe key, or it is more than one word.")
        session = requests.Session()
        # Else a .netrc of the machine could put its own credentials in place of the key.
        session.trust_env = False
        session.max_redirects = 0
        self._client = StripeClient(
            key,
            stripe_version=API_VERSION,
            base_addresses={"api": base.rstrip("/")} if base else None,
            max_network_retries=0,
            http_client=RequestsClient(timeout=timeout, session=session),
        )
        self._sleep = sleep
        self.is_live = key.startswith(("sk_live_", "rk_live_"))

    def read_page(
        self,
        kind: Kind,
        query: Mapping[str, Any] = MappingProxyType({}),
        *,
        after: str = "",
        size: int = 0,
    ) -> Page:
        """One page of a list, newest first; `query` narrows it down, as `{"created": {"gte": 1}}`."""
        asked = {**query, "limit": size or PAGE_SIZE, **({"starting_after": after} if after else {})}
        where = f"{kind.value}{f' after {after}' if after else ''}"
        return read_page(where, kind, self._get(where, f"/v1/{kind.value}", asked))

    def read_one(self, kind: Kind, id_: str) -> StripeItem | None:
        """The object as it is now, with all of its lines; None when this account has none of that id."""
        if not re.fullmatch(r"[A-Za-z0-9_]+", id_):
            return None
        where = f"{kind.value} {id_}"
        try:
            item = read_item(where, kind, self._get(where, f"/v1/{kind.value}/{id_}", {}))
        except _NotFound:
            return None
        return self.complete(item)

    def complete(self, item: StripeItem) -> StripeItem:
        """The object with all of its lines: a list shows the first ten. An object of few lines is as it was."""
        lines = item.values.get("lines")
        if not isinstance(lines, Mapping) or lines.get("has_more") is not True:
            return item
        where, entries, after = f"lines of {item.id}", list[Any](), ""
        while True:
            asked = {"limit": PAGE_SIZE, **({"starting_after": after} if after else {})}
            page = self._get(where, f"/v1/{item.kind.value}/{item.id}/lines", asked)
            read = read_page(where, item.kind, page)
            entries += [dict(line.values) for line in read.items]
            if read.after is None:
                break
            if len(entries) > MOST_LINES:
                raise fail("too_large", f"{item.id} has more than {MOST_LINES:,} lines.")
            after = read.after
        whole = {**item.values, "lines": {**lines, "data": entries, "has_more": False}}
        return StripeItem(item.kind, item.id, item.created, whole)

    def read_account(self) -> Account:
        """Whose key it is. A restricted key without the right is told so, with the account's id all the same."""
        try:
            value = self._get("account", "/v1/account", {})
        except _NotFound:
            return Account("")
        except ConnectorError as error:
            found = re.search(r"acct_[A-Za-z0-9]+", error.message)
            if error.code != "forbidden":
                raise
            return Account(found[0] if found else "")
        names = ("id", "business_name", "country")
        profile = value.get("business_profile") if isinstance(value, dict) else None
        id_, _, country = (str(value.get(name) or "") for name in names)
        name = profile.get("name") if isinstance(profile, dict) else ""
        return Account(id_, str(name or ""), country)

    def _get(self, where: str, path: str, query: Mapping[str, Any]) -> Any:
        """The decoded body of a 200; waits after a 429, and tries again what may pass."""
        waits, throttled = iter(WAITS), 0
        while True:
            try:
                return decode(where, self._client.raw_request("get", path, **query).body)
            except stripe.RateLimitError as error:
                throttled += 1
                if throttled > MOST_WAITS:
                    raise fail(
                        "throttled", f"{where}: Stripe keeps asking to wait.", permanent=False
                    ) from None
                pause = _read_pause(error, throttled)
            except stripe.StripeError as error:
                pause = _next_pause(_tell(where, error), waits)
            except ConnectorError as error:
                pause = _next_pause(error, waits)
            self._sleep(pause)


class _NotFound(Exception):
    """This account has no such object."""


def _next_pause(error: ConnectorError, waits: Iterator[float]) -> float:
    pause = None if error.permanent else next(waits, None)
    if pause is None:
        raise error from None
    return pause


def _read_pause(error: stripe.StripeError, throttled: int) -> float:
    """What Stripe asks for, else twice as long each time; a little apart, so that workers do not come at once."""
    told = (error.headers or {}).get("Retry-After", "")
    if str(told).isdigit():
        return min(float(told), LONGEST_WAIT)
    # Not for security: only to spread the workers.
    return min(2.0 ** (throttled - 2), LONGEST_WAIT) * random.uniform(0.75, 1.0)


def _tell(where: str, error: stripe.StripeError) -> ConnectorError:
    """The SDK's error as this project's; the SDK's own text may show what was sent."""
    status = error.http_status or 0
    if isinstance(error, stripe.AuthenticationError):
        return fail("authentication", "Stripe does not know the key, or it has expired or was rolled.")
    if isinstance(error, stripe.PermissionError):
        said = f"{error.user_message or ''} {error}"
        rights = sorted(set(re.findall(r"rak_[a-z_]+", said)))
        account = re.findall(r"acct_[A-Za-z0-9]+", said)[:1]
        lacks = f": it lacks {', '.join(rights)}" if rights else ""
        return fail("forbidden", f"{where}: the key may not read it{lacks}. {''.join(account)}".strip())
    if isinstance(error, stripe.APIConnectionError):
        return fail("unreachable", f"{where}: Stripe did not answer.", permanent=False)
    if status == 404:
        raise _NotFound from None
    if status >= 500 or status == 409:
        return fail("server_error", f"{where}: Stripe answered {status}.", permanent=False)
    if status == 200:
        return fail("not_json", f"{where}: the answer is not JSON, or is cut off.", permanent=False)
    return fail("unexpected_answer", f"{where}: Stripe answered {status} ({error.code or 'no code'}).")
