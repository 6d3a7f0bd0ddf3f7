"""The demo's Odoo stand-in, shared by commands like the database, on a port that they can find."""

import os
import socket

import pytest

from billing_console.runtime import standin
from billing_console.runtime.errors import ConsoleError
from billing_console.runtime.ports import find_free_port
from tests.runtime.watching import start_python, wait_for_text


@pytest.fixture
def free_port(data_dir, monkeypatch):
    """A port noted in the data directory, so that no test meets the stand-in of somebody else."""
    monkeypatch.delenv("ODOO_STANDIN_PORT", raising=False)
    data_dir.mkdir()
    data_dir.chmod(0o711)
    port = find_free_port()
    (data_dir / "odoo-standin.port").write_text(str(port))
    return port


def take(port):
    server = socket.socket()
    server.bind(("127.0.0.1", port))
    server.listen()
    return server


def test_the_address_is_known_before_anything_has_started(data_dir, monkeypatch):
    monkeypatch.delenv("ODOO_STANDIN_PORT", raising=False)
    assert standin.get_url(data_dir) == "http://127.0.0.1:8069"

    monkeypatch.setenv("ODOO_STANDIN_PORT", "8070")
    assert standin.get_url(data_dir) == "http://127.0.0.1:8070"


def test_a_noted_port_is_kept_while_it_is_free_and_changed_when_it_is_taken(data_dir, free_port):
    assert standin.settle_port(data_dir) == free_port

    with take(free_port):
        other = standin.settle_port(data_dir)

    assert other != free_port
    assert standin.get_url(data_dir) == f"http://127.0.0.1:{other}"


def test_a_port_that_was_asked_for_and_is_taken_is_refused_in_words(data_dir, free_port, monkeypatch):
    monkeypatch.setenv("ODOO_STANDIN_PORT", str(free_port))

    with take(free_port), pytest.raises(ConsoleError, match="Set ODOO_STANDIN_PORT") as refusal:
        standin.settle_port(data_dir)

    assert refusal.value.code == "standin_port_taken"


def test_commands_that_need_odoo_share_a_stand_in_and_the_last_one_stops_it(data_dir, free_port):
    users = []
    for number in range(2):
        log = data_dir.parent / f"user-{number}"
        users.append(start_python("-m", "tests.runtime.use_services", data_dir, "odoo", log=log))
        wait_for_text(log, "holding")
    assert standin.is_up(data_dir)
    server = standin.find_process(data_dir)

    os.killpg(users[0].pid, 9)
    users[0].wait()
    assert standin.is_up(data_dir)
    (data_dir / "go").touch()

    assert users[1].wait(30) == 0
    assert not server.is_running()
    assert (data_dir / "odoo-standin.sqlite3").is_file()


def test_a_stand_in_of_another_data_directory_is_not_taken_for_ours(data_dir, free_port, tmp_path):
    log = tmp_path / "log"
    arguments = ("-m", standin.MODULE, "--port", free_port, "--data", tmp_path / "odoo-standin.sqlite3")
    other = start_python(*arguments, log=log)
    wait_for_text(log, "ready")

    assert standin.is_healthy(data_dir)
    assert not standin.is_up(data_dir)
    standin.stop(data_dir)
    assert other.poll() is None

    other.terminate()
    other.wait(10)
