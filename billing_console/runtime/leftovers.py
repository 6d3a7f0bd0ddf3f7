"""Finds and ends what a killed console left behind, known by the mark of its data directory."""

import contextlib
import os
from pathlib import Path

import psutil

from billing_console.runtime.environment import MARK

STOP_SECONDS = 5.0


def find_leftovers(data_dir: Path) -> list[psutil.Process]:
    """The processes that a console of this data directory started, other than ourselves and the database."""
    ours = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    return [p for p in psutil.process_iter() if p.pid not in ours and _has_mark(p, data_dir)]


def clear_leftovers(data_dir: Path) -> int:
    """Ends them, politely at first, and returns how many there were."""
    found = find_leftovers(data_dir)
    for process in found:
        with contextlib.suppress(psutil.Error):
            process.terminate()
    _, stubborn = psutil.wait_procs(found, timeout=STOP_SECONDS)
    for process in stubborn:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(stubborn, timeout=STOP_SECONDS)
    return len(found)


def _has_mark(process: psutil.Process, data_dir: Path) -> bool:
    try:
        return process.environ().get(MARK) == str(data_dir)
    except (psutil.Error, OSError):
        return False
