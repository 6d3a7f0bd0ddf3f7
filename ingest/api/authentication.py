"""Who is calling: the service behind a bearer key."""

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from ingest.keys import Caller, find_caller


class ApiKeyAuthentication(BaseAuthentication):
    """Takes the second word of the Authorization header for the key, whatever the first says, as Lago does."""

    def authenticate(self, request: Request) -> tuple[Caller, None]:
        words = request.META.get("HTTP_AUTHORIZATION", "").split()
        caller = find_caller(words[1]) if len(words) > 1 else None
        if caller is None:
            raise AuthenticationFailed
        return caller, None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"
