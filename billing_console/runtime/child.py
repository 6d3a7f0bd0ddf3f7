"""A running child in a session of its own: its output, its exit, and the end of its whole group."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator

from billing_console.runtime.process import Process

CHUNK = 65536


class Child:
    """One start of a process. Its number stays its own until `finish`, since only that reaps it."""

    def __init__(self, process: Process) -> None:
        launch = process.prepare()
        self.process = process
        self.is_up = False
        self.started_at = time.monotonic()
        self._partial = b""
        self._popen = subprocess.Popen(
            launch.command, env=launch.environment, cwd=launch.folder, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True, **launch.identity,
        )  # fmt: skip
        assert self._popen.stdout is not None
        self.output = self._popen.stdout.fileno()
        os.set_blocking(self.output, False)

    @property
    def pid(self) -> int:
        """The process number, which is its group's and session's number too."""
        return self._popen.pid

    def read_lines(self) -> Iterator[str] | None:
        """The whole lines written since the last call, or None when no more will come."""
        try:
            chunk = os.read(self.output, CHUNK)
        except BlockingIOError:
            return iter(())
        if not chunk:
            return None
        *lines, self._partial = (self._partial + chunk).split(b"\n")
        if len(self._partial) > CHUNK:  # a child that never ends its line must not fill our memory
            lines.append(self._partial)
            self._partial = b""
        return (line.decode(errors="replace") for line in lines)

    def has_exited(self) -> bool:
        """Whether the leader has ended; it is not reaped yet, so its number is still its own."""
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def send(self, number: signal.Signals) -> None:
        """Signals the leader, which tells its own children; SIGKILL ends the whole group."""
        if number == signal.SIGKILL:
            os.killpg(self.pid, number)
        else:
            os.kill(self.pid, number)

    def finish(self) -> int:
        """Ends what is left of the group of an ended leader, reaps it and returns its exit code."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        return self._popen.wait()

    def close(self) -> str:
        """Closes our end of its output and returns an unfinished last line."""
        assert self._popen.stdout is not None
        self._popen.stdout.close()
        return self._partial.decode(errors="replace")
