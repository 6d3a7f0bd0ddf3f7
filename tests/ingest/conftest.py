"""What several tests of the intake need."""

import psycopg
import pytest
from django.db import connection


@pytest.fixture
def second_session(transactional_db):
    """Another session with the same database, its transaction open until the test ends."""
    parameters = connection.get_connection_params()
    wanted = {
        name: parameters[name]
        for name in ("dbname", "user", "password", "host", "port")
        if name in parameters
    }
    with psycopg.connect(**wanted) as session:
        yield session
        session.rollback()
