"""A live server on loopback, and a service's key for it."""

import os
from urllib.parse import urlsplit

import pytest
from django.db import connection

from ingest.keys import create_key
from tests import factories
from tests.web_server import serve


@pytest.fixture(scope="package")
def server(django_db_setup, tmp_path_factory):
    """The web server as the console runs it, on the tests' database."""
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    with serve(tmp_path_factory.mktemp("web"), DATABASE_URL=url) as running:
        yield running


@pytest.fixture
def address(server):
    """Where it answers."""
    return f"http://127.0.0.1:{server.port}"


@pytest.fixture
def service(transactional_db):
    """The service that moves over from Lago."""
    return factories.ServiceFactory()


@pytest.fixture
def key(service):
    """Its key."""
    return create_key(service=service, name="live", actor=None).key
