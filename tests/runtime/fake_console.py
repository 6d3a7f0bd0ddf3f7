"""A process manager over a table of tiny processes, run as a program so that it can be signalled and killed.

`python -m tests.runtime.fake_console FOLDER NAME=SCRIPT...` starts one `sh -c SCRIPT` per name in the folder,
in order; a name that ends in `!` is a step. A script is ready once it has written `NAME starts` into the file
`events`, if it does so at all. `ready` is said when all are up.
"""

import os
import sys
from functools import partial
from pathlib import Path

from billing_console.runtime import stopping, supervisor
from billing_console.runtime.environment import MARK
from billing_console.runtime.errors import ConsoleError
from billing_console.runtime.output import Output
from billing_console.runtime.parent import MakeParent
from billing_console.runtime.process import STOP_LADDER, Launch, Process
from billing_console.runtime.stopping import StopRequests
from billing_console.runtime.supervisor import Supervisor

# Seconds, for tests that would wait for the console's own.
FIRST_DELAY = float(os.environ.get("FIRST_DELAY", supervisor.FIRST_DELAY))
SAME_REQUEST = float(os.environ.get("SAME_REQUEST", stopping.SAME_REQUEST_SECONDS))
QUICK_LADDER = tuple((number, 0.5) for number, _ in STOP_LADDER)


def main() -> int:
    folder, rows = Path(sys.argv[1]), sys.argv[2:]
    stops = StopRequests(MakeParent().find_reason, same_request_seconds=SAME_REQUEST)
    output = Output(folder, sys.stdout)
    with stops.listening():
        try:
            table = [build_process(folder, *row.split("=", 1)) for row in rows]
            console = Supervisor(output, stops, first_delay=FIRST_DELAY)
            console.run(table, lambda: output.say("ready"))
        except ConsoleError as error:
            print(f"{error.code}: {error}", flush=True)
            return 1
    return 0


def build_process(folder: Path, name: str, script: str) -> Process:
    is_step, name = name.endswith("!"), name.rstrip("!")
    launch = Launch(["/bin/sh", "-c", script], {**os.environ, "NAME": name, MARK: str(folder)}, folder)
    return Process(
        name,
        lambda: launch,
        is_ready=partial(has_started, folder / "events", name) if "starts" in script else None,
        is_step=is_step,
        ladder=QUICK_LADDER if "QUICK" in os.environ else STOP_LADDER,
    )


def has_started(events: Path, name: str) -> bool:
    return events.exists() and f"{name} starts\n" in events.read_text()


if __name__ == "__main__":
    sys.exit(main())
