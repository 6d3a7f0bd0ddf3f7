"""Watches the make that started us, which does not pass on everything that ends it."""

import os
import signal
from pathlib import Path

import psutil

# GNU make waits for its recipe after these without passing them on; at a terminal we get them ourselves.
NOT_PASSED_ON = (signal.SIGINT, signal.SIGHUP)


class MakeParent:
    """The make above us, when there is one."""

    def __init__(self) -> None:
        self._pid = os.getppid() if self._is_started_by_make() else None
        self._caught = self._read_caught()

    def find_reason(self) -> str | None:
        """Why make no longer wants us, or None while it does."""
        if self._pid is None:
            return None
        if os.getppid() != self._pid:
            return "make is gone"
        # In its handler make sets the signal back to its default: a bit that goes out is a signal that came.
        lost = self._caught & ~self._read_caught()
        return next((f"make got {n.name}" for n in NOT_PASSED_ON if lost & (1 << (n - 1))), None)

    @staticmethod
    def _is_started_by_make() -> bool:
        try:
            return "MAKELEVEL" in os.environ and psutil.Process(os.getppid()).name() in {"make", "gmake"}
        except psutil.Error:
            return False

    def _read_caught(self) -> int:
        """The signals that make catches, as Linux tells them; none where it does not."""
        try:
            status = Path(f"/proc/{self._pid}/status").read_text()
        except OSError:
            return 0
        return next((int(line.split()[1], 16) for line in status.split("\n") if line.startswith("SigCgt")), 0)
