"""What contenders play on: a durable database of their own, and two web servers run as the console's is."""

import os
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from billing_console.runtime import cluster
from billing_console.runtime.lease import hold_services
from tests.throwaway_cluster import make_run_directory
from tests.web_server import serve

METRIC = "api_calls"


@dataclass(frozen=True, slots=True)
class Stage:
    """Addresses, and a service that may post."""

    database_url: str
    console_port: int
    peers_port: int
    key: str
    service_id: int

    def clear(self) -> None:
        """Empties the event table and settles the disk, so that no run pays for the one before."""
        with psycopg.connect(self.database_url, autocommit=True) as session:
            session.execute("TRUNCATE ingest_usageevent RESTART IDENTITY")
            session.execute("CHECKPOINT")


@contextmanager
def open_stage() -> Iterator[Stage]:
    """Sets everything up in a folder and a database that are gone afterwards."""
    with ExitStack() as stack:
        folder = stack.enter_context(make_run_directory())
        database_url = stack.enter_context(make_database(folder))
        os.environ.update(
            DATABASE_URL=database_url,
            DATA_DIR=str(folder),
            DJANGO_SETTINGS_MODULE="billing_console.settings",
            EVENTS_BATCH_MAX="1000",
        )
        service_id, key = prepare_tables()
        console = stack.enter_context(serve(folder))
        peers = stack.enter_context(serve(folder, DJANGO_SETTINGS_MODULE="tests.bench.peer_settings"))
        yield Stage(database_url, console.port, peers.port, key, service_id)


@contextmanager
def make_database(folder: Path) -> Iterator[str]:
    """A new database on the server of DATABASE_URL, else one on a server of its own; durable either way."""
    server = os.environ.get("DATABASE_URL")
    if not server:
        with hold_services(folder):
            yield cluster.get_url(folder)
        return
    name = f"bench_{secrets.token_hex(4)}"
    with psycopg.connect(server, autocommit=True) as session:
        session.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield urlsplit(server)._replace(path=f"/{name}").geturl()
        finally:
            session.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def prepare_tables() -> tuple[int, str]:
    """A migrated database with one service, a metric that sums, and the service's key."""
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)

    from django.db import connections

    from ingest.keys import create_key
    from tests import factories

    service = factories.ServiceFactory(code="bench")
    factories.MetricFactory(service=service, code=METRIC, field_name="amount")
    key = create_key(service=service, name="bench", actor=None).key
    connections.close_all()
    return service.pk, key
