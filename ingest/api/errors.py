"""Errors leave the API as JSON in Lago's shapes, whatever went wrong (Lago: errors)."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import structlog
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.views import defaults
from rest_framework import exceptions

logger = structlog.get_logger(__name__)

FieldErrors = dict[str, list[str]]

PHRASES = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    413: "Content Too Large",
    422: "Unprocessable Entity",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


class ApiError(Exception):
    """An answer other than 200: its status, a stable code where Lago has one, and what is wrong where."""

    def __init__(
        self,
        status: int,
        *,
        code: str = "",
        message: str = "",
        details: Mapping[str, Any] | str | None = None,
    ) -> None:
        super().__init__(code or message)
        self.status = status
        self.code = code
        self.message = message
        self.details = details

    @property
    def body(self) -> dict[str, Any]:
        """The JSON of the answer; parts that are empty are left out."""
        error = PHRASES[self.status] + (f": {self.message}" if self.message else "")
        body: dict[str, Any] = {"status": self.status, "error": error}
        if self.code:
            body["code"] = self.code
        if self.details:
            body["error_details"] = self.details
        return body


def refuse_body(message: str) -> ApiError:
    """400: the body as a whole cannot be read."""
    return ApiError(400, message=message)


def refuse_fields(details: Mapping[str, Any] | str) -> ApiError:
    """422: fields, or for a batch the fields of the events at some indexes, with codes; a text is the whole."""
    return ApiError(422, code="validation_errors", details=details)


# The first row that fits is the answer; what no row fits is our own fault.
ANSWERS: Sequence[tuple[type[Exception], ApiError]] = (
    (exceptions.NotAuthenticated, ApiError(401)),
    (exceptions.AuthenticationFailed, ApiError(401)),
    (exceptions.PermissionDenied, ApiError(403, code="forbidden")),
    (exceptions.MethodNotAllowed, ApiError(405, code="method_not_allowed")),
    (exceptions.NotAcceptable, ApiError(406, code="not_acceptable")),
    (Http404, ApiError(404, code="resource_not_found")),
    (RequestDataTooBig, ApiError(413, code="body_is_too_large")),
    (UnreadablePostError, ApiError(400, message="the body ended early")),
    (SuspiciousOperation, ApiError(400, message="the request is malformed")),
    # Senders drop what a 4xx refuses and try again after a 503.
    (OperationalError, ApiError(503, code="database_unavailable")),
    (InterfaceError, ApiError(503, code="database_unavailable")),
)
FAULT = ApiError(500)


def handle_exception(exc: Exception, context: Mapping[str, Any]) -> HttpResponse:
    """The JSON answer to whatever a view raised; what is our own fault is logged with its traceback."""
    answer = exc if isinstance(exc, ApiError) else _find_answer(exc)
    if answer.status >= 500:
        logger.error("api_request_failed", status=answer.status, exc_info=exc)
    else:
        logger.info("api_request_refused", status=answer.status, code=answer.code)
    response = render_error(answer)
    if header := getattr(exc, "auth_header", ""):
        response["WWW-Authenticate"] = header
    return response


def render_error(answer: ApiError) -> HttpResponse:
    """An error as JSON, whatever the request says it accepts."""
    return HttpResponse(
        msgspec.json.encode(answer.body), status=answer.status, content_type="application/json"
    )


def show_unknown_route(request: HttpRequest, **_: str) -> HttpResponse:
    """404 for every address under /api that is none of ours, and so for what Lago has and we do not serve."""
    return render_error(ApiError(404, code="resource_not_found"))


def show_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404 for what no address is: a client with a wrong base address reads JSON, a browser a page."""
    if _is_for_person(request):
        return defaults.page_not_found(request, exception)
    return show_unknown_route(request)


def show_bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What Django itself refuses, such as an unknown host name: a page for a browser, else JSON."""
    if _is_for_person(request):
        return defaults.bad_request(request, exception)
    return render_error(_find_answer(exception))


def show_server_error(request: HttpRequest) -> HttpResponse:
    """A fault outside any view: a page for a browser, else JSON; never a traceback."""
    return defaults.server_error(request) if _is_for_person(request) else render_error(FAULT)


def _find_answer(exc: Exception) -> ApiError:
    return next((answer for kind, answer in ANSWERS if isinstance(exc, kind)), FAULT)


def _is_for_person(request: HttpRequest) -> bool:
    path = request.path_info
    if path.startswith("/admin/"):
        return True
    is_api = path == "/api" or path.startswith("/api/")
    return not is_api and "text/html" in request.META.get("HTTP_ACCEPT", "")
