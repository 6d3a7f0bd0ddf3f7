"""What every view of the API shares."""

from typing import cast

from django.core.handlers.wsgi import WSGIRequest
from rest_framework.views import APIView

from ingest.api.parsing import read_body
from ingest.api.rendering import JsonOnly
from ingest.keys import Caller


class ApiView(APIView):
    """JSON in and out, on behalf of one service."""

    content_negotiation_class = JsonOnly
    metadata_class = None

    @property
    def caller(self) -> Caller:
        """The service that calls: every view reads and writes its data alone."""
        return cast(Caller, self.request.user)

    @property
    def body(self) -> bytes:
        """The request's body; `request.data` would parse it into dicts first."""
        return read_body(cast(WSGIRequest, self.request._request))
