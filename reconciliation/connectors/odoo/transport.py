"""The way to Odoo: what a transport is, and the one over OdooRPC."""

from __future__ import annotations

import logging
from enum import StrEnum
from typing import Any, NoReturn, Protocol

import odoorpc
import odoorpc.error

from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.odoo.classification import (
    WIRE_ERRORS,
    classify,
    without_effect,
)
from reconciliation.connectors.odoo.web import make_opener, parse_address

PROTOCOLS = {"http": "jsonrpc", "https": "jsonrpc+ssl"}

# OdooRPC writes every request to the debug log, the API key included. A filter outlives what a logging
# configuration does to levels and handlers.
logging.getLogger("odoorpc.rpc.jsonrpclib").addFilter(lambda _: False)


class TransportKind(StrEnum):
    """How a connection speaks with Odoo; `auto` is whichever the server's version asks for."""

    AUTO = "auto"
    JSONRPC = "jsonrpc"
    JSON2 = "json2"


class Transport(Protocol):
    """One connection to one database as one user. Every failure is a `ConnectorError`."""

    @property
    def login(self) -> str:
        """The user's login, as the console was told."""

    @property
    def kind(self) -> TransportKind:
        """The way that is spoken with this server; asks the server where that decides it."""

    def version(self) -> str:
        """The server's version, "19.0"."""

    def execute(self, model: str, method: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """Call a method of a model in one transaction of the server's and return its JSON answer."""


class OdooRpcTransport:
    """Odoo's `/jsonrpc` through OdooRPC; logs in on first use. Not for sharing between threads.

    A refused login is remembered and not tried again: a wrong key in a busy worker must not lock the user
    out. Make a new transport after the key was changed.
    """

    def __init__(
        self, url: str, database: str, login: str, api_key: str, timeout: float = 60.0, *, ca_file: str = ""
    ) -> None:
        """`timeout` in seconds: longer than the half minute that Odoo may spend on retries of its own.

        `ca_file` names a file of certificates that are trusted beside the system's own.
        """
        self._address = parse_address(url)
        self._ca_file = ca_file
        self._database = database
        self._login = login
        self._api_key = api_key
        self._timeout = timeout
        self._odoo: Any = None
        self._refusal: ConnectorError | None = None

    @property
    def login(self) -> str:
        return self._login

    @property
    def kind(self) -> TransportKind:
        return TransportKind.JSONRPC

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
                self._address.host,
                protocol=PROTOCOLS[self._address.scheme],
                port=self._address.port,
                timeout=self._timeout,
                opener=make_opener(self._ca_file),
            )
            odoo.login(self._database, self._login, self._api_key)
        except WIRE_ERRORS as error:
            self._refuse(without_effect(classify(error)))
        return odoo

    def _refuse(self, error: ConnectorError) -> NoReturn:
        if error.code == "authentication":
            self._refusal = error
        raise error from None
