"""A stand-in for a management command: holds the services of a data directory until told to go on.

`python -m tests.runtime.use_services DATA_DIR WORD...` says `holding`, then waits for the file DATA_DIR/go,
or with the word `at-once` for nothing. With `odoo` it asks for the Odoo stand-in too.
"""

import sys
import time
from pathlib import Path

import psycopg

from billing_console.runtime.cluster import get_url
from billing_console.runtime.lease import hold_services


def main() -> None:
    data_dir, words = Path(sys.argv[1]), sys.argv[2:]
    with hold_services(data_dir, has_odoo="odoo" in words):
        with psycopg.connect(get_url(data_dir)) as connection:
            connection.execute("SELECT pg_advisory_xact_lock(1)")
            connection.execute("CREATE TABLE IF NOT EXISTS visit (at timestamptz DEFAULT now())")
            connection.execute("INSERT INTO visit DEFAULT VALUES")
        print("holding", flush=True)
        while "at-once" not in words and not (data_dir / "go").exists():
            time.sleep(0.02)
    print("done", flush=True)


if __name__ == "__main__":
    main()
