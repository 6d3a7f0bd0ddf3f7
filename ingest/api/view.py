"""What every view of the API shares."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

from django.core.handlers.wsgi import WSGIRequest
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ingest.api.errors import ApiError, refuse_body
from ingest.api.parsing import read_body
from ingest.api.rendering import JsonOnly
from ingest.errors import DomainError
from ingest.keys import Caller
from ingest.models import Scope
from ingest.rate_limits import Allowance, count_request

NUL = "\x00"
READING = frozenset({"GET", "HEAD"})
TOO_MANY = ApiError(429, code="rate_limit_exceeded")


class ApiView(APIView):
    """JSON in and out, on behalf of one service."""

    content_negotiation_class = JsonOnly
    http_method_names = ["get", "head", "post", "put", "patch", "delete"]
    # What a refusal calls what the view is about, such as `customer`.
    resource = ""
    # What a key must open for what is no GET: `ingest` where events or estimates are posted.
    writes: Scope = Scope.MANAGE
    # How much of its limit the key has left; None for a key without one.
    allowance: Allowance | None = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """As in APIView; then the key's limit and scopes.

        A NUL in the address is refused, because no text of the database holds one.
        """
        super().initial(request, *args, **kwargs)
        self._count()
        self._refuse_beyond_scopes()
        if "%00" in request.META.get("QUERY_STRING", "") or any(NUL in str(text) for text in kwargs.values()):
            raise refuse_body("the address holds a NUL")

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        """As in APIView; what a key with a limit has left goes with every answer."""
        response = super().finalize_response(request, response, *args, **kwargs)
        if self.allowance is not None:
            for name, value in self.allowance.headers.items():
                response[name] = value
        return response

    @property
    def caller(self) -> Caller:
        """The service that calls: every view reads and writes its data alone."""
        return cast(Caller, self.request.user)

    @property
    def body(self) -> bytes:
        """The request's body; `request.data` would parse it into dicts first."""
        return read_body(cast(WSGIRequest, self.request._request))

    @contextmanager
    def refusing(self, answers: Mapping[str, ApiError]) -> Iterator[None]:
        """Answers a domain's refusal by its code; one that the table does not name is our own fault."""
        try:
            yield
        except DomainError as error:
            raise answers.get(error.code, error) from error

    def _count(self) -> None:
        caller = self.caller
        if caller.rate_limit is None:
            return
        self.allowance = count_request(key_id=caller.key_id, limit=caller.rate_limit)
        if self.allowance.is_exceeded:
            raise TOO_MANY

    def _refuse_beyond_scopes(self) -> None:
        """Lago: errors, 403; a method that the view does not know is left to the 405 that follows."""
        is_reading = self.request.method in READING
        needed = Scope.READ if is_reading else self.writes
        if needed in self.caller.scopes or self.request.method not in self.allowed_methods:
            return
        action = "read" if is_reading else "write"
        raise ApiError(403, code=f"{action}_action_not_allowed_for_{self.resource}")
