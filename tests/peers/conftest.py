"""A live server on loopback, and a service's key for it."""

import pytest

from ingest.keys import create_key
from tests import factories


@pytest.fixture
def address(port):
    """Where it answers."""
    return f"http://127.0.0.1:{port}"


@pytest.fixture
def service(transactional_db):
    """The service that moves over from Lago."""
    return factories.ServiceFactory()


@pytest.fixture
def key(service):
    """Its key."""
    return create_key(service=service, name="live", actor=None).key
