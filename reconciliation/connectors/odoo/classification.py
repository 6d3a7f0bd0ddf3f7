"""What an error of Odoo, its proxy or the network means: a table, read from structure, never from prose.

Both transports raise the same: urllib is under either. Two exceptions: `load()` reports a serialization failure
only as text among its messages, and over JSON-2 an unknown model is told from an unknown page by the body being JSON.
"""

from __future__ import annotations

import http
import http.client
import socket
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError, URLError

from odoorpc.error import InternalError, RPCError

from reconciliation.connectors.errors import ConnectorError

SYSTEM = "odoo"
SERIALIZATION_TEXT = "could not serialize access"
MESSAGE_LENGTH = 300

# What a call can raise. ValueError and the two after it are an answer that is not Odoo's: OdooRPC takes the
# answer apart without looking.
WIRE_ERRORS = (
    RPCError,
    InternalError,
    OSError,
    http.client.HTTPException,
    ValueError,
    LookupError,
    AttributeError,
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One row of the tables: the code and what a person reads."""

    code: str
    message: str
    permanent: bool = True
    is_outcome_unknown: bool = False

    def error(self, detail: str = "") -> ConnectorError:
        text = f"{self.message} {detail}".strip()
        return ConnectorError(self.code, text, SYSTEM, self.permanent, self.is_outcome_unknown)


BUSY = Verdict("transient", "Odoo could not do this now; nothing was changed.", permanent=False)
DATABASE = Verdict(
    "transient",
    "Odoo's database does not answer; nothing was changed. If this lasts, check the database's name.",
    permanent=False,
)
UNREACHABLE = Verdict("transient", "Odoo cannot be reached.", permanent=False)
NO_ANSWER = Verdict(
    "outcome_unknown",
    "The connection broke before Odoo answered; it may have done what was asked.",
    permanent=False,
    is_outcome_unknown=True,
)
LOST_ANSWER = Verdict("transient", "The connection broke before Odoo answered.", permanent=False)
CERTIFICATE = Verdict(
    "certificate",
    "Odoo's certificate is not trusted: have it renewed, or name the file of who signed it in ODOO_CA_FILE.",
)
WRONG_ADDRESS = Verdict(
    "wrong_address", "There is no Odoo with this database at the address: check both, and the transport."
)
REDIRECTED = Verdict(
    "wrong_address",
    "The address sends callers elsewhere, which is not followed: set the one where Odoo itself answers.",
)
AUTHENTICATION = Verdict(
    "authentication",
    "Odoo refused the login or the API key: make a key in Odoo for the console's user and set it.",
)
PERMISSION = Verdict("permission", "Odoo does not allow this user to do that.")
MISSING = Verdict("missing", "Odoo no longer has the record.")
REFUSED = Verdict("permanent", "Odoo refused it.")
FAILED = Verdict("permanent", "Odoo failed on the request.")
BAD_VALUE = Verdict("bad_value", "Odoo does not know a value of the request.")
UNKNOWN_NAME = Verdict("unknown_name", "Odoo does not know the model or the method.")

# By `data.name` of the error. Its presence means that the server rolled the call back.
SERVER_ERRORS: Mapping[str, Verdict] = {
    "odoo.exceptions.AccessDenied": AUTHENTICATION,
    "odoo.http.SessionExpiredException": AUTHENTICATION,
    "odoo.exceptions.AccessError": PERMISSION,
    "odoo.exceptions.MissingError": MISSING,
    "odoo.exceptions.UserError": REFUSED,
    "odoo.exceptions.ValidationError": REFUSED,
    "odoo.exceptions.RedirectWarning": REFUSED,
    "odoo.exceptions.LockError": BUSY,
    "odoo.exceptions.ConcurrencyError": BUSY,
    "psycopg2.OperationalError": DATABASE,
    "psycopg2.InterfaceError": DATABASE,
    "psycopg2.errors.SerializationFailure": BUSY,
    "psycopg2.errors.DeadlockDetected": BUSY,
    "psycopg2.errors.LockNotAvailable": BUSY,
    "builtins.ValueError": BAD_VALUE,
    "builtins.AttributeError": UNKNOWN_NAME,
    "werkzeug.exceptions.NotFound": UNKNOWN_NAME,
    "werkzeug.exceptions.Unauthorized": AUTHENTICATION,
}

# Failures to connect: nothing was sent. Any other reason may have come while the request was under way.
CONNECT_ERRORS: tuple[tuple[type[BaseException], Verdict], ...] = (
    (ssl.SSLCertVerificationError, CERTIFICATE),
    (ConnectionRefusedError, UNREACHABLE),
    (socket.gaierror, UNREACHABLE),
)

# By HTTP status, first match, for an answer that is no error of Odoo's own: it comes from what stands before Odoo,
# and a gateway that gave up waiting (5xx, 408) does not know what happened behind it.
HTTP_STATUSES: tuple[tuple[range, Verdict], ...] = (
    (range(300, 400), REDIRECTED),
    (range(401, 402), AUTHENTICATION),
    (range(403, 404), PERMISSION),
    (range(404, 406), WRONG_ADDRESS),
    (range(408, 409), NO_ANSWER),
    (range(429, 430), BUSY),
    (range(400, 500), FAILED),
    (range(500, 600), NO_ANSWER),
)


def classify(error: BaseException) -> ConnectorError:
    """The connector's error for one of WIRE_ERRORS; what no table knows is an unknown outcome."""
    match error:
        case RPCError():
            return _classify_server_error(error.info)
        case HTTPError(code=status):
            return classify_refusal(status)
        case URLError(reason=reason):
            return _by_class(reason).error()
        case ValueError():
            return NO_ANSWER.error("(The answer is not Odoo's: something else may stand at the address.)")
    return NO_ANSWER.error()


def classify_refusal(status: int, told: Any = None) -> ConnectorError:
    """The error of a refused HTTP request; `told` is its body where that is JSON, Odoo's own words over JSON-2.

    A body that names its error is Odoo's: the call was rolled back. AccessDenied, which says over `/jsonrpc` that the
    key is wrong, is a private method over JSON-2.
    """
    name = told.get("name") if isinstance(told, Mapping) else None
    if not isinstance(told, Mapping) or not isinstance(name, str):
        return _by_status(status).error(f"(HTTP {status})")
    verdict = PERMISSION if status == http.HTTPStatus.FORBIDDEN else SERVER_ERRORS.get(name, FAILED)
    return verdict.error(_detail(name, str(told.get("message", ""))))


def classify_messages(messages: Iterable[Mapping[str, Any]]) -> ConnectorError:
    """The error that `load()`'s messages tell; a lost race is transient and not retried by the server."""
    texts = [str(each.get("message", "")) for each in messages if each.get("type") == "error"]
    if any(SERIALIZATION_TEXT in text for text in texts):
        return BUSY.error()
    return REFUSED.error(readable(texts[0]) if texts else "")


def without_effect(error: ConnectorError) -> ConnectorError:
    """The same error of a call that writes nothing: there, an unknown outcome is only a lost answer."""
    if not error.is_outcome_unknown:
        return error
    return LOST_ANSWER.error(error.message.removeprefix(NO_ANSWER.message).strip())


def readable(text: str) -> str:
    """The first paragraph of a message of Odoo, on one line and short enough for a page."""
    line = " ".join(text.strip().partition("\n\n")[0].split())
    return line if len(line) <= MESSAGE_LENGTH else line[: MESSAGE_LENGTH - 1] + "…"


def _classify_server_error(info: Any) -> ConnectorError:
    """OdooRPC raises without `info` for one thing only, a login answered by false."""
    if not info:
        return AUTHENTICATION.error()
    data = info.get("data") or {}
    name = str(data.get("name", ""))
    return SERVER_ERRORS.get(name, FAILED).error(_detail(name, str(data.get("message", ""))))


def _detail(name: str, text: str) -> str:
    """Odoo's words where they are meant for its users; a database's error may name hosts and stays out."""
    if name.startswith(("odoo.exceptions.", "werkzeug.exceptions.")):
        return readable(text)
    if name.startswith("builtins."):
        return readable(f"({name.removeprefix('builtins.')}: {text})")
    return f"({name})" if name else ""


def _by_status(status: int) -> Verdict:
    return next((verdict for statuses, verdict in HTTP_STATUSES if status in statuses), NO_ANSWER)


def _by_class(reason: object) -> Verdict:
    return next((verdict for kind, verdict in CONNECT_ERRORS if isinstance(reason, kind)), NO_ANSWER)
