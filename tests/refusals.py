"""What the database itself refuses: a wrong state is named after the constraint that forbids it."""

from contextlib import contextmanager

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction


@contextmanager
def refused_by(constraint):
    """The block must violate exactly this constraint, at the latest when its transaction would commit."""
    with pytest.raises(IntegrityError) as refused, transaction.atomic(), _checked_at_its_end():
        yield
    assert refused.value.__cause__.diag.constraint_name == constraint


def constraints_of(app):
    """The names of all constraints that an app's models declare."""
    models = apps.get_app_config(app).get_models()
    return {constraint.name for model in models for constraint in model._meta.constraints}


@contextmanager
def _checked_at_its_end():
    yield
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
