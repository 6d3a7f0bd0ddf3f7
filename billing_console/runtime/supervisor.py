"""The process manager: starts a table of processes in order, keeps them running, stops them in reverse."""

import selectors
import time
from collections.abc import Callable, Sequence
from typing import NoReturn

from billing_console.runtime.child import Child
from billing_console.runtime.errors import ConsoleError
from billing_console.runtime.output import Output
from billing_console.runtime.process import Process
from billing_console.runtime.stopping import StopRequested, StopRequests

TICK_SECONDS = 0.5
POLL_SECONDS = 0.05
TELL_SECONDS = 10.0
HURRIED_SECONDS = 1.0
# A process that dies again and again is given more and more time; one that ran for a while starts afresh.
FIRST_DELAY, LONGEST_DELAY, STEADY_SECONDS = 1.0, 30.0, 60.0


class Supervisor:
    """One thread, one loop: it forwards output, notices deaths and requests to stop, and starts again."""

    def __init__(self, output: Output, stops: StopRequests, *, first_delay: float = FIRST_DELAY) -> None:
        self._output = output
        self._stops = stops
        self._first_delay = first_delay
        self._children: dict[str, Child] = {}  # in the order of their first start
        self._delays: dict[str, float] = {}
        self._due: dict[str, tuple[float, Process]] = {}
        self._selector = selectors.DefaultSelector()
        self._selector.register(stops.wake, selectors.EVENT_READ)

    def run(self, processes: Sequence[Process], on_ready: Callable[[], None]) -> None:
        """Starts the table, calls `on_ready`, and returns when everything has stopped on request.

        Raises `ConsoleError` when a step fails or a process ends before it is ready; all is stopped then too.
        """
        try:
            for process in processes:
                self._bring_up(process)
            on_ready()
            self._keep_running()
        except StopRequested as request:
            self._output.say(f"Stopping: {request}.")
        finally:
            self._stop_all([process.name for process in processes])
            self._selector.close()

    def _bring_up(self, process: Process) -> None:
        try:
            child = self._start(process)
        except OSError as error:
            raise ConsoleError("process_failed", f"{process.name} could not start: {error}.") from error
        if process.is_step:
            self._wait(child, child.has_exited)
            code = self._end(child)
            if code != 0:
                self._refuse(process, f"failed with {_describe_exit(code)}")
            if process.on_done is not None:
                process.on_done()
        else:
            is_ready = process.is_ready or (lambda: True)
            self._wait(child, lambda: child.has_exited() or is_ready())
            if child.has_exited():
                self._refuse(process, f"ended with {_describe_exit(self._end(child))} before it was ready")
            child.is_up = True

    def _wait(self, child: Child, is_over: Callable[[], bool]) -> None:
        """Turns until something is over, however long it takes; says now and then that it still waits."""
        started, told = time.monotonic(), TELL_SECONDS
        while not is_over():
            self._turn(POLL_SECONDS)
            waited = time.monotonic() - started
            if waited >= told and not child.process.is_step:
                self._output.say(f"{child.process.name} is still starting after {waited:.0f} s.")
                told = waited + TELL_SECONDS

    def _refuse(self, process: Process, what: str) -> NoReturn:
        message = f"{process.name} {what}; see {self._output.get_path(process.name)}."
        raise ConsoleError("process_failed", message)

    def _keep_running(self) -> NoReturn:
        while True:
            self._turn(TICK_SECONDS)

    def _turn(self, seconds: float) -> None:
        self._forward(seconds)
        self._stops.check()
        for child in [child for child in self._children.values() if child.is_up and child.has_exited()]:
            self._note_death(child)
        for name in [name for name, (due, _) in self._due.items() if due <= time.monotonic()]:
            self._restart(self._due.pop(name)[1])

    def _forward(self, seconds: float) -> None:
        """Waits for output or a signal, and passes on what the children have written."""
        for key, _ in self._selector.select(seconds):
            if key.fileobj == self._stops.wake:
                self._stops.drain()
            else:
                self._forward_child(key.data)

    def _forward_child(self, child: Child) -> None:
        lines = child.read_lines()
        if lines is None:
            self._selector.unregister(child.output)
            return
        for line in lines:
            self._output.write(child.process.name, line)

    def _start(self, process: Process) -> Child:
        child = Child(process)
        self._children[process.name] = child
        self._selector.register(child.output, selectors.EVENT_READ, child)
        return child

    def _end(self, child: Child) -> int:
        """Reaps an ended child, with what is left of its group and of its output."""
        code = child.finish()
        while child.output in self._selector.get_map() and self._has_output(child):
            self._forward_child(child)
        if child.output in self._selector.get_map():
            self._selector.unregister(child.output)
        rest = child.close()
        if rest:
            self._output.write(child.process.name, rest)
        del self._children[child.process.name]
        return code

    def _has_output(self, child: Child) -> bool:
        return any(key.fd == child.output for key, _ in self._selector.select(0))

    def _note_death(self, child: Child) -> None:
        process, lifetime = child.process, time.monotonic() - child.started_at
        if lifetime >= STEADY_SECONDS:
            self._delays.pop(process.name, None)
        self._schedule(process, f"ended with {_describe_exit(self._end(child))}")

    def _schedule(self, process: Process, what: str) -> None:
        delay = self._delays.get(process.name, self._first_delay)
        self._delays[process.name] = min(delay * 2, LONGEST_DELAY)
        self._due[process.name] = (time.monotonic() + delay, process)
        self._output.say(f"{process.name} {what}; starting it again in {delay:g} s.")

    def _restart(self, process: Process) -> None:
        try:
            self._start(process).is_up = True
        except (ConsoleError, OSError) as error:
            self._schedule(process, f"could not start ({error})")
        else:
            self._output.say(f"{process.name} was started again.")

    def _stop_all(self, order: Sequence[str]) -> None:
        for name in reversed(order):
            if name in self._children:
                self._stop(self._children[name])

    def _stop(self, child: Child) -> None:
        for number, seconds in child.process.ladder:
            child.send(number)
            if self._has_stopped(child, seconds):
                break
        else:
            self._output.say(f"{child.process.name} (process {child.pid}) does not stop.")
            return
        self._end(child)
        self._output.say(f"{child.process.name} stopped.")

    def _has_stopped(self, child: Child, seconds: float) -> bool:
        """Waits for a child's end, for a moment only when we are hurried."""
        started = time.monotonic()
        while not child.has_exited():
            patience = min(seconds, HURRIED_SECONDS) if self._stops.is_hurried else seconds
            if time.monotonic() - started > patience:
                return False
            self._forward(POLL_SECONDS)
        return True


def _describe_exit(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
