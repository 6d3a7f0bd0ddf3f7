"""What a request passes on its way in: pages need all of Django's middleware, the API next to none."""

from collections.abc import Callable
from uuid import uuid4

from django.http import HttpRequest, HttpResponseBase
from django.template.response import SimpleTemplateResponse
from django.urls import resolve
from structlog.contextvars import bound_contextvars

API = "/api/v1/"


class ApiShortcutMiddleware:
    """Calls the API's views at once, past the middleware that stands below this one.

    They know no session, form or message, and make JSON of every error themselves; the rest of the
    middleware was a third of what posting an event costs.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(API):
            return self.get_response(request)
        with bound_contextvars(request_id=str(uuid4()), request=f"{request.method} {request.path_info}"):
            return call_view(request)


def call_view(request: HttpRequest) -> HttpResponseBase:
    """The rendered answer of the view that an address names."""
    match = request.resolver_match = resolve(request.path_info)
    response: HttpResponseBase = match.func(request, *match.args, **match.kwargs)
    return response.render() if isinstance(response, SimpleTemplateResponse) else response
