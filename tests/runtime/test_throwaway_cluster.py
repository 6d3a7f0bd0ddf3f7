"""The cluster of a test run is its own, and a killed run's is cleared by the next."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from billing_console.runtime.directory import PROJECT
from tests.runtime.watching import find_processes, start_python, wait_for
from tests.throwaway_cluster import FOREIGN, PREFIX


def test_this_run_uses_neither_the_users_data_directory_nor_their_settings():
    assert Path(os.environ["DATA_DIR"]).name.startswith(PREFIX)
    if "TEST_DATABASE_URL" not in os.environ:
        assert PREFIX in os.environ["DATABASE_URL"]
    assert not (set(FOREIGN) - {"DATABASE_URL"}) & set(os.environ)


def run_plugin(body, folder):
    """The plugin as pytest calls it, in a program of its own with its own temporary folder."""
    program = f"from tests import throwaway_cluster as plugin\nplugin.pytest_load_initial_conftests()\n{body}"
    hidden = {"PYTEST_XDIST_WORKER", "TEST_DATABASE_URL", "PYTEST_CURRENT_TEST"}
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    return ["-c", program], {**environment, "TMPDIR": str(folder)}


def test_a_killed_run_is_cleared_by_the_next_which_clears_itself():
    with tempfile.TemporaryDirectory(prefix="runs-") as name:
        folder = Path(name).resolve()
        folder.chmod(0o711)
        arguments, environment = run_plugin("import time; time.sleep(600)", folder)
        killed = start_python(*arguments, log=folder / "log", env=environment)
        wait_for(lambda: find_processes("postgres", "-D", folder), "the first run's server")
        os.killpg(killed.pid, signal.SIGKILL)
        killed.wait()
        assert find_processes("postgres", folder)

        arguments, environment = run_plugin("plugin.pytest_unconfigure()", folder)
        subprocess.run([sys.executable, *arguments], env=environment, cwd=PROJECT, check=True, timeout=60)

        assert find_processes("postgres", folder) == []
        assert [path.name for path in folder.iterdir()] == ["log"]
