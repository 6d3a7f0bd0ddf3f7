"""The process manager, over tiny processes: its order, its restarts, and that it leaves nothing behind."""

import os
import signal
import subprocess
import time

import pytest

from billing_console.runtime.leftovers import clear_leftovers, find_leftovers
from tests.runtime.watching import start_python, wait_for, wait_for_text

# Each notes its start and its stop; `sleep` is short because a shell handles a signal only between commands.
FOREVER = "echo $NAME starts >> events; while :; do sleep 0.02; done"
POLITE = f'trap "echo $NAME stops >> events; exit 0" TERM; {FOREVER}'
SLOW = f'trap "sleep 1.3; echo $NAME stops >> events; exit 0" TERM; {FOREVER}'
DEAF = f'trap "" TERM; {FOREVER}'


@pytest.fixture
def start(tmp_path):
    """Starts a fake console with a table and waits until it is ready, unless told otherwise."""
    started = []

    def start(*table, words="ready", **environment):
        log = tmp_path / "terminal"
        arguments = ("-m", "tests.runtime.fake_console", tmp_path, *table)
        console = start_python(*arguments, log=log, env={**os.environ, **environment})
        started.append(console)
        wait_for_text(log, words)
        return console

    yield start
    for console in started:
        # In order as long as it can: what is orphaned is reaped when it suits the machine's first process.
        console.terminate()
        end(console)
    clear_leftovers(tmp_path)


def end(console):
    """Returns when it has ended, by force if it takes long."""
    try:
        console.wait(5)
    except subprocess.TimeoutExpired:
        console.kill()
        console.wait()


def read_events(tmp_path):
    return (tmp_path / "events").read_text().splitlines()


def count(tmp_path, event):
    path = tmp_path / "events"
    return path.read_text().splitlines().count(event) if path.exists() else 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_everything_in_the_reverse_order_and_leaves_nothing(start, tmp_path, number):
    table = [f"{name}={POLITE}" for name in ("database", "worker", "web")]
    console = start(*table)

    console.send_signal(number)

    assert console.wait(10) == 0
    assert read_events(tmp_path) == [
        "database starts", "worker starts", "web starts", "web stops", "worker stops", "database stops",
    ]  # fmt: skip
    assert find_leftovers(tmp_path) == []
    assert f"Stopping: {number.name}." in (tmp_path / "terminal").read_text()


def test_a_step_ends_before_what_comes_after_it_starts(start, tmp_path):
    start("migrate!=sleep 0.3; echo migrate done >> events", f"web={POLITE}")

    assert read_events(tmp_path) == ["migrate done", "web starts"]


def test_a_failed_step_stops_what_was_started_and_names_its_log(start, tmp_path):
    console = start(
        f"database={POLITE}", "migrate!=sleep 0.2; echo no such table; exit 3", words="process_failed"
    )

    assert console.wait(10) == 1
    text = (tmp_path / "terminal").read_text()
    assert "migrate      | no such table" in text
    assert f"process_failed: migrate failed with exit code 3; see {tmp_path}/migrate.log." in text
    assert read_events(tmp_path) == ["database starts", "database stops"]
    assert find_leftovers(tmp_path) == []


def test_a_process_that_dies_is_started_again_and_a_line_says_so(start, tmp_path):
    start(f"worker={POLITE}", f"web={POLITE}", FIRST_DELAY="0.1")
    victim = next(p for p in find_leftovers(tmp_path) if p.environ()["NAME"] == "worker" and p.name() == "sh")

    victim.kill()

    text = wait_for_text(tmp_path / "terminal", "worker was started again.")
    assert "worker ended with signal 9; starting it again in 0.1 s." in text
    wait_for(lambda: count(tmp_path, "worker starts") == 2, "the second start")
    assert count(tmp_path, "web starts") == 1


def test_a_process_that_keeps_dying_is_given_more_time_before_each_start(start, tmp_path):
    start("worker=sleep 0.1; exit 7", words="in 0.2 s.", FIRST_DELAY="0.1")

    assert "worker ended with exit code 7; starting it again in 0.2 s." in (tmp_path / "terminal").read_text()


def test_what_a_dead_process_started_dies_with_it(start, tmp_path):
    start(f"web=sleep 600 & echo $! > child; {POLITE}", FIRST_DELAY="0.1")
    child = int((tmp_path / "child").read_text())
    leader = next(p for p in find_leftovers(tmp_path) if p.pid != child and p.name() == "sh")

    leader.kill()

    wait_for_text(tmp_path / "terminal", "web was started again.")
    assert child not in {process.pid for process in find_leftovers(tmp_path)}


def test_a_process_that_does_not_listen_is_killed_with_its_group_after_its_time(start, tmp_path):
    console = start(f"database={POLITE}", f"web={DEAF}", QUICK="1")

    console.terminate()

    assert console.wait(10) == 0
    assert read_events(tmp_path)[-1] == "database stops"
    assert find_leftovers(tmp_path) == []


def test_a_second_signal_hurries(start, tmp_path):
    console = start(f"web={DEAF}", SAME_REQUEST="0.1")
    console.terminate()
    time.sleep(0.6)
    before = time.monotonic()

    console.terminate()

    assert console.wait(10) == 0
    assert time.monotonic() - before < 4  # its time would have been ten seconds
    assert find_leftovers(tmp_path) == []


def test_a_signal_that_arrives_twice_at_once_is_one_request(start, tmp_path):
    console = start(f"web={SLOW}")

    console.terminate()
    time.sleep(0.1)
    console.terminate()

    assert console.wait(10) == 0
    assert count(tmp_path, "web stops") == 1


def test_a_stop_during_a_step_ends_the_step(start, tmp_path):
    console = start(f"database={POLITE}", "load!=echo loading; sleep 600", words="loading")

    console.send_signal(signal.SIGINT)

    assert console.wait(10) == 0
    assert read_events(tmp_path) == ["database starts", "database stops"]
    assert find_leftovers(tmp_path) == []


def test_output_carries_the_name_and_is_kept_even_without_a_last_newline(start, tmp_path):
    console = start("talk!=echo one; printf two", f"web={POLITE}")
    console.terminate()
    console.wait(10)

    text = (tmp_path / "terminal").read_text()
    assert "talk         | one\ntalk         | two\n" in text
    kept = (tmp_path / "talk.log").read_text().splitlines()
    assert [line.split()[-1] for line in kept] == ["one", "two"]
