"""Where the embedded PostgreSQL of a data directory is, and the address to reach it; starts nothing."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg.conninfo import conninfo_to_dict

DATABASE = "billing_console"
USER = "billing_console"
PORT = 5432


@dataclass(frozen=True, slots=True)
class Cluster:
    """The real folder that holds a cluster, its socket and, where needed, a copy of the programs."""

    home: Path

    @property
    def data(self) -> Path:
        """PostgreSQL's own data directory; it exists only when it is complete."""
        return self.home / "data"

    @property
    def socket(self) -> Path:
        """The folder of the unix socket, elsewhere when this one's path does not serve for a socket."""
        return (self.home / "socket").resolve()


def locate(data_dir: Path) -> Cluster:
    """The cluster of a data directory, whether it exists yet or not.

    `postgres` in the data directory is the cluster's home or, where PostgreSQL's user cannot enter the
    data directory, a symbolic link that notes the home outside.
    """
    return Cluster(home=(data_dir / "postgres").resolve())


def get_url(data_dir: Path, database: str = DATABASE) -> str:
    """The address of the embedded database, as libpq and `read_database_url` take it; starts nothing."""
    socket = quote(str(locate(data_dir).socket), safe="")
    return f"postgres://{USER}@/{database}?host={socket}&port={PORT}"


def read_database_url(url: str) -> dict[str, Any]:
    """Django's settings for a libpq address; parameters without a setting of their own become OPTIONS.

    Raises ValueError when libpq cannot read the address, without repeating it: it may hold a password.
    """
    try:
        given = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        raise ValueError("The database address cannot be read.") from None
    named = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}
    settings: dict[str, Any] = {key: str(given.pop(name, "")) for key, name in named.items()}
    if not all(port.isdigit() for port in settings["PORT"].split(",") if port):
        # libpq reads the port only when it connects.
        raise ValueError("The database address cannot be read.")
    return {"ENGINE": "django.db.backends.postgresql", **settings, "OPTIONS": given}
