"""Odoo's `/json/2`: one POST per call, the arguments by name, the key as a bearer.

It takes over from `/jsonrpc`, which Odoo 22 will no longer have. The key alone says who calls: the login is what
the console was told, and only a check of the connection compares the two.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import OpenerDirector, Request

from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.odoo.classification import (
    AUTHENTICATION,
    SYSTEM,
    WIRE_ERRORS,
    classify,
    classify_refusal,
    without_effect,
)
from reconciliation.connectors.odoo.transport import TransportKind
from reconciliation.connectors.odoo.web import make_opener, parse_address

# The names of the arguments that we give by place: `/jsonrpc` has places, `/json/2` has names. A method that is not
# among them is one of records: the first place is their ids, and everything else must have a name.
ARGUMENTS: dict[str, tuple[str, ...]] = {
    "check_object_reference": ("module", "xml_id"),
    "context_get": (),
    "create": ("vals_list",),
    "fields_get": ("allfields", "attributes"),
    "formatted_read_group": ("domain", "groupby", "aggregates"),
    "has_access": ("ids", "operation"),
    "load": ("fields", "data"),
    "read": ("ids", "fields"),
    "search": ("domain", "offset", "limit", "order"),
    "search_count": ("domain", "limit"),
    "search_read": ("domain", "fields", "offset", "limit", "order"),
    "write": ("ids", "vals"),
}
OF_RECORDS = ("ids",)


class Json2Transport:
    """Odoo's `/json/2`, each call a connection of its own as the server wants it. Not for sharing between threads.

    A key that was refused at the first call is not tried again; make a new transport after it was changed.
    """

    def __init__(
        self, url: str, database: str, login: str, api_key: str, timeout: float = 60.0, *, ca_file: str = ""
    ) -> None:
        """As `OdooRpcTransport`."""
        self._address = parse_address(url)
        self._headers = {
            "Authorization": f"bearer {api_key}",
            "Content-Type": "application/json",
            "X-Odoo-Database": database,
        }
        self._login = login
        self._timeout = timeout
        self._ca_file = ca_file
        self._opener: OpenerDirector | None = None
        self._version = ""
        self._is_known = False
        self._refusal: ConnectorError | None = None

    @property
    def login(self) -> str:
        return self._login

    @property
    def kind(self) -> TransportKind:
        return TransportKind.JSON2

    def version(self) -> str:
        if not self._version:
            self._version = read_version(self._open(), str(self._address), self._timeout)
        return self._version

    def execute(self, model: str, method: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        if self._refusal is not None:
            raise ConnectorError(*self._refusal.args)
        body = json.dumps(name_arguments(method, args) | kwargs).encode()
        url = f"{self._address}/json/2/{quote(model, safe='.')}/{quote(method, safe='')}"
        try:
            answer = _read(self._open(), Request(url, body, self._headers, method="POST"), self._timeout)
        except ConnectorError as error:
            if error.code == AUTHENTICATION.code and not self._is_known:
                self._refusal = error
            raise
        self._is_known = True
        return _unwrap(method, args, answer)

    def _open(self) -> OpenerDirector:
        if any(not (value.isascii() and value.isprintable()) for value in self._headers.values()):
            raise AUTHENTICATION.error("(The key or the database's name holds what no header may.)")
        self._opener = self._opener or make_opener(self._ca_file)
        return self._opener


def name_arguments(method: str, args: list[Any]) -> dict[str, Any]:
    """The arguments by name; refuses one whose name is not known (`unnamed_argument`) before anything is sent."""
    names = ARGUMENTS.get(method, OF_RECORDS)
    if len(args) > len(names):
        message = f"The call of {method} has an argument that JSON-2 needs by name."
        raise ConnectorError("unnamed_argument", message, SYSTEM)
    return dict(zip(names, args, strict=False))


def read_version(opener: OpenerDirector, address: str, timeout: float) -> str:
    """The server's version, "19.0" or "saas~19.1", which it tells without a key."""
    try:
        answer = _read(opener, Request(f"{address}/web/version"), timeout)
        return str(answer["version"])
    except (LookupError, TypeError):
        raise classify(ValueError()) from None
    except ConnectorError as error:
        raise without_effect(error) from None


def _read(opener: OpenerDirector, request: Request, timeout: float) -> Any:
    """The JSON of an answer; every failure is a `ConnectorError`, without the server's traceback as its cause."""
    try:
        with opener.open(request, timeout=timeout) as response:
            if not _is_json(response):
                raise ValueError("a page")
            return json.loads(response.read())
    except HTTPError as error:
        raise classify_refusal(error.code, _read_told(error)) from None
    except WIRE_ERRORS as error:
        raise classify(error) from None


def _read_told(error: HTTPError) -> Any:
    """The body of a refusal where it is JSON: a page is not read."""
    with error:
        try:
            return json.loads(error.read()) if _is_json(error) else None
        except WIRE_ERRORS:
            return None


def _is_json(response: Any) -> bool:
    return response.headers.get_content_type() == "application/json"


def _unwrap(method: str, args: list[Any], answer: Any) -> Any:
    """JSON-2 answers a list of ids also where one record was created; `/jsonrpc` answers that one's id."""
    is_one = method == "create" and bool(args) and isinstance(args[0], dict)
    return answer[0] if is_one and isinstance(answer, list) else answer
