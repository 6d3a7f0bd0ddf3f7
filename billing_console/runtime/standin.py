"""The demo's Odoo stand-in as a service of a data directory: its address, its process, its stop."""

import contextlib
import os
import sys
import urllib.error
import urllib.request
from pathlib import Path

import psutil

from billing_console.runtime.directory import PROJECT
from billing_console.runtime.environment import build_environment
from billing_console.runtime.errors import ConsoleError
from billing_console.runtime.ports import find_free_port, is_free
from billing_console.runtime.process import Launch

# What the console and the stand-in agree on where the environment names nothing else.
DATABASE = "odoo19-demo"
LOGIN = "console"
API_KEY = "demo-key"

MODULE = "billing_console.demo.odoo_standin"
DEFAULT_PORT = 8069
STOP_SECONDS = 10.0


def get_url(data_dir: Path) -> str:
    """The address of this data directory's stand-in; starts nothing."""
    return f"http://127.0.0.1:{_read_fixed_port() or _read_noted_port(data_dir) or DEFAULT_PORT}"


def settle_port(data_dir: Path) -> int:
    """A port for the next start, noted so that commands beside the console find it.

    The noted port is kept while it is free. Refuses when ODOO_STANDIN_PORT names a taken one.
    """
    fixed = _read_fixed_port()
    if fixed and not is_free(fixed):
        message = f"Port {fixed} is taken by another program. Set ODOO_STANDIN_PORT to a free one."
        raise ConsoleError("standin_port_taken", message)
    candidates = (fixed, _read_noted_port(data_dir), DEFAULT_PORT)
    port = next((port for port in candidates if port and is_free(port)), None) or find_free_port()
    _get_note(data_dir).write_text(f"{port}\n")
    return port


def prepare(data_dir: Path) -> Launch:
    """Settles the port and returns how to start the stand-in on it."""
    options = ["--port", str(settle_port(data_dir)), "--data", str(get_file(data_dir))]
    return Launch([sys.executable, "-m", MODULE, *options], build_environment(data_dir), PROJECT)


def is_up(data_dir: Path) -> bool:
    """Whether the stand-in of this data directory answers, not just any server on its port."""
    return is_healthy(data_dir) and find_process(data_dir) is not None


def is_healthy(data_dir: Path) -> bool:
    """Whether whatever listens on the stand-in's port answers as one."""
    try:
        with urllib.request.urlopen(f"{get_url(data_dir)}/standin/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def find_process(data_dir: Path) -> psutil.Process | None:
    """The running stand-in of this data directory, known by the file it keeps."""
    wanted = {MODULE, str(get_file(data_dir))}
    for process in psutil.process_iter(["cmdline"]):
        if wanted <= set(process.info["cmdline"] or ()):
            return process
    return None


def stop(data_dir: Path) -> None:
    """Stops the stand-in of this data directory, whoever started it, and returns when it is gone."""
    process = find_process(data_dir)
    if process is None:
        return
    with contextlib.suppress(psutil.NoSuchProcess):
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait()


def _read_fixed_port() -> int | None:
    value = os.environ.get("ODOO_STANDIN_PORT", "").strip()
    return int(value) if value.isascii() and value.isdigit() else None


def _read_noted_port(data_dir: Path) -> int | None:
    try:
        return int(_get_note(data_dir).read_text())
    except (OSError, ValueError):
        return None


def _get_note(data_dir: Path) -> Path:
    return data_dir / "odoo-standin.port"


def get_file(data_dir: Path) -> Path:
    return data_dir / "odoo-standin.sqlite3"
