"""Data directories that a run of the suite makes once, whoever of its workers is first, and copies for each user."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from billing_console.runtime.cluster import locate
from billing_console.runtime.directory import PROJECT
from billing_console.runtime.lease import hold_services
from billing_console.runtime.locks import get_lock
from billing_console.runtime.ports import find_free_port
from tests.throwaway_cluster import FOREIGN

LOAD_SECONDS = 600


def build_environment(data_dir: Path) -> dict[str, str]:
    """What a person's shell holds for a console on this directory, on ports that nobody else uses."""
    ours = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    ports = {"PORT": str(find_free_port()), "ODOO_STANDIN_PORT": str(find_free_port())}
    return {**ours, **ports, "DATA_DIR": str(data_dir)}


def copy_empty(place: Path) -> None:
    """A data directory with a database in which nothing is."""
    _copy(_share("empty", _make_empty), place)


def copy_demo(place: Path) -> None:
    """A data directory with the demo, loaded by the commands that `make run` gives as its steps."""
    _copy(_share("demo", _make_demo), place)


def _make_empty(place: Path) -> None:
    with hold_services(place, is_durable=False):
        pass


def _make_demo(place: Path) -> None:
    environment = build_environment(place)
    with hold_services(place, is_durable=False):
        for command in ("migrate", "load_demo"):
            done = subprocess.run(
                [sys.executable, "manage.py", command], cwd=PROJECT, env=environment,
                capture_output=True, text=True, timeout=LOAD_SECONDS, check=False,
            )  # fmt: skip
            assert done.returncode == 0, done.stdout + done.stderr


def _share(name: str, make: Callable[[Path], None]) -> Path:
    """The one of this run; the workers wait for each other, and nothing ever runs on it again."""
    run = Path(os.environ["DATA_DIR"])
    place, made = run / f"made-{name}", run / f"made-{name}.whole"
    with get_lock(run, f"made-{name}").held():
        if not made.exists():
            make(place)
            made.touch()
    return place


def _copy(made: Path, place: Path) -> None:
    """With its owners and modes; the socket's folder may be a link to one outside, and each needs its own."""
    subprocess.run(["cp", "-a", str(made), str(place)], check=True)
    socket = locate(place).home / "socket"
    if socket.is_symlink():
        socket.unlink()
    else:
        shutil.rmtree(socket)
