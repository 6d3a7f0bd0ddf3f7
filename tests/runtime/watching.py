"""Waits for what other processes do, and reads what they have written."""

import subprocess
import sys
import time
from pathlib import Path

import psutil

from billing_console.runtime.directory import PROJECT

PATIENCE = 30.0


def wait_for(is_true, what, seconds=PATIENCE):
    """Returns the first true value, or fails after a while by naming what did not come."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = is_true()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"Waited {seconds:.0f} s for {what}.")


def wait_for_text(path: Path, text: str, seconds=PATIENCE):
    """Returns the file's text once it contains the wanted words."""
    wait_for(lambda: path.exists() and text in path.read_text(), f"{text!r} in {path}", seconds)
    return path.read_text()


def start_python(*arguments, log: Path, **options) -> subprocess.Popen:
    """Starts a Python program of this project in a session of its own, its output in a file."""
    options.setdefault("cwd", PROJECT)
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, *map(str, arguments)], stdout=output, stderr=output,
            stdin=subprocess.DEVNULL, start_new_session=True, **options,
        )  # fmt: skip


def find_processes(*words):
    """The live processes whose command line contains each of the words."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        line = " ".join(process.info["cmdline"] or ())
        if process.info["status"] != psutil.STATUS_ZOMBIE and all(str(word) in line for word in words):
            found.append(process)
    return found
