"""The environments that children are started with, and the mark that tells whose children they are."""

import os
from pathlib import Path

# On every process of a console except the database, with the data directory's real path as its value.
MARK = "BILLING_CONSOLE_SUPERVISED"

# PostgreSQL's programs take nothing from ours: PGDATA, PGPORT or a locale of the user must not reach them.
PLAIN = {"PATH": os.defpath, "LC_ALL": "C"}


def is_supervised(data_dir: Path) -> bool:
    """Whether we are a child of the console of this data directory, which keeps our services for us."""
    return os.environ.get(MARK) == str(data_dir)


def build_environment(data_dir: Path) -> dict[str, str]:
    """Our own environment with what every Python child needs; without a mark, which only a console gives."""
    return {
        **os.environ,
        "DATA_DIR": str(data_dir),
        "DJANGO_SETTINGS_MODULE": "billing_console.settings",
        "PYTHONUNBUFFERED": "1",
        # The checkout may be read-only, and a run writes into the data directory alone.
        "PYTHONDONTWRITEBYTECODE": "1",
    }
