"""The data directory: every file that a run writes is under it."""

import contextlib
import os
import tempfile
from pathlib import Path

from billing_console.runtime.errors import ConsoleError

PROJECT = Path(__file__).resolve().parents[2]


def ensure_data_dir(data_dir: Path) -> Path:
    """Makes the directory when it is missing and returns its real path; refuses one that cannot be written.

    The mode of a directory that is already there is never changed.
    """
    try:
        with contextlib.suppress(FileExistsError):
            data_dir.mkdir(parents=True, mode=0o700)
            # Root's database runs as another user, which must pass through here but may not look around.
            data_dir.chmod(0o711 if os.geteuid() == 0 else 0o700)
        with tempfile.TemporaryFile(dir=data_dir):
            return data_dir.resolve()
    except OSError as error:
        message = f"DATA_DIR {data_dir} cannot be written: {error.strerror}."
        raise ConsoleError("data_dir_unwritable", message) from error


def ensure_private(directory: Path) -> Path:
    """Makes a folder of ours that only its owner may enter."""
    directory.mkdir(mode=0o700, exist_ok=True)
    return directory
