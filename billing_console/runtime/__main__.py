"""`python -m billing_console.runtime` runs the console until it is told to stop."""

import sys

from billing_console.runtime.console import run_console
from billing_console.runtime.errors import ConsoleError
from billing_console.runtime.options import read_options
from billing_console.runtime.stopping import StopRequested


def main() -> int:
    """Runs the console and returns the exit code: 0 after an orderly stop, 1 when it could not run."""
    try:
        run_console(read_options())
    except ConsoleError as error:
        print(error, file=sys.stderr)
        return 1
    except (StopRequested, KeyboardInterrupt):
        return 130  # before there was anything to stop
    return 0


if __name__ == "__main__":
    sys.exit(main())
