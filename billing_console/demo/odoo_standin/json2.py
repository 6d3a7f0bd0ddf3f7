"""Answering `/json/2/<model>/<method>`: a bearer key, arguments by name, errors as HTTP statuses."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from email.message import Message
from http import HTTPStatus
from typing import Any

from .environment import Environment
from .errors import AccessDenied, AccessError, MissingError, UserError, serialize_error
from .methods import OF_MODEL, find_method
from .rpc import Application

PREFIX = "/json/2/"
NOT_FOUND_PAGE = "<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n"
WRONG_TYPE_PAGE = (
    "<!doctype html>\n<html lang=en>\n<title>415 Unsupported Media Type</title>\n"
    "<h1>Unsupported Media Type</h1>\n<p>Request inferred type is compatible with [&#39;http&#39;] but "
    "&#39;/json/2/&lt;__model__&gt;/&lt;__method__&gt;&#39; is type=&#39;json2&#39;.</p>\n"
)
# They hand on what they do not know to a method that knows it no better.
WITH_OTHER_ARGUMENTS = {"search_read"}


class HttpError(Exception):
    """A refusal of the web server's own, before any method ran."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message, status.value)
        self.status = status
        self.name = f"werkzeug.exceptions.{status.phrase.replace(' ', '')}"


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came in."""

    path: str
    headers: Message
    body: bytes

    @property
    def model(self) -> str:
        return self.path.removeprefix(PREFIX).partition("/")[0]

    @property
    def method(self) -> str:
        return self.path.removeprefix(PREFIX).partition("/")[2]

    @property
    def key(self) -> str:
        scheme, _, key = self.headers.get("Authorization", "").partition(" ")
        return key.strip() if scheme.lower() == "bearer" else ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A status with JSON, or with a page."""

    status: HTTPStatus
    content: Any
    is_page: bool = False


def answer(
    application: Application, request: Request, *, now: datetime, is_conflicting: bool = False
) -> Answer:
    """Return the answer; with `is_conflicting` the call's transaction fails to serialize."""
    database = request.headers.get("X-Odoo-Database")
    if database not in {None, application.settings.database} or not request.method:
        return Answer(HTTPStatus.NOT_FOUND, NOT_FOUND_PAGE, is_page=True)
    if request.headers.get("Content-Type", "").partition(";")[0].strip() != "application/json":
        return Answer(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, WRONG_TYPE_PAGE, is_page=True)
    try:
        return Answer(HTTPStatus.OK, _execute(application, request, now, is_conflicting))
    except Exception as error:
        return _refuse(error)


def _execute(application: Application, request: Request, now: datetime, is_conflicting: bool) -> Any:
    if not request.key:
        raise HttpError(
            HTTPStatus.UNAUTHORIZED,
            "User not authenticated, use an API Key with a Bearer Authorization header.",
        )
    named = _read_body(request.body)
    context = named.pop("context", None) or {}
    try:
        return application.execute_as(
            request.key,
            f"{request.model}.{request.method}",
            lambda env: _call(env, request, named),
            context=context,
            now=now,
            is_conflicting=is_conflicting,
        )
    except AccessDenied:
        raise HttpError(HTTPStatus.UNAUTHORIZED, "Invalid apikey") from None


def _read_body(body: bytes) -> dict[str, Any]:
    try:
        return dict(json.loads(body or b"{}", parse_float=Decimal))
    except ValueError as error:
        message = f"could not parse the body as json: {error}"
        raise HttpError(HTTPStatus.BAD_REQUEST, message) from None


def _call(env: Environment, request: Request, named: dict[str, Any]) -> Any:
    if request.model not in env.registry.models:
        raise HttpError(HTTPStatus.NOT_FOUND, f"the model {request.model!r} does not exist")
    try:
        method = find_method(env, request.model, request.method)
    except AttributeError as error:
        raise HttpError(HTTPStatus.NOT_FOUND, str(error)) from None
    ids = named.pop("ids", [])
    if request.method not in OF_MODEL:
        return method(*_bind(request, method, [ids], named), **named)
    if ids:
        message = f"cannot call {request.model}.{request.method} with ids"
        raise HttpError(HTTPStatus.UNPROCESSABLE_ENTITY, message)
    result = method(*_bind(request, method, [], named), **named)
    # A method that creates many answers many, also when one was given.
    return [result] if request.method == "create" and isinstance(result, int) else result


def _bind(
    request: Request, method: Callable[..., Any], positional: list[Any], named: Mapping[str, Any]
) -> list[Any]:
    """Return the positional arguments when they and the named ones are what the method takes."""
    try:
        inspect.signature(method).bind(*positional, **named)
    except TypeError as error:
        if request.method in WITH_OTHER_ARGUMENTS and "unexpected" in str(error):
            raise TypeError(f"BaseModel._read_format() {error}") from None
        raise HttpError(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)) from None
    return positional


# The first that fits: an AccessError is a UserError here.
STATUSES: tuple[tuple[type[Exception], HTTPStatus], ...] = (
    (AccessDenied, HTTPStatus.FORBIDDEN),
    (AccessError, HTTPStatus.FORBIDDEN),
    (MissingError, HTTPStatus.NOT_FOUND),
    (UserError, HTTPStatus.UNPROCESSABLE_ENTITY),
)


def _refuse(error: Exception) -> Answer:
    told = serialize_error(error)
    if isinstance(error, HttpError):
        return Answer(error.status, told | {"message": error.args[0], "arguments": list(error.args)})
    status = next(
        (status for kind, status in STATUSES if isinstance(error, kind)), HTTPStatus.INTERNAL_SERVER_ERROR
    )
    return Answer(status, told)
