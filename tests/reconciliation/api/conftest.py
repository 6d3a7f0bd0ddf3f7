"""A service with a key calls this app's part of the API as it calls the other."""

from tests.ingest.api.conftest import call, key, service

__all__ = ["call", "key", "service"]
