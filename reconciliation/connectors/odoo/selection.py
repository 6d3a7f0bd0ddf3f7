"""Which of the two transports a connection uses: as it was told, or as the server's version says."""

from __future__ import annotations

import re
from typing import Any

from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.odoo.classification import WRONG_ADDRESS
from reconciliation.connectors.odoo.json2 import Json2Transport
from reconciliation.connectors.odoo.transport import OdooRpcTransport, Transport, TransportKind

# Odoo 22 has no /jsonrpc; online it goes with 21.1 already.
WITHOUT_JSONRPC = (21, 1)
VERSION = re.compile(r"(?:saas[~-])?(?P<major>\d+)(?:\.(?P<minor>\d+))?")


class AutoTransport:
    """OdooRPC where the server still has `/jsonrpc`, else JSON-2; asked once, at the first call.

    OdooRPC is what was measured longest, and its calls are a little faster. A failure that does not tell which it is
    leaves the choice open.
    """

    def __init__(self, jsonrpc: OdooRpcTransport, json2: Json2Transport) -> None:
        self._jsonrpc = jsonrpc
        self._json2 = json2
        self._chosen: Transport | None = None

    @property
    def login(self) -> str:
        return self._json2.login

    @property
    def kind(self) -> TransportKind:
        return self._choose().kind

    def version(self) -> str:
        return self._choose().version()

    def execute(self, model: str, method: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        return self._choose().execute(model, method, args, kwargs)

    def _choose(self) -> Transport:
        if self._chosen is None:
            self._chosen = self._json2 if is_without_jsonrpc(self._json2.version()) else self._try_jsonrpc()
        return self._chosen

    def _try_jsonrpc(self) -> Transport:
        """OdooRPC once it is logged in; JSON-2 when there is nothing at its address."""
        try:
            self._jsonrpc.version()
        except ConnectorError as error:
            if error.code != WRONG_ADDRESS.code:
                raise
            return self._json2
        return self._jsonrpc


def is_without_jsonrpc(version: str) -> bool:
    """Whether a server of this version no longer has `/jsonrpc`; an unknown version has it."""
    match = VERSION.match(version)
    return match is not None and (int(match["major"]), int(match["minor"] or 0)) >= WITHOUT_JSONRPC


def make_transport(
    kind: TransportKind,
    *,
    url: str,
    database: str,
    login: str,
    api_key: str,
    timeout: float = 60.0,
    ca_file: str = "",
) -> Transport:
    """The transport of that kind; nothing is sent before its first call."""
    json2 = Json2Transport(url, database, login, api_key, timeout, ca_file=ca_file)
    if kind is TransportKind.JSON2:
        return json2
    jsonrpc = OdooRpcTransport(url, database, login, api_key, timeout, ca_file=ca_file)
    return jsonrpc if kind is TransportKind.JSONRPC else AutoTransport(jsonrpc, json2)
