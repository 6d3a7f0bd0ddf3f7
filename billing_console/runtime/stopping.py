"""Requests to stop: signals, and the end of the make that started us."""

import os
import select
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

# One act often arrives twice (make forwards SIGTERM; a closing terminal signals the whole group).
SAME_REQUEST_SECONDS = 1.0


class StopRequested(Exception):
    """Somebody wants the console to stop; the text says who or what."""


class StopRequests:
    """Counts the requests to stop: the first stops in order, a second one hurries."""

    def __init__(
        self, watch: Callable[[], str | None], *, same_request_seconds: float = SAME_REQUEST_SECONDS
    ) -> None:
        self._watch = watch
        self._same_request_seconds = same_request_seconds
        self._reasons: list[str] = []
        self._last = 0.0
        self._wake_reader, self._wake_writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    @property
    def wake(self) -> int:
        """Readable when a signal has arrived."""
        return self._wake_reader

    @property
    def is_hurried(self) -> bool:
        """Whether a second request came after the first."""
        return len(self._reasons) > 1

    def check(self) -> None:
        """Raises `StopRequested` once a request has come."""
        self.drain()
        reason = self._reasons[0] if self._reasons else self._watch()
        if reason:
            raise StopRequested(reason)

    def pause(self, seconds: float) -> None:
        """Sleeps, woken by a request, which it raises."""
        select.select([self.wake], [], [], seconds)
        self.check()

    def drain(self) -> None:
        """Empties the wake-up pipe."""
        with suppress(BlockingIOError):
            os.read(self._wake_reader, 1024)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Takes the signals for the block. SIGHUP stays ignored where `nohup` asked for that."""
        numbers = [signal.SIGINT, signal.SIGTERM]
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
            numbers.append(signal.SIGHUP)
        before = {number: signal.signal(number, self._note) for number in numbers}
        # Only a signal with a handler wakes a select: an ended child shall.
        before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        signal.set_wakeup_fd(self._wake_writer, warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(-1)
            for number, handler in before.items():
                signal.signal(number, handler)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        if not self._reasons or now - self._last > self._same_request_seconds:
            self._reasons.append(signal.Signals(number).name)
            self._last = now
