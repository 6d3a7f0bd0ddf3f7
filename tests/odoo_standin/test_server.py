"""The process: what it prints and shows, what survives its end, and where it refuses to start."""

import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from tests.odoo_standin.client import Client, get

COMMAND = [sys.executable, "-m", "billing_console.demo.odoo_standin"]
SETTINGS = SimpleNamespace(database="odoo19-demo", login="console", key="demo-key")


def refuse(*options):
    """Run the command where it refuses to start; return its exit status and what it says."""
    ended = subprocess.run([*COMMAND, *options], capture_output=True, text=True, timeout=10, check=False)
    return ended.returncode, ended.stderr


@contextmanager
def run(*options, **environment):
    """Run the command on a free port; yield its process and where it listens."""
    process = subprocess.Popen(
        [*COMMAND, "--port", "0", *options],
        stdout=subprocess.PIPE,
        text=True,
        env={name: value for name, value in os.environ.items() if not name.startswith("ODOO_")} | environment,
    )
    try:
        line = process.stdout.readline()
        url = re.search(r"http://\S+:\d+", line).group()
        yield SimpleNamespace(process=process, line=line, url=url, settings=SETTINGS)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_an_answered_write_survives_a_kill(tmp_path):
    data = str(tmp_path / "odoo.sqlite3")
    fields = ["id", "name"]
    with run("--data", data) as stand_in:
        odoo = Client(stand_in)
        (tag,) = odoo.execute("crm.tag", "load", fields, [["__b__.tag", "Shadow"]])["ids"]
        gone = odoo.execute("crm.tag", "create", {"name": "Gone"})
        odoo.execute("crm.tag", "unlink", [gone])
        stand_in.process.send_signal(signal.SIGKILL)
        stand_in.process.wait()

    with run("--data", data) as stand_in:
        odoo = Client(stand_in)
        assert odoo.execute("crm.tag", "search_read", [], fields=["name"]) == [{"id": tag, "name": "Shadow"}]
        assert odoo.execute("crm.tag", "load", fields, [["__b__.tag", "Shadow"]])["ids"] == [tag]
        assert odoo.execute("crm.tag", "create", {"name": "New"}) == gone + 1
        assert odoo.execute("res.company", "search_count", []) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_cleanly(tmp_path, number):
    with run("--data", str(tmp_path / "odoo.sqlite3")) as stand_in:
        stand_in.process.send_signal(number)

        assert stand_in.process.wait(5) == 0


def test_a_held_answer_does_not_hold_up_the_stop():
    with run() as stand_in:
        fault = urllib.request.Request(
            f"{stand_in.url}/standin/faults", b'{"fault": "timeout", "seconds": 60, "method": "search"}'
        )
        urllib.request.urlopen(fault).close()
        with pytest.raises(TimeoutError):
            Client(stand_in).post("/jsonrpc", search_partners(), timeout=0.3)
        stand_in.process.send_signal(signal.SIGTERM)

        assert stand_in.process.wait(5) == 0


def search_partners():
    arguments = ["odoo19-demo", 1, "demo-key", "res.partner", "search", [[]], {}]
    return {"id": 1, "params": {"service": "object", "method": "execute_kw", "args": arguments}}


def test_it_says_what_it_is_wherever_it_shows():
    with run() as stand_in:
        assert "not Odoo" in stand_in.line
        with urllib.request.urlopen(stand_in.url) as response:
            page = response.read().decode()
        assert "This is not Odoo" in page
        assert response.headers["X-Odoo-Stand-In"] == "1"
        assert get(f"{stand_in.url}/web/version") == {
            "version_info": [19, 0, 0, "final", 0, ""],
            "version": "19.0",
            "stand_in": True,
        }
        assert get(f"{stand_in.url}/standin/health") == {"stand_in": True, "status": "ok"}
        odoo = Client(stand_in)
        assert "stand-in" in odoo.read("res.company", odoo.find("res.company"), "name")


def test_the_environment_names_the_database_the_login_and_the_key():
    named = {"ODOO_DB": "billing", "ODOO_LOGIN": "robot", "ODOO_API_KEY": "secret"}
    with run(**named) as stand_in:
        stand_in.settings = SimpleNamespace(database="billing", login="robot", key="secret")

        assert Client(stand_in).uid
        assert "secret" not in stand_in.line


def test_a_second_one_on_the_same_file_refuses_to_start(tmp_path):
    data = str(tmp_path / "odoo.sqlite3")
    with run("--data", data):
        status, words = refuse("--port", "0", "--data", data)

    assert status == 1
    assert words == f"Odoo stand-in: cannot use {data}: database is locked\n"


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.com"])
def test_it_listens_beyond_this_machine_only_when_told_to(host):
    status, words = refuse("--host", host)

    assert status == 1
    assert f"{host} is not a loopback address" in words


def test_a_taken_port_is_one_clear_line(stand_in):
    status, words = refuse("--port", str(stand_in.port))

    assert status == 1
    assert words == f"Odoo stand-in: cannot listen on 127.0.0.1:{stand_in.port}: Address already in use\n"


@pytest.mark.parametrize(
    "body", [b"{not json", b"[]", b'{"params": {}}', b'{"params": {"service": "object"}}']
)
def test_a_request_that_is_no_call_is_a_bad_request(stand_in, body):
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{stand_in.url}/jsonrpc", body)

    assert caught.value.code == 400


def test_an_address_it_does_not_know_is_not_found(stand_in):
    with pytest.raises(urllib.error.HTTPError) as caught:
        get(f"{stand_in.url}/web/login")

    assert caught.value.code == 404
