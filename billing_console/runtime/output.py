"""What the processes say: on the terminal with their name in front, and kept in bounded log files."""

import contextlib
import logging
import time
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TextIO

LOG_BYTES = 5_000_000
LOG_FILES = 3
NAME_WIDTH = 12


class Output:
    """Writes each line twice; a terminal that is gone is no reason to stop, the log goes on."""

    def __init__(self, directory: Path, terminal: TextIO) -> None:
        self._directory = directory
        self._terminal: TextIO | None = terminal
        self._logs: dict[str, RotatingFileHandler] = {}

    def write(self, name: str, line: str) -> None:
        """One line of one process."""
        self._show(f"{name:<{NAME_WIDTH}} | {line}")
        self._keep(name, line)

    def say(self, text: str) -> None:
        """One line of the process manager itself."""
        self.write("console", text)

    def get_path(self, name: str) -> Path:
        """The log file of a process."""
        return self._directory / f"{name}.log"

    def close(self) -> None:
        """Closes the log files."""
        for log in self._logs.values():
            log.close()

    def _show(self, line: str) -> None:
        if self._terminal is None:
            return
        try:
            self._terminal.write(line + "\n")
            self._terminal.flush()
        except (OSError, ValueError):
            self._terminal = None

    def _keep(self, name: str, line: str) -> None:
        if name not in self._logs:
            handler = RotatingFileHandler(
                self.get_path(name), maxBytes=LOG_BYTES, backupCount=LOG_FILES, encoding="utf-8"
            )
            formatter = logging.Formatter("%(asctime)sZ %(message)s", "%Y-%m-%dT%H:%M:%S")
            formatter.converter = time.gmtime
            handler.setFormatter(formatter)
            self._logs[name] = handler
        with contextlib.suppress(OSError):  # a full disk is told by the database, not by its log
            self._logs[name].handle(logging.makeLogRecord({"msg": line}))
