"""Commands that share one embedded database: it is up for each of them, and afterwards as it was before."""

import os
import signal
import threading

import psycopg
import pytest

from billing_console.runtime import postmaster
from billing_console.runtime.cluster import get_url, locate
from billing_console.runtime.environment import MARK
from billing_console.runtime.lease import describe_database, hold_services, is_console_running, own
from billing_console.runtime.locks import get_lock
from tests.runtime.watching import start_python, wait_for, wait_for_text


@pytest.fixture
def use(data_dir):
    """Starts a program that uses the services, with its output beside the data directory."""
    started = []

    def use(*words):
        log = data_dir.parent / f"user-{len(started)}"
        program = start_python("-m", "tests.runtime.use_services", data_dir, *words, log=log)
        started.append(program)
        program.log = log
        return program

    yield use
    for program in started:
        program.kill()
        program.wait()


def is_running(data_dir):
    return postmaster.find_postmaster(locate(data_dir)) is not None


def count_visits(data_dir):
    with hold_services(data_dir), psycopg.connect(get_url(data_dir)) as connection:
        return connection.execute("SELECT count(*) FROM visit").fetchone()[0]


def test_a_command_alone_starts_the_database_and_stops_it(use, data_dir):
    command = use("at-once")

    assert command.wait(30) == 0
    assert not is_running(data_dir)


def test_the_data_is_there_again_at_the_next_start(use, used_dir):
    for _ in range(2):
        assert use("at-once").wait(30) == 0

    assert count_visits(used_dir) == 2


def test_the_last_of_several_commands_stops_the_database(use, used_dir):
    starter = use("at-once", "first")
    others = [use() for _ in range(3)]
    for other in others:
        wait_for_text(other.log, "holding")
    assert starter.wait(30) == 0
    assert is_running(used_dir)

    (used_dir / "go").touch()

    assert [other.wait(30) for other in others] == [0, 0, 0]
    assert not is_running(used_dir)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_command_still_stops_the_database(use, used_dir, number):
    command = use()
    wait_for_text(command.log, "holding")

    os.killpg(command.pid, number)

    assert command.wait(30) != 0
    assert not is_running(used_dir)


def test_a_killed_command_leaves_a_database_that_the_next_command_stops(use, used_dir):
    killed = use()
    wait_for_text(killed.log, "holding")
    killed.kill()
    killed.wait()
    assert is_running(used_dir)

    assert use("at-once").wait(30) == 0

    assert not is_running(used_dir)
    assert count_visits(used_dir) == 2


def test_a_killed_command_leaves_the_others_their_database(use, used_dir):
    killed, other = use(), use()
    for command in (killed, other):
        wait_for_text(command.log, "holding")
    killed.kill()
    killed.wait()

    assert use("at-once").wait(30) == 0
    assert is_running(used_dir)

    (used_dir / "go").touch()
    assert other.wait(30) == 0
    assert not is_running(used_dir)


def test_the_console_waits_for_commands_and_stops_what_a_killed_one_left(use, used_dir):
    killed, living = use(), use()
    for command in (killed, living):
        wait_for_text(command.log, "holding")
    killed.kill()
    killed.wait()
    waits = []

    def wait():
        waits.append(living.poll())
        (used_dir / "go").touch()
        living.wait(30)

    with own(used_dir, describe_database(used_dir), wait=wait):
        assert not is_running(used_dir)
    assert waits == [None]


def test_a_command_beside_the_console_waits_for_its_database_and_leaves_it_up(use, used_dir):
    console = get_lock(used_dir, "console")
    console.acquire()
    service = describe_database(used_dir)
    with own(used_dir, service, wait=pytest.fail):
        command = use("at-once")
        wait_for_text(command.log, "Waiting for the console to start its database.")

        service.start()

        assert command.wait(30) == 0
        assert is_running(used_dir)
        service.stop()
    console.release()


def test_a_child_of_the_console_takes_no_lease(data_dir, monkeypatch):
    monkeypatch.setenv(MARK, str(data_dir))

    with hold_services(data_dir, has_odoo=True):
        assert not is_running(data_dir)


def test_looking_for_a_console_does_not_keep_one_from_starting(data_dir):
    data_dir.mkdir()
    lock = get_lock(data_dir, "console")

    assert not is_console_running(data_dir)
    assert lock.acquire(is_waiting=False)
    assert is_console_running(data_dir)
    lock.release()


def test_two_threads_that_need_the_database_at_once_start_one(data_dir):
    seen = []
    service = describe_database(data_dir)
    data_dir.mkdir()
    data_dir.chmod(0o711)
    meet = threading.Barrier(2)

    def visit():
        from billing_console.runtime.lease import hold

        with hold(data_dir, service):
            seen.append(postmaster.find_postmaster(locate(data_dir)).pid)
            meet.wait(30)

    threads = [threading.Thread(target=visit) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 2
    assert len(set(seen)) == 1
    wait_for(lambda: not is_running(data_dir), "the end of the server")
