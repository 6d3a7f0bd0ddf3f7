"""Runs the web server on loopback, as the console runs it."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import psutil
from django.db import connection

from billing_console.runtime.ports import find_free_port
from billing_console.runtime.table import WEB

START_SECONDS = 30
STOP_SECONDS = 15


@dataclass(frozen=True, slots=True)
class WebServer:
    """A running server."""

    port: int
    process: subprocess.Popen[bytes]

    def kill(self) -> None:
        """Ends it at once with its workers, which would go on without it."""
        master = psutil.Process(self.process.pid)
        family = [*master.children(recursive=True), master]
        for each in family:
            each.kill()
        psutil.wait_procs(family)


@contextmanager
def serve(folder: Path, port: int | None = None, **environment: str) -> Iterator[WebServer]:
    """A server that answers, at any free port unless told; its output is kept in `folder`, its end waited for."""
    port = port or find_free_port()
    command = [sys.executable, *WEB, "--host", "127.0.0.1", "--port", str(port)]
    log_path = folder / f"web-{port}.log"
    with log_path.open("wb") as log:
        process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=log, stderr=log)
    try:
        wait_for_answer(process, port, log_path)
        yield WebServer(port, process)
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)


@contextmanager
def serve_test_database(folder: Path, port: int | None = None) -> Iterator[WebServer]:
    """A server on the database of this worker's tests, which must commit what it is to see."""
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    with serve(folder, port, DATABASE_URL=url) as server:
        yield server


def wait_for_answer(process: subprocess.Popen[bytes], port: int, log_path: Path) -> None:
    """Returns once the server answers; raises with its output when it ends or takes too long."""
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        asking = HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
        try:
            asking.request("GET", "/health")
            asking.getresponse().read()
            return
        except OSError:
            time.sleep(0.1)
        finally:
            asking.close()
    raise AssertionError(f"The server does not answer:\n{log_path.read_text()}")
