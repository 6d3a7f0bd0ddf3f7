"""The console as it is, but for the demo: one account of its story, as all of it has tests of its own."""

import sys
from dataclasses import replace

from billing_console.runtime import __main__, console, process, table

LOADER = "load-demo"


def build_bare_table(options):
    return [_shorten(row) if row.name == LOADER else row for row in table.build_table(options)]


def _shorten(row):
    def prepare():
        launch = row.prepare()
        program, _script, *arguments = launch.command
        command = [program, "-m", "tests.runtime.short_story", *arguments]
        return process.Launch(command, launch.environment, launch.folder, launch.identity)

    return replace(row, prepare=prepare)


if __name__ == "__main__":
    console.build_table = build_bare_table
    sys.exit(__main__.main())
