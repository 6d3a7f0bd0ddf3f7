"""The database and what is called on it, each call one transaction; and the answers of `/jsonrpc`."""

from __future__ import annotations

import hmac
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Any

from .environment import Environment
from .errors import AccessDenied, OperationalError, SerializationFailure, describe_error
from .loading import describe_error as describe_load_error
from .loading import refuse
from .methods import find_method
from .registry import build_registry
from .seed import seed
from .settings import Settings
from .store import Store

VERSION_INFO = [19, 0, 0, "final", 0, ""]
VERSION = {
    "server_version": "19.0",
    "server_version_info": VERSION_INFO,
    "server_serie": "19.0",
    "protocol_version": 1,
}

Work = Callable[[Environment], Any]


@dataclass(frozen=True, slots=True)
class Call:
    """One call as it came in; `model` is the service for calls of `common`."""

    service: str
    method: str
    model: str
    arguments: list[Any]


def read_call(params: dict[str, Any]) -> Call:
    """Return the call that the parameters of a JSON-RPC request make."""
    service, method, arguments = params["service"], params["method"], list(params["args"])
    if service == "object" and len(arguments) >= 5:
        return Call(service, arguments[4], arguments[3], arguments)
    return Call(service, method, service, arguments)


class Application:
    """The database and what may be called on it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.registry = build_registry(with_fusion=settings.with_fusion)
        self.calls: Counter[str] = Counter()
        self.is_key_revoked = False
        self._store = Store(settings.data, self.registry)
        self._lock = Lock()
        with self._store.transaction():
            seed(self._store, self.registry, settings)

    def answer(
        self, params: dict[str, Any], request_id: Any, *, now: datetime, is_conflicting: bool = False
    ) -> dict[str, Any]:
        """Return the JSON-RPC answer; with `is_conflicting` the call's transaction fails to serialize."""
        answer: dict[str, Any] = {"jsonrpc": "2.0", "id": request_id}
        try:
            result = self._call(params, now, is_conflicting)
        except Exception as error:
            return answer | {"error": describe_error(error)}
        return answer if result is None else answer | {"result": result}

    def describe(self) -> dict[str, Any]:
        """Return the number of records of each model and how often each method was called."""
        with self._lock:
            return {
                "database": self.settings.database,
                "models": self._store.count_records(),
                "calls": dict(self.calls),
                "is_key_revoked": self.is_key_revoked,
            }

    def close(self) -> None:
        """Close the file once the call under way has ended."""
        with self._lock:
            self._store.close()

    def _call(self, params: dict[str, Any], now: datetime, is_conflicting: bool) -> Any:
        call = read_call(params)
        with self._lock:
            self.calls[f"{call.model}.{call.method}"] += 1
        if call.service == "common":
            return COMMON[call.method](self, *call.arguments)
        if call.service != "object":
            raise KeyError(call.service)
        return self._execute(params["method"], call, now, is_conflicting)

    def _execute(self, style: str, call: Call, now: datetime, is_conflicting: bool) -> Any:
        database, user_id, key, model, method, *rest = call.arguments
        self._check_database(database)
        arguments, keywords = _read_arguments(style, rest)
        context = keywords.pop("context", None) or {}

        def call_method(env: Environment) -> Any:
            return find_method(env, model, method)(*arguments, **keywords)

        with self._lock:
            self._check_key(user_id, key)
            return self._transact(user_id, context, now, _fail(method) if is_conflicting else call_method)

    def execute_as(
        self,
        key: str,
        name: str,
        work: Work,
        *,
        context: dict[str, Any],
        now: datetime,
        is_conflicting: bool = False,
    ) -> Any:
        """Do the work as the user whose key it is, in one transaction; AccessDenied when it is nobody's.

        `name` is the call's, `model.method`.
        """
        with self._lock:
            self.calls[name] += 1
            user_id = self._find_owner(key)
            return self._transact(
                user_id, context, now, _fail(name.rpartition(".")[2]) if is_conflicting else work
            )

    def _transact(self, user_id: int, context: dict[str, Any], now: datetime, work: Work) -> Any:
        with self._store.transaction():
            return work(Environment(self._store, self.registry, user_id=user_id, now=now, context=context))

    def _find_owner(self, key: str) -> int:
        for user in self._store.list_records("res.users"):
            if self._is_key_of(user["login"], key):
                return int(user["id"])
        raise AccessDenied

    def _login(self, database: str, login: str, key: str) -> int | bool:
        self._check_database(database)
        with self._lock:
            for user in self._store.list_records("res.users"):
                if user["login"] == login and self._is_key_of(login, key):
                    return int(user["id"])
        return False

    def _authenticate(self, database: str, login: str, key: str, _agent: dict[str, Any]) -> int | bool:
        return self._login(database, login, key)

    def _version(self) -> dict[str, Any]:
        return VERSION

    def _check_database(self, database: str) -> None:
        if database != self.settings.database:
            raise OperationalError(
                'connection to server at "127.0.0.1", port 5432 failed: '
                f'FATAL:  database "{database}" does not exist\n'
            )

    def _check_key(self, user_id: int, key: str) -> None:
        user = self._store.get("res.users", user_id)
        if user is None or not self._is_key_of(user["login"], key):
            raise AccessDenied

    def _is_key_of(self, login: str, key: str) -> bool:
        own = self.settings.keys.get(login)
        is_revoked = self.is_key_revoked and login == self.settings.login
        return own is not None and not is_revoked and hmac.compare_digest(own.encode(), str(key).encode())


COMMON: dict[str, Callable[..., Any]] = {
    "login": Application._login,
    "authenticate": Application._authenticate,
    "version": Application._version,
}


def _read_arguments(style: str, rest: list[Any]) -> tuple[list[Any], dict[str, Any]]:
    """Return positional and keyword arguments; `execute` takes them bare, `execute_kw` as list and dict."""
    if style == "execute":
        return rest, {}
    arguments, *keywords = rest
    return list(arguments), dict(keywords[0] or {}) if keywords else {}


def _fail(method: str) -> Work:
    """Work that fails to serialize as on a real server: load() catches it and answers it as a message."""

    def work(_env: Environment) -> Any:
        if method == "load":
            return refuse([describe_load_error(0, 0, 0, SerializationFailure.MESSAGE)])
        raise SerializationFailure

    return work
