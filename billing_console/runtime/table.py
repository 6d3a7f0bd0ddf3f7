"""The processes of a console, in the order they start; they stop in the reverse order."""

import http.client
import signal
import sys
from collections.abc import Callable
from functools import partial
from urllib.parse import urlsplit

from billing_console.runtime import postmaster, standin, static_files
from billing_console.runtime.directory import PROJECT
from billing_console.runtime.environment import MARK, build_environment
from billing_console.runtime.options import Options
from billing_console.runtime.process import Launch, Process

# A warm shutdown lets a task finish; one that takes longer is woken again from its row in the database.
WORKER_LADDER = ((signal.SIGTERM, 20.0), (signal.SIGKILL, 5.0))

# Celery's long warning about root is left out: whoever starts the console as root has chosen that.
WORKER = (
    "-W", "ignore:::celery.platforms", "-m", "celery", "--quiet", "--app", "billing_console", "worker",
    "--without-gossip", "--without-mingle", "--loglevel", "WARNING",
)  # fmt: skip
WEB = (
    "-m", "granian", "billing_console.wsgi:application", "--interface", "wsgi", "--no-ws", "--workers", "2",
    "--blocking-threads", "4", "--respawn-failed-workers", "--workers-kill-timeout", "5",
)  # fmt: skip


def build_table(options: Options) -> list[Process]:
    """One row per process; steps that have nothing to do are left out."""
    python = partial(_python, options)
    manage = partial(python, "manage.py")
    is_collected = static_files.is_collected(options.data_dir)
    rows: list[Process | None] = [
        None if options.database_url else _describe_database(options),
        Process("migrate", manage("migrate", "--noinput", "--verbosity", "1"), is_step=True),
        None
        if is_collected
        else _describe_collection(options, manage("collectstatic", "--noinput", "--verbosity", "0")),
        _describe_standin(options) if options.has_demo else None,
        Process("load-demo", manage("load_demo"), is_step=True) if options.has_demo else None,
        Process("worker", python(*WORKER), ladder=WORKER_LADDER),
        Process("scheduler", manage("run_scheduler")),
        Process(
            "web",
            python(*WEB, "--host", options.host, "--port", str(options.port)),
            is_ready=partial(_is_answering, options.address),
        ),
    ]
    return [row for row in rows if row is not None]


def _describe_database(options: Options) -> Process:
    return Process(
        "database",
        partial(postmaster.prepare, options.data_dir),
        is_ready=partial(postmaster.is_ready, options.data_dir),
        ladder=postmaster.STOP_LADDER,
    )


def _describe_standin(options: Options) -> Process:
    def prepare() -> Launch:
        return _mark(options, standin.prepare(options.data_dir))

    return Process("odoo-standin", prepare, is_ready=partial(standin.is_healthy, options.data_dir))


def _describe_collection(options: Options, prepare: Callable[[], Launch]) -> Process:
    note = partial(static_files.note_collected, options.data_dir)
    return Process("static", prepare, is_step=True, on_done=note)


def _python(options: Options, *arguments: str) -> Callable[[], Launch]:
    def prepare() -> Launch:
        return _mark(
            options, Launch([sys.executable, *arguments], build_environment(options.data_dir), PROJECT)
        )

    return prepare


def _mark(options: Options, launch: Launch) -> Launch:
    environment = {**launch.environment, MARK: str(options.data_dir)}
    return Launch(launch.command, environment, launch.folder, launch.identity)


def _is_answering(address: str) -> bool:
    """Whether the web server answers at all; what it answers is not for the process manager to judge."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
    try:
        connection.request("HEAD", "/")
        connection.getresponse()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True
