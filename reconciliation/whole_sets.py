"""Statements over everything that a service has in a period, planned as such whatever the planner has counted."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def join_sets() -> Iterator[None]:
    """Joins whole sets by hashing or merging them until it ends; call it inside a transaction.

    A service that was just imported is not in the planner's statistics: it expects one row, joins row by row, and
    50,000 customers with 50,000 subscriptions take minutes. As sets they take seconds, and few rows take no longer.
    """
    _set("off")
    yield
    _set("on")


def _set(value: str) -> None:
    with connection.cursor() as cursor:
        # Compiling pays for what is computed again and again; forbidden joins are counted as endless work.
        cursor.execute(f"SET LOCAL enable_nestloop = {value}; SET LOCAL jit = {value}")
