"""What a request passes on its way in: pages need all of Django's middleware, the API next to none."""

from collections.abc import Callable
from http import HTTPStatus
from uuid import uuid4

from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpResponseBase
from django.template.response import SimpleTemplateResponse
from django.urls import resolve
from structlog.contextvars import bound_contextvars

API = "/api"
HEALTH = "/health"
# What a browser looks at below /api: pages like any other.
PAGES = frozenset({"/api/docs", "/api/schema"})
CHUNK = 1024 * 1024
MAX_CHUNKS = 64


class ApiShortcutMiddleware:
    """Calls the API's views at once, past the middleware that stands below this one.

    They know no session, form or message, and make JSON of every error themselves; the rest of the
    middleware was a third of what posting an event costs.
    """

    def __init__(self, get_response: Callable[[WSGIRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: WSGIRequest) -> HttpResponseBase:
        if not is_for_programs(request.path_info):
            return self.get_response(request)
        with bound_contextvars(request_id=str(uuid4()), request=f"{request.method} {request.path_info}"):
            response = call_view(request)
            if response.status_code >= HTTPStatus.BAD_REQUEST:
                drain_body(request)
            return response


def is_for_programs(path: str) -> bool:
    """Whether no browser is expected at an address: the API, what is none of it below /api, and health."""
    return (path.startswith(f"{API}/") or path in (API, HEALTH)) and path not in PAGES


def call_view(request: WSGIRequest) -> HttpResponseBase:
    """The rendered answer of the view that an address names."""
    match = request.resolver_match = resolve(request.path_info)
    response: HttpResponseBase = match.func(request, *match.args, **match.kwargs)
    return response.render() if isinstance(response, SimpleTemplateResponse) else response


def drain_body(request: WSGIRequest) -> None:
    """Reads what the view has left of the body, in constant memory.

    The server closes a connection with an unread body, and a client that is still sending then sees a broken
    pipe in place of the answer.
    """
    if not request.environ.get("wsgi.input_terminated"):  # a read would wait for more than is sent
        return
    for _ in range(MAX_CHUNKS):
        if not request.environ["wsgi.input"].read(CHUNK):
            return
