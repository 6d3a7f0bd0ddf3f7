"""What every view of the API shares."""

from rest_framework.views import APIView

from ingest.api.rendering import JsonOnly
from ingest.keys import Caller


class ApiView(APIView):
    """JSON in and out, on behalf of one service."""

    content_negotiation_class = JsonOnly
    metadata_class = None

    @property
    def caller(self) -> Caller:
        """The service that calls: every view reads and writes its data alone."""
        caller: Caller = self.request.user
        return caller
