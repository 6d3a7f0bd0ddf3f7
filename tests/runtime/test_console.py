"""The whole console as a person runs it, on a data directory and ports of its own."""

import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request

import psycopg
import pytest

from billing_console.demo.logins import LOGINS
from billing_console.runtime.cluster import get_url, locate
from billing_console.runtime.directory import PROJECT
from billing_console.runtime.leftovers import clear_leftovers, find_leftovers
from billing_console.runtime.postmaster import find_postmaster
from tests.data_dirs import build_environment
from tests.runtime.watching import find_processes, start_python, wait_for_text

START_SECONDS = 120.0


@pytest.fixture
def environment(data_dir):
    """What a person's shell holds, with ports that nobody else uses."""
    return build_environment(data_dir)


@pytest.fixture
def start(data_dir, environment):
    """Starts a console and returns it with the path of its terminal; none outlives the test."""
    started = []

    def start(**settings):
        terminal = data_dir.parent / f"terminal-{len(started)}"
        arguments = ("-m", "tests.runtime.bare_console")
        console = start_python(*arguments, log=terminal, env={**environment, **settings})
        started.append(console)
        return console, terminal

    yield start
    for console in started:
        console.kill()
        console.wait()
    clear_leftovers(data_dir)


def run_command(environment, *arguments):
    return subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=PROJECT, env=environment,
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def get_status(url):
    """The status that an address answers with."""
    try:
        return urllib.request.urlopen(url, timeout=10).status
    except urllib.error.HTTPError as error:
        return error.code


def read_server_number(data_dir):
    """Which start of the cluster this is, and which cluster."""
    with psycopg.connect(get_url(data_dir)) as connection:
        return connection.execute("SELECT system_identifier FROM pg_control_system()").fetchone()[0]


def assert_greets(text, environment):
    assert f"runs at http://127.0.0.1:{environment['PORT']}/" in text
    for login in LOGINS:
        assert re.search(rf"  {login.username} +{login.password} ", text)


def assert_others_are_refused(start, data_dir, environment):
    """A second console on the same directory, or on the same port, says why and starts nothing."""
    second, terminal = start()
    assert second.wait(30) == 1
    assert f"A console already runs on {data_dir}, at http://127.0.0.1:" in terminal.read_text()

    elsewhere = data_dir.parent / "elsewhere"
    third, terminal = start(DATA_DIR=str(elsewhere))
    assert third.wait(30) == 1
    assert f"Port {environment['PORT']} on 127.0.0.1 is taken" in terminal.read_text()
    assert not (elsewhere / "postgres").exists()


def assert_a_command_works_beside(environment, data_dir):
    server = find_postmaster(locate(data_dir))
    beside = run_command(environment, "showmigrations", "--plan")
    assert beside.returncode == 0, beside.stderr
    assert "[X]  contenttypes.0001_initial" in beside.stdout
    assert server.is_running()


def test_a_console_from_its_first_start_through_a_kill_to_its_last_stop(start, data_dir, environment):
    address = f"http://127.0.0.1:{environment['PORT']}/"
    first, terminal = start()
    text = wait_for_text(terminal, "Ready in", START_SECONDS)
    assert_greets(text, environment)
    assert "load-demo    | Demo loaded" in text
    assert get_status(address) < 500
    cluster = read_server_number(data_dir)
    assert_a_command_works_beside(environment, data_dir)
    assert_others_are_refused(start, data_dir, environment)

    first.kill()
    first.wait()
    assert len(find_leftovers(data_dir)) >= 5

    second, terminal = start()
    text = wait_for_text(terminal, "Ready in", START_SECONDS)
    assert re.search(r"A killed console had left \d+ of its processes; they are ended\.", text)
    assert "static " not in text  # collected already
    assert "load-demo    | The demo is loaded already." in text
    assert read_server_number(data_dir) == cluster
    assert get_status(address) < 500

    second.send_signal(signal.SIGTERM)
    assert second.wait(60) == 0
    stopped = re.findall(r"console +\| (\S+) stopped\.", terminal.read_text())
    assert stopped == ["web", "scheduler", "worker", "odoo-standin", "database"]
    assert find_leftovers(data_dir) == []
    assert find_processes(data_dir) == []


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"PORT": "eighty"}, "PORT must be a whole number"),
        ({"HOST": "192.0.2.1"}, "Cannot listen on 192.0.2.1"),
        ({"DATA_DIR": "/proc/nothing/here"}, "DATA_DIR /proc/nothing/here cannot be written"),
        (
            {"DATABASE_URL": "postgres://nobody@127.0.0.1:1/none"},
            "The database of DATABASE_URL cannot be used",
        ),
    ],
)
def test_a_wrong_setting_is_one_line_and_nothing_starts(start, data_dir, settings, words):
    console, terminal = start(**settings)

    assert console.wait(30) == 1
    assert words in terminal.read_text()
    assert "Traceback" not in terminal.read_text()
    assert not (data_dir / "postgres").exists()
