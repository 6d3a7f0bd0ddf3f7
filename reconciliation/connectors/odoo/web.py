"""What both transports share of the web: an address, and who opens it."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, HTTPSHandler, OpenerDirector, build_opener

from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.odoo.classification import SYSTEM

PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server is; `host` is fit for an address, in brackets when it is an IPv6 one."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}"


class _RefuseRedirect(HTTPRedirectHandler):
    """A redirected POST would come out as a GET, and the key would follow to wherever it points."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


def make_opener(ca_file: str = "") -> OpenerDirector:
    """An opener that verifies certificates, by the system's authorities and those in `ca_file`, and stays put.

    Raises ConnectorError ("certificate") for a file that holds none.
    """
    context = _trust(ca_file) if ca_file else _trust_system()
    return build_opener(_RefuseRedirect(), HTTPSHandler(context=context))


@cache
def _trust_system() -> ssl.SSLContext:
    """Read once in a process: it takes longer than most calls to Odoo, and each run makes connections."""
    return ssl.create_default_context()


def _trust(ca_file: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    try:
        context.load_verify_locations(cafile=ca_file)
    except (OSError, ssl.SSLError):
        message = "The file that ODOO_CA_FILE names cannot be read, or holds no certificate."
        raise ConnectorError("certificate", message, SYSTEM) from None
    return context


def parse_address(url: str) -> Address:
    """The parts of an http or https address; refuses anything else in it (`wrong_address`)."""
    try:
        parts = urlsplit(url)
        port = parts.port or PORTS[parts.scheme]
    except (KeyError, ValueError):
        raise _bad_address(url) from None
    if not parts.hostname or parts.username or parts.path.strip("/") or parts.query or parts.fragment:
        raise _bad_address(url)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return Address(parts.scheme, host, port)


def _bad_address(url: str) -> ConnectorError:
    shown = url.rpartition("@")[2]
    message = f"“{shown}” is not an address like https://odoo.example.com or http://127.0.0.1:8069."
    return ConnectorError("wrong_address", message, SYSTEM)
