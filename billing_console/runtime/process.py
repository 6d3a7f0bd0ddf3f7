"""One row of the process table: what to start, how to know that it is up, and how to stop it."""

import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from billing_console.runtime.account import Identity

# (signal, seconds to wait for it): SIGKILL goes to the whole group, the others to its leader.
Ladder = tuple[tuple[signal.Signals, float], ...]
STOP_LADDER: Ladder = ((signal.SIGTERM, 10.0), (signal.SIGKILL, 5.0))


@dataclass(frozen=True, slots=True)
class Launch:
    """A command, the environment and folder it starts in, and as whom."""

    command: list[str]
    environment: Mapping[str, str]
    folder: Path
    identity: Identity = field(default_factory=Identity)


@dataclass(frozen=True, slots=True)
class Process:
    """A process that is kept running, or a step that runs once (`is_step`) before what comes after it.

    `prepare` runs before every start and says what to launch, so that a restart clears what a death left.
    """

    name: str
    prepare: Callable[[], Launch]
    is_ready: Callable[[], bool] | None = None
    is_step: bool = False
    on_done: Callable[[], None] | None = None
    ladder: Ladder = STOP_LADDER
