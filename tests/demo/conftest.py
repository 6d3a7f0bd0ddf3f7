"""A loaded demo for a whole module, and empty consoles to load one into."""

import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.apps import apps
from django.db import connections
from django.test import override_settings

from billing_console.demo import journal, loading
from billing_console.demo.odoo_standin.server import start
from billing_console.demo.odoo_standin.settings import Settings
from billing_console.runtime import standin
from billing_console.runtime.cluster import get_url, read_database_url
from billing_console.runtime.lease import hold_services
from billing_console.runtime.removal import remove_files
from tests.data_dirs import copy_demo
from tests.databases import database

DJANGOS = {"NAME", "USER", "PASSWORD", "HOST", "PORT"}


@contextmanager
def running_stand_in(data=None):
    """A stand-in of its own, named by the settings, on a file or in memory, and a folder for the demo's files."""
    with start(Settings(data=data)) as stand_in, tempfile.TemporaryDirectory() as folder:
        named = {
            "ODOO_URL": stand_in.url,
            "ODOO_DB": stand_in.settings.database,
            "ODOO_LOGIN": stand_in.settings.login,
            "ODOO_API_KEY": stand_in.settings.key,
            "DATA_DIR": Path(folder),
        }
        with override_settings(**named):
            yield stand_in


@contextmanager
def own_database(pristine):
    """A console of its own, where what is committed stays until the database is dropped.

    A load in one long transaction would be something else than a load, and several times slower: PostgreSQL
    plans by what is committed.
    """
    with database(f"{pristine}_demo", pristine) as name, connected_to(NAME=name):
        yield


@contextmanager
def connected_to(**address):
    """The console's database is another one while the block lasts."""
    tests_own = connections["default"]
    connections["default"] = tests_own.copy()
    connections["default"].settings_dict.update(address)
    try:
        yield
    finally:
        connections["default"].close()
        connections["default"] = tests_own


@pytest.fixture(scope="module")
def loaded(django_db_setup, django_db_blocker):
    """The stand-in beside the loaded demo, a copy of the run's one, which every test of the module shares."""
    parent = Path(tempfile.mkdtemp(prefix="console-")).resolve()
    parent.chmod(0o755)
    data_dir = parent / "data"
    copy_demo(data_dir)
    address = {key: value for key, value in read_database_url(get_url(data_dir)).items() if key in DJANGOS}
    try:
        with (
            django_db_blocker.unblock(),
            hold_services(data_dir, is_durable=False),
            connected_to(**address),
            running_stand_in(standin.get_file(data_dir)) as stand_in,
        ):
            yield stand_in
    finally:
        remove_files(data_dir)
        parent.rmdir()


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
