"""A service with a key, and how its API is called."""

from tests.ingest.api.conftest import call, key, post, post_batch, post_event, service

__all__ = ["call", "key", "post", "post_batch", "post_event", "service"]
