#!/usr/bin/env python
"""Django's commands, with the services that each needs up while it runs."""

import os
import sys


def main() -> int:
    """Runs one command; what stands in its way before Django starts is told in one line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing_console.settings")
    from django.core.management import execute_from_command_line
    from django.db import OperationalError

    from billing_console.runtime.commands import hold_for
    from billing_console.runtime.errors import ConsoleError

    try:
        with hold_for(sys.argv):
            execute_from_command_line(sys.argv)
    except ConsoleError as error:
        print(error, file=sys.stderr)
        return 1
    except OperationalError as error:
        print(f"The database does not answer: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
