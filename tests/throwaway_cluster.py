"""Gives a test run a PostgreSQL of its own, which is gone when the run is, and never touches DATA_DIR."""

import atexit
import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from billing_console.runtime import cluster, postmaster
from billing_console.runtime.lease import hold_services
from billing_console.runtime.locks import get_lock
from billing_console.runtime.removal import remove_files

PREFIX = "billing-console-tests-"
# What the user's shell has for the console is not meant for its tests.
FOREIGN = (
    "DATABASE_URL",
    "ODOO_URL",
    "ODOO_DB",
    "ODOO_LOGIN",
    "ODOO_API_KEY",
    "ODOO_STANDIN_PORT",
    "STRIPE_API_KEY",
)

_run = ExitStack()


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """Before pytest-django reads the settings; the workers of a parallel run inherit the environment."""
    # A run in a shell's background is born deaf to Ctrl-C, and one under nohup to hanging up, and so would be every
    # program that a test signals.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    if "PYTEST_XDIST_WORKER" in os.environ:
        return
    clear_stale_runs()
    atexit.register(_run.close)  # pytest unconfigures nothing when it fails before it begins
    data_dir = _run.enter_context(make_run_directory())
    for name in FOREIGN:
        os.environ.pop(name, None)
    os.environ["DATA_DIR"] = str(data_dir)
    os.environ["DATABASE_URL"] = os.environ.get("TEST_DATABASE_URL") or start_cluster(data_dir)


def pytest_unconfigure() -> None:
    """Also after a failure: stops the cluster and removes its folder."""
    _run.close()


def start_cluster(data_dir: Path) -> str:
    """The address of a new cluster that lives as long as this run."""
    _run.enter_context(hold_services(data_dir, is_durable=False))
    return cluster.get_url(data_dir)


@contextmanager
def make_run_directory() -> Iterator[Path]:
    """A folder that is locked for as long as its run lives, and removed at its end."""
    directory = Path(tempfile.mkdtemp(prefix=PREFIX)).resolve()
    directory.chmod(0o711)  # PostgreSQL's user passes through it when we are root
    with get_lock(directory, "run").held():
        try:
            yield directory
        finally:
            remove_files(directory)


def clear_stale_runs() -> None:
    """Stops and removes what killed runs of ours have left; runs that still live hold their lock."""
    for directory in Path(tempfile.gettempdir()).resolve().glob(f"{PREFIX}*"):
        if directory.stat().st_uid != os.geteuid():
            continue
        lock = get_lock(directory, "run")
        if lock.acquire(is_waiting=False):
            postmaster.stop(cluster.locate(directory))
            remove_files(directory)
            lock.release()
