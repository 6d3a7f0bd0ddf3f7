"""Data directories for tests that start servers of their own."""

import shutil
import tempfile
from pathlib import Path

import pytest

from billing_console.runtime import postmaster, standin
from billing_console.runtime.cluster import locate
from billing_console.runtime.removal import remove_files
from tests.data_dirs import copy_empty


@pytest.fixture
def data_dir():
    """A place for a data directory that every user may pass; what ran on it is stopped and removed."""
    parent = Path(tempfile.mkdtemp(prefix="console-")).resolve()
    parent.chmod(0o755)
    directory = parent / "data"
    yield directory
    postmaster.stop(locate(directory))
    standin.stop(directory)
    remove_files(directory)
    shutil.rmtree(parent)


@pytest.fixture
def used_dir(data_dir):
    """A data directory whose database was made before: a copy, as making one takes a second."""
    copy_empty(data_dir)
    return data_dir
