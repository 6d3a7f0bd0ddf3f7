"""A console under make ends with it, also where make passes nothing on."""

import os
import shlex
import signal
import subprocess
import sys

import pytest

from billing_console.runtime.directory import PROJECT
from billing_console.runtime.leftovers import find_leftovers
from tests.runtime.watching import wait_for, wait_for_text


@pytest.fixture
def make(tmp_path):
    """A running make whose recipe is a console, as in our Makefile."""
    recipe = shlex.join([sys.executable, "-m", "tests.runtime.fake_console", str(tmp_path), "web=sleep 600"])
    (tmp_path / "Makefile").write_text(f"run:\n\t@exec {recipe}\n")
    log = tmp_path / "terminal"
    with log.open("wb") as output:
        make = subprocess.Popen(
            ["make", "-f", tmp_path / "Makefile", "run"], cwd=PROJECT, stdout=output, stderr=output,
            stdin=subprocess.DEVNULL, start_new_session=True,
            env={k: v for k, v in os.environ.items() if k not in {"MAKELEVEL", "MAKEFLAGS", "MFLAGS"}},
        )  # fmt: skip
    wait_for_text(log, "ready")
    yield make
    make.kill()
    make.wait()


def test_a_console_ends_when_its_make_is_killed(make, tmp_path):
    make.kill()

    wait_for_text(tmp_path / "terminal", "web stopped.")
    assert "Stopping: make is gone." in (tmp_path / "terminal").read_text()
    wait_for(lambda: find_leftovers(tmp_path) == [], "the end of every process")


@pytest.mark.skipif(sys.platform != "linux", reason="Only Linux tells which signals a process catches.")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_a_console_ends_when_make_alone_gets_a_signal_that_it_does_not_pass_on(make, tmp_path, number):
    make.send_signal(number)

    make.wait(10)
    text = (tmp_path / "terminal").read_text()
    assert f"Stopping: make got {number.name}." in text
    assert "web stopped." in text
    assert find_leftovers(tmp_path) == []


def test_a_console_ends_in_order_when_make_is_terminated(make, tmp_path):
    make.terminate()

    make.wait(10)
    assert "web stopped." in (tmp_path / "terminal").read_text()
    assert find_leftovers(tmp_path) == []
