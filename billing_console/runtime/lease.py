"""Services that run while anyone uses them: commands share them, the last one out stops what was started."""

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from billing_console.runtime import postmaster, standin
from billing_console.runtime.cluster import locate
from billing_console.runtime.directory import ensure_data_dir, ensure_private
from billing_console.runtime.environment import is_supervised
from billing_console.runtime.errors import ConsoleError
from billing_console.runtime.locks import FileLock, get_lock
from billing_console.runtime.process import Launch

POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Service:
    """Something that commands share: whether it is up, and how to start and stop it."""

    name: str
    is_up: Callable[[], bool]
    start: Callable[[], None]
    stop: Callable[[], None]


@contextmanager
def hold_services(
    data_dir: Path, *, has_database: bool = True, has_odoo: bool = False, is_durable: bool = True
) -> Iterator[None]:
    """The services of a data directory are up for the block, and afterwards as they were before.

    Beside a running console, its own are used. A child of the console finds them up without asking.
    """
    data_dir = ensure_data_dir(data_dir)
    with contextlib.ExitStack() as stack:
        if not is_supervised(data_dir):
            stack.enter_context(_leave_on_signals())
            if has_database:
                stack.enter_context(hold(data_dir, describe_database(data_dir, is_durable=is_durable)))
            if has_odoo:
                stack.enter_context(hold(data_dir, describe_standin(data_dir)))
        yield


@contextmanager
def hold(data_dir: Path, service: Service) -> Iterator[None]:
    """One service, up for the block.

    Each user holds the `.users` lock shared; the kernel gives a killed user's share back, so that whoever
    leaves later still knows that it is the last. The `.change` lock guards starting and stopping.
    """
    change, users = _get_locks(data_dir, service)
    with change.held():
        users.acquire(is_shared=True)
    try:
        _bring_up(data_dir, service, change)
        yield
    finally:
        with change.held():
            users.release()
            if users.acquire(is_waiting=False):
                service.stop()
                users.release()


@contextmanager
def own(data_dir: Path, service: Service, *, wait: Callable[[], None]) -> Iterator[None]:
    """Keeps a service for the console, which starts and stops it itself; commands may share it meanwhile.

    Waits, by calling `wait`, until no command uses it, then stops what a killed command or console left.
    """
    change, users = _get_locks(data_dir, service)
    while True:
        with change.held():
            if users.acquire(is_waiting=False):
                service.stop()
                users.acquire(is_shared=True)
                break
        wait()
    try:
        yield
    finally:
        users.release()


def describe_database(data_dir: Path, *, is_durable: bool = True) -> Service:
    """The embedded PostgreSQL of a data directory."""

    def start() -> None:
        # One that is up but not ready is on its way out, or was left behind.
        postmaster.stop(locate(data_dir))
        server = _spawn(data_dir, "database", postmaster.prepare(data_dir, is_durable=is_durable))
        if not postmaster.wait_until_ready(data_dir, is_alive=lambda: server.poll() is None, say=_say):
            log = data_dir / "logs" / "database.log"
            raise ConsoleError("database_failed", f"PostgreSQL did not start; its last words are in {log}.")

    return Service(
        "database", lambda: postmaster.is_ready(data_dir), start, lambda: postmaster.stop(locate(data_dir))
    )


def describe_standin(data_dir: Path) -> Service:
    """The demo's Odoo of a data directory."""

    def start() -> None:
        standin.stop(data_dir)
        server = _spawn(data_dir, "odoo-standin", standin.prepare(data_dir))
        while not standin.is_healthy(data_dir):
            if server.poll() is not None:
                log = data_dir / "logs" / "odoo-standin.log"
                raise ConsoleError("standin_failed", f"The Odoo stand-in did not start; see {log}.")
            time.sleep(POLL_SECONDS)

    return Service("odoo-standin", lambda: standin.is_up(data_dir), start, lambda: standin.stop(data_dir))


def _bring_up(data_dir: Path, service: Service, change: FileLock) -> None:
    """Returns when the service is up: as it was, started here, or by the console that is about to."""
    is_told = False
    while True:
        with change.held():
            if service.is_up():
                return
            if not is_console_running(data_dir):
                service.start()
                return
        if not is_told:
            _say(f"Waiting for the console to start its {service.name}.")
            is_told = True
        time.sleep(POLL_SECONDS)


def is_console_running(data_dir: Path) -> bool:
    """Whether a console holds this data directory."""
    lock = get_lock(data_dir, "console")
    if lock.acquire(is_shared=True, is_waiting=False):
        lock.release()
        return False
    return True


def _get_locks(data_dir: Path, service: Service) -> tuple[FileLock, FileLock]:
    return get_lock(data_dir, f"{service.name}.change"), get_lock(data_dir, f"{service.name}.users")


def _spawn(data_dir: Path, name: str, launch: Launch) -> subprocess.Popen[bytes]:
    """Starts a server that outlives us if others still use it, beyond the reach of our terminal's Ctrl-C."""
    with open(ensure_private(data_dir / "logs") / f"{name}.log", "ab") as log:
        return subprocess.Popen(
            launch.command, env=launch.environment, cwd=launch.folder, stdin=subprocess.DEVNULL,
            stdout=log, stderr=log, start_new_session=True, **launch.identity,
        )  # fmt: skip


@contextmanager
def _leave_on_signals() -> Iterator[None]:
    """Turns SIGTERM and SIGHUP into an orderly exit, where they would end us on the spot."""

    def leave(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    numbers = [n for n in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(n) == signal.SIG_DFL]
    for number in numbers:
        signal.signal(number, leave)
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
