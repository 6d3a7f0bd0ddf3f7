"""The server process of the embedded PostgreSQL: its command, whether it is up, and its stop."""

import contextlib
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import psycopg
from psycopg import errors, sql
from psycopg.pq import PGconn, Ping

from billing_console.runtime.account import find_account
from billing_console.runtime.binaries import provide_programs
from billing_console.runtime.cluster import DATABASE, PORT, Cluster, get_url, locate
from billing_console.runtime.environment import PLAIN
from billing_console.runtime.errors import ConsoleError
from billing_console.runtime.home import settle_home, settle_socket
from billing_console.runtime.initdb import ensure_cluster
from billing_console.runtime.process import Launch

# Fast shutdown rolls back and writes a checkpoint; immediate shutdown leaves the next start to recover.
STOP_LADDER = ((signal.SIGINT, 60.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 5.0))

SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "effective_cache_size": "1GB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "max_wal_size": "1GB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    # A refused statement is told by whoever sent it; here it would only put events into a log.
    "log_min_messages": "log",
}
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
# For clusters that are thrown away: what a power cut would lose is not missed.
THROWAWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def prepare(data_dir: Path, *, is_durable: bool = True) -> Launch:
    """Makes whatever the server still lacks and returns how to start it.

    Refuses a cluster of another PostgreSQL version or another user, and a folder or disk that does not let it.
    """
    try:
        account = find_account(locate(data_dir).data)
        cluster = settle_home(data_dir, account)
        programs = provide_programs(cluster.home, account)
        ensure_cluster(cluster, programs, account, is_durable=is_durable)
        clear_stale_pid(cluster)
        socket = settle_socket(cluster, account)
    except OSError as error:
        raise ConsoleError("database_unprepared", f"PostgreSQL cannot be prepared: {error}.") from error
    command = [str(programs / "postgres"), "-D", str(cluster.data), *_build_options(socket, is_durable)]
    return Launch(command, PLAIN, Path("/"), account.identity)


def _build_options(socket: Path, is_durable: bool) -> list[str]:
    settings = {
        **SETTINGS,
        **(DURABLE if is_durable else THROWAWAY),
        # A list in PostgreSQL's eyes: quoted, so that it has one entry whatever the path holds.
        "unix_socket_directories": '"{}"'.format(str(socket).replace('"', '""')),
    }
    return [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]


def find_postmaster(cluster: Cluster) -> psutil.Process | None:
    """The running server of this cluster; a process that merely inherited its number is not it."""
    try:
        process = psutil.Process(_read_pid(cluster))
        return process if _belongs(process, cluster) else None
    except (OSError, ValueError, psutil.Error):
        return None


def clear_stale_pid(cluster: Cluster) -> None:
    """Ends what a killed server left, and removes its pid file when the number is another program's now.

    PostgreSQL would take that program for itself and refuse to start. Refuses when the server is running.
    """
    if find_postmaster(cluster) is not None:
        raise ConsoleError("database_running", f"PostgreSQL is already running on {cluster.data}.")
    orphans = [process for process in psutil.process_iter() if _belongs(process, cluster)]
    for orphan in orphans:
        with contextlib.suppress(psutil.Error):
            orphan.kill()
    psutil.wait_procs(orphans, timeout=10)
    with contextlib.suppress(OSError, ValueError):
        if psutil.pid_exists(_read_pid(cluster)):
            (cluster.data / "postmaster.pid").unlink()


def _read_pid(cluster: Cluster) -> int:
    return int(_read_pid_file(cluster)[0])


def _read_pid_file(cluster: Cluster) -> list[str]:
    """PostgreSQL's own note of its number, data directory, start, port, socket, addresses, memory and status."""
    return (cluster.data / "postmaster.pid").read_text().split("\n")


def _belongs(process: psutil.Process, cluster: Cluster) -> bool:
    """Every process of a server works in its data directory."""
    try:
        return process.name() == "postgres" and process.cwd() == str(cluster.data)
    except psutil.Error:
        return False


def is_accepting(data_dir: Path) -> bool:
    """Whether the server takes connections now: not while it starts, recovers or stops."""
    # Asking only a server that calls itself ready keeps refusals out of its log.
    try:
        status = _read_pid_file(locate(data_dir))[7].strip()
    except (OSError, IndexError):
        return False
    return status == "ready" and PGconn.ping(get_url(data_dir, "postgres").encode()) == Ping.OK


def is_ready(data_dir: Path) -> bool:
    """Whether the console's database can be used; makes it when the cluster is new."""
    try:
        return is_accepting(data_dir) and _ensure_database(data_dir)
    except psycopg.OperationalError:
        return False  # it went away again between the two questions


def wait_until_ready(data_dir: Path, *, is_alive: Callable[[], bool], say: Callable[[str], None]) -> bool:
    """True once the database can be used, False when its server is gone; recovery takes the time it takes."""
    started, told = time.monotonic(), 0.0
    while not is_ready(data_dir):
        if not is_alive():
            return False
        waited = time.monotonic() - started
        if waited - told >= 5:
            told = waited
            say(f"PostgreSQL is still starting after {waited:.0f} s; it may be recovering.")
        time.sleep(0.05)
    return True


def _ensure_database(data_dir: Path) -> bool:
    with psycopg.connect(get_url(data_dir, "postgres"), autocommit=True) as connection:
        query = "SELECT 1 FROM pg_database WHERE datname = %s"
        if connection.execute(query, [DATABASE]).fetchone() is None:
            # A command that waits for the console's database may be first by a moment.
            with contextlib.suppress(errors.DuplicateDatabase, errors.UniqueViolation):
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
    return True


def stop(cluster: Cluster) -> None:
    """Stops the server of this cluster, whoever started it, and returns when it is gone."""
    process = find_postmaster(cluster)
    if process is None:
        return
    for number, seconds in STOP_LADDER:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(number)
        with contextlib.suppress(psutil.TimeoutExpired):
            process.wait(seconds)
            return
    raise ConsoleError("database_stuck", f"PostgreSQL (process {process.pid}) does not stop.")
