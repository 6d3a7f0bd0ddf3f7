"""What every view of the API shares."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

from django.core.handlers.wsgi import WSGIRequest
from rest_framework.request import Request
from rest_framework.views import APIView

from ingest.api.errors import ApiError, refuse_body
from ingest.api.parsing import read_body
from ingest.api.rendering import JsonOnly
from ingest.errors import DomainError
from ingest.keys import Caller

NUL = "\x00"


class ApiView(APIView):
    """JSON in and out, on behalf of one service."""

    content_negotiation_class = JsonOnly
    metadata_class = None
    # What a refusal calls what the view is about, such as `customer`.
    resource = ""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """As in APIView; a NUL in the address is refused, because no text of the database holds one."""
        super().initial(request, *args, **kwargs)
        if "%00" in request.META.get("QUERY_STRING", "") or any(NUL in str(text) for text in kwargs.values()):
            raise refuse_body("the address holds a NUL")

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
