"""Runs one console on a data directory, from the first check to the last process."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import psycopg

from billing_console.demo.logins import LOGINS
from billing_console.runtime.directory import ensure_data_dir, ensure_private
from billing_console.runtime.errors import ConsoleError
from billing_console.runtime.lease import Service, describe_database, describe_standin, own
from billing_console.runtime.leftovers import clear_leftovers
from billing_console.runtime.locks import get_lock
from billing_console.runtime.options import Options
from billing_console.runtime.output import Output
from billing_console.runtime.parent import MakeParent
from billing_console.runtime.ports import check_port
from billing_console.runtime.stopping import StopRequested, StopRequests
from billing_console.runtime.supervisor import Supervisor
from billing_console.runtime.table import build_table

LOCK_SECONDS = 1.0


def run_console(options: Options) -> None:
    """Starts everything, returns when all has stopped; a `ConsoleError` says what stood in the way."""
    stops = StopRequests(MakeParent().find_reason)
    started = time.monotonic()
    options = replace(options, data_dir=ensure_data_dir(options.data_dir))
    os.umask(0o077)
    output = Output(ensure_private(options.data_dir / "logs"), sys.stdout)
    with stops.listening(), _hold_console(options, stops):
        try:
            _prepare(options, output)
            with _own_services(options, stops, output):
                supervisor = Supervisor(output, stops)
                supervisor.run(build_table(options), lambda: _announce(options, output, started))
        except StopRequested as request:
            output.say(f"Stopping: {request}.")
        finally:
            clear_leftovers(options.data_dir)
            output.close()


@contextmanager
def _hold_console(options: Options, stops: StopRequests) -> Iterator[None]:
    """Makes this the one console of its data directory, or says where the other is."""
    lock = get_lock(options.data_dir, "console")
    started = time.monotonic()
    # A command looks at this lock by taking it for an instant, hence more than one try.
    while not lock.acquire(is_waiting=False):
        if time.monotonic() - started > LOCK_SECONDS:
            where = lock.path.read_text() or "another address"
            message = f"A console already runs on {options.data_dir}, at {where}. Stop it, or set DATA_DIR."
            raise ConsoleError("already_running", message)
        stops.pause(0.05)
    lock.write(f"{options.address} (process {os.getpid()})")
    try:
        yield
    finally:
        lock.release()


def _prepare(options: Options, output: Output) -> None:
    cleared = clear_leftovers(options.data_dir)
    if cleared:
        output.say(f"A killed console had left {cleared} of its processes; they are ended.")
    check_port(options.host, options.port)
    if options.database_url:
        check_database(options.database_url)


def check_database(url: str) -> None:
    """Refuses a DATABASE_URL that nothing answers at, in one line and without its password."""
    try:
        psycopg.connect(url, connect_timeout=10).close()
    except psycopg.Error as error:
        reason = str(error).strip().split("\n")[-1]
        message = f"The database of DATABASE_URL cannot be used: {reason}"
        raise ConsoleError("database_unreachable", message) from error


@contextmanager
def _own_services(options: Options, stops: StopRequests, output: Output) -> Iterator[None]:
    with ExitStack() as stack:
        services = [] if options.database_url else [describe_database(options.data_dir)]
        if options.has_demo:
            services.append(describe_standin(options.data_dir))
        for service in services:
            wait = _build_wait(service, stops, output)
            stack.enter_context(own(options.data_dir, service, wait=wait))
        yield


def _build_wait(service: Service, stops: StopRequests, output: Output) -> Callable[[], None]:
    told: list[str] = []

    def wait() -> None:
        if not told:
            told.append(service.name)
            output.say(f"Waiting for commands that use the {service.name} to finish.")
        stops.pause(0.2)

    return wait


def _announce(options: Options, output: Output, started: float) -> None:
    output.say(f"The Billing Console runs at {options.address} and keeps its files in {options.data_dir}.")
    if options.has_demo:
        output.say("Demo logins (name, password, groups):")
        for login in LOGINS:
            output.say(f"  {login.username:<9} {login.password:<14} {', '.join(login.groups)}")
    output.say(f"Ready in {time.monotonic() - started:.0f} s. Ctrl-C stops it.")
