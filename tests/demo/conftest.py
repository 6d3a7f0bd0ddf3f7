"""A loaded demo for a whole module, and empty consoles to load one into."""

import tempfile
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import psycopg
import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection, connections
from django.test import override_settings

from billing_console.demo import journal, loading
from billing_console.demo.odoo_standin.server import start

ADDRESS = ("host", "port", "user", "password", "dbname")


@contextmanager
def running_stand_in():
    """A stand-in of its own, named by the settings, and a folder for the demo's files."""
    with start() as stand_in, tempfile.TemporaryDirectory() as folder:
        named = {
            "ODOO_URL": stand_in.url,
            "ODOO_DB": stand_in.settings.database,
            "ODOO_LOGIN": stand_in.settings.login,
            "ODOO_API_KEY": stand_in.settings.key,
            "DATA_DIR": Path(folder),
        }
        with override_settings(**named):
            yield stand_in


@pytest.fixture(scope="session")
def pristine(django_db_setup, django_db_blocker):
    """A copy of the empty test database that nothing connects to, so that it can be copied at any time."""
    with django_db_blocker.unblock():
        empty = connection.settings_dict["NAME"]
        connection.close()
        with database(f"{empty}_pristine", empty) as name:
            yield name


@contextmanager
def own_database(pristine):
    """A console of its own, where what is committed stays until the database is dropped.

    A load in one long transaction would be something else than a load, and several times slower: PostgreSQL
    plans by what is committed.
    """
    tests_own = connections["default"]
    with database(f"{pristine}_demo", pristine) as name:
        connections["default"] = tests_own.copy()
        connections["default"].settings_dict["NAME"] = name
        try:
            yield
        finally:
            connections["default"].close()
            connections["default"] = tests_own


@contextmanager
def database(name, template):
    """A copy of a database while the block lasts."""
    _administer(f'DROP DATABASE IF EXISTS "{name}"')
    _administer(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    try:
        yield name
    finally:
        _administer(f'DROP DATABASE "{name}"')


def _administer(statement):
    named = connections["default"].get_connection_params() | {"dbname": "postgres"}
    with psycopg.connect(**{key: named[key] for key in ADDRESS if named.get(key)}, autocommit=True) as server:
        server.execute(statement)


@pytest.fixture(scope="module")
def loaded(pristine, django_db_blocker):
    """The stand-in beside the loaded demo, which every test of the module shares."""
    with django_db_blocker.unblock(), own_database(pristine), running_stand_in() as stand_in:
        call_command("load_demo", stdout=StringIO())
        yield stand_in


@pytest.fixture
def console(pristine, db):
    """An empty console whose commits are real."""
    with own_database(pristine):
        yield


@pytest.fixture
def stand_in(console):
    """A stand-in beside an empty console."""
    with running_stand_in() as running:
        yield running


def load(stories):
    """Loads a part of the story as the command loads all of it."""
    if journal.is_loaded():
        return
    for step in loading.list_steps(loading.begin(stories)):
        step.do()


def count_rows():
    """How many rows each table of the console has."""
    models = [
        *apps.get_app_config("ingest").get_models(),
        *apps.get_app_config("reconciliation").get_models(),
    ]
    return {model._meta.label: model.objects.count() for model in [*models, apps.get_model("auth.User")]}
