"""The way to Odoo: what a transport is, and the one over OdooRPC."""

from __future__ import annotations

import logging
from typing import Any, NoReturn, Protocol
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, build_opener

import odoorpc
import odoorpc.error

from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.odoo.classification import (
    SYSTEM,
    WIRE_ERRORS,
    classify,
    without_effect,
)

PROTOCOLS = {"http": ("jsonrpc", 80), "https": ("jsonrpc+ssl", 443)}

# OdooRPC writes every request to the debug log, the API key included. A filter outlives what a logging
# configuration does to levels and handlers.
logging.getLogger("odoorpc.rpc.jsonrpclib").addFilter(lambda _: False)


class Transport(Protocol):
    """One connection to one database as one user. Every failure is a `ConnectorError`."""

    @property
    def login(self) -> str:
        """The user's login."""

    def version(self) -> str:
        """The server's version, "19.0"."""

    def execute(self, model: str, method: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """Call a method of a model in one transaction of the server's and return its JSON answer."""


class OdooRpcTransport:
    """Odoo's `/jsonrpc` through OdooRPC; logs in on first use. Not for sharing between threads.

    A refused login is remembered and not tried again: a wrong key in a busy worker must not lock the user
    out. Make a new transport after the key was changed.
    """

    def __init__(self, url: str, database: str, login: str, api_key: str, timeout: float = 60.0) -> None:
        """`timeout` in seconds: longer than the half minute that Odoo may spend on retries of its own."""
        self._protocol, self._host, self._port = parse_address(url)
        self._database = database
        self._login = login
        self._api_key = api_key
        self._timeout = timeout
        self._odoo: Any = None
        self._refusal: ConnectorError | None = None

    @property
    def login(self) -> str:
        return self._login

    def version(self) -> str:
        return str(self._logged_in().version)

    def execute(self, model: str, method: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        odoo = self._logged_in()
        try:
            return odoo.execute_kw(model, method, args, kwargs)
        except WIRE_ERRORS as error:
            # `from None`: the cause carries the server's traceback.
            raise classify(error) from None

    def _logged_in(self) -> Any:
        if self._refusal is not None:
            raise ConnectorError(*self._refusal.args)
        if self._odoo is None:
            self._odoo = self._log_in()
        return self._odoo

    def _log_in(self) -> Any:
        try:
            odoo = odoorpc.ODOO(
                self._host,
                protocol=self._protocol,
                port=self._port,
                timeout=self._timeout,
                opener=build_opener(_RefuseRedirect()),
            )
            odoo.login(self._database, self._login, self._api_key)
        except WIRE_ERRORS as error:
            self._refuse(without_effect(classify(error)))
        return odoo

    def _refuse(self, error: ConnectorError) -> NoReturn:
        if error.code == "authentication":
            self._refusal = error
        raise error from None


class _RefuseRedirect(HTTPRedirectHandler):
    """A redirected POST would come out as a GET, and the key would follow to wherever it points."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


def parse_address(url: str) -> tuple[str, str, int]:
    """OdooRPC's protocol, the host and the port of an http or https address; refuses anything else in it."""
    try:
        parts = urlsplit(url)
        protocol, default_port = PROTOCOLS[parts.scheme]
        port = parts.port or default_port
    except (KeyError, ValueError):
        raise _bad_address(url) from None
    if not parts.hostname or parts.username or parts.path.strip("/") or parts.query or parts.fragment:
        raise _bad_address(url)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return protocol, host, port


def _bad_address(url: str) -> ConnectorError:
    shown = url.rpartition("@")[2]
    message = f"“{shown}” is not an address like https://odoo.example.com or http://127.0.0.1:8069."
    return ConnectorError("wrong_address", message, SYSTEM)
