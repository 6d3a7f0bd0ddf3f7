"""A process manager over a table of tiny processes, run as a program so that it can be signalled and killed.

`python -m tests.runtime.fake_console FOLDER NAME=SCRIPT...` starts one `sh -c SCRIPT` per name in the folder,
in order; a name that ends in `!` is a step. `ready` is said when all are up.
"""

import os
import sys
from functools import partial
from pathlib import Path

from billing_console.runtime.environment import MARK
from billing_console.runtime.errors import ConsoleError
from billing_console.runtime.output import Output
from billing_console.runtime.parent import MakeParent
from billing_console.runtime.process import STOP_LADDER, Launch, Process
from billing_console.runtime.stopping import StopRequests
from billing_console.runtime.supervisor import Supervisor

QUICK_LADDER = tuple((number, 0.5) for number, _ in STOP_LADDER)


def main() -> int:
    folder = Path(sys.argv[1])
    ladder = QUICK_LADDER if "QUICK" in os.environ else STOP_LADDER
    processes = []
    for row in sys.argv[2:]:
        name, script = row.split("=", 1)
        environment = {**os.environ, "NAME": name.rstrip("!"), MARK: str(folder)}
        launch = Launch(["/bin/sh", "-c", script], environment, folder)
        prepare = partial(lambda launch: launch, launch)
        processes.append(Process(name.rstrip("!"), prepare, is_step=name.endswith("!"), ladder=ladder))
    stops = StopRequests(MakeParent().find_reason)
    output = Output(folder, sys.stdout)
    with stops.listening():
        try:
            Supervisor(output, stops).run(processes, lambda: output.say("ready"))
        except ConsoleError as error:
            print(f"{error.code}: {error}", flush=True)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
