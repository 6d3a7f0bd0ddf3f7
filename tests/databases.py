"""Databases beside the tests' own, on the same server."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.db import connections

ADDRESS = ("host", "port", "user", "password", "dbname")


@contextmanager
def database(name: str, template: str) -> Iterator[str]:
    """A copy of a database, to which nobody is connected, while the block lasts."""
    _administer(f'DROP DATABASE IF EXISTS "{name}"')
    _administer(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    try:
        yield name
    finally:
        _administer(f'DROP DATABASE "{name}"')


def _administer(statement: str) -> None:
    named = connections["default"].get_connection_params() | {"dbname": "postgres"}
    with psycopg.connect(**{key: named[key] for key in ADDRESS if named.get(key)}, autocommit=True) as server:
        server.execute(statement)
