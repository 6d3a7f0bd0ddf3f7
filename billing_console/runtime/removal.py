"""Removes a data directory with everything a console keeps for it, when a person asks for that."""

import shutil
import sys
from pathlib import Path

from billing_console.runtime.cluster import locate
from billing_console.runtime.directory import PROJECT
from billing_console.runtime.errors import ConsoleError
from billing_console.runtime.lease import describe_database, describe_standin, own
from billing_console.runtime.leftovers import clear_leftovers
from billing_console.runtime.locks import get_lock
from billing_console.runtime.options import read_options


def remove_data_dir(data_dir: Path) -> None:
    """Stops what a killed console left, then removes all; refuses while anyone uses the directory.

    Refuses a folder that no console has used, and one that holds this checkout.
    """
    if not (data_dir / "locks").is_dir() or PROJECT.is_relative_to(data_dir):
        raise ConsoleError("not_ours", f"{data_dir} is no data directory of a console; nothing is removed.")
    console = get_lock(data_dir, "console")
    if not console.acquire(is_waiting=False):
        raise ConsoleError("already_running", f"A console runs on {data_dir}; stop it first.")
    clear_leftovers(data_dir)
    for service in (describe_database(data_dir), describe_standin(data_dir)):
        with own(data_dir, service, wait=_refuse):
            pass
    remove_files(data_dir)
    console.release()


def remove_files(data_dir: Path) -> None:
    """Removes a data directory on which nothing runs, with what is kept for it elsewhere."""
    cluster = locate(data_dir)
    for folder in (cluster.socket, cluster.home, data_dir):
        if folder.exists():
            shutil.rmtree(folder)


def _refuse() -> None:
    raise ConsoleError("in_use", "A command is using the data directory; wait for it to finish.")


def main() -> int:
    """Removes the data directory that the environment names."""
    try:
        data_dir = read_options().data_dir.resolve()
        remove_data_dir(data_dir)
    except ConsoleError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"Removed {data_dir}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
