"""The embedded PostgreSQL: made once and whole, durable, and started again after whatever ended it."""

import contextlib
import os
import shutil
import signal
import subprocess

import psutil
import psycopg
import pytest

from billing_console.runtime import postmaster
from billing_console.runtime.account import find_account
from billing_console.runtime.cluster import get_url, locate, read_database_url
from billing_console.runtime.errors import ConsoleError
from billing_console.runtime.home import is_addressable
from billing_console.runtime.lease import hold_services
from tests.runtime.watching import find_processes


def ask(data_dir, *queries):
    """The first value that the last query returns."""
    with psycopg.connect(get_url(data_dir), autocommit=True) as connection:
        for query in queries:
            cursor = connection.execute(query)
        return cursor.fetchone()[0]


def kill_server(data_dir):
    """SIGKILL to the server and its processes, as a power cut would end them."""
    server = postmaster.find_postmaster(locate(data_dir))
    for process in [server, *server.children()]:
        # One of its processes may just have ended by itself.
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    server.wait(10)


def test_it_is_postgresql_18_in_utf8_and_utc_and_listens_on_its_socket_alone(data_dir):
    with hold_services(data_dir):
        assert ask(data_dir, "SHOW server_version").startswith("18.")
        assert ask(data_dir, "SHOW server_encoding") == "UTF8"
        assert ask(data_dir, "SHOW timezone") == "UTC"
        assert ask(data_dir, "SHOW listen_addresses") == ""
        assert ask(data_dir, "SHOW max_connections") == "100"
        assert ask(data_dir, "SELECT DISTINCT datlocale FROM pg_database") == "C.UTF-8"
        assert locate(data_dir).socket.stat().st_mode & 0o777 == 0o700


def test_it_keeps_what_it_has_committed_through_a_kill(data_dir):
    with hold_services(data_dir):
        assert [ask(data_dir, f"SHOW {name}") for name in postmaster.DURABLE] == ["on", "on", "on"]
        ask(data_dir, "CREATE TABLE paid (amount int)", "INSERT INTO paid VALUES (1) RETURNING amount")
        kill_server(data_dir)

    with hold_services(data_dir):
        assert ask(data_dir, "SELECT amount FROM paid") == 1


def test_a_throw_away_cluster_does_not_wait_for_the_disk(used_dir):
    with hold_services(used_dir, is_durable=False):
        assert [ask(used_dir, f"SHOW {name}") for name in postmaster.DURABLE] == ["off", "off", "off"]


def test_what_an_interrupted_start_left_half_made_is_cleared(used_dir):
    home = locate(used_dir).home
    shutil.rmtree(home / "data")
    (home / "partial-interrupted" / "base").mkdir(parents=True)

    with hold_services(used_dir):
        assert ask(used_dir, "SELECT 1") == 1
    assert sorted(path.name for path in home.iterdir()) == ["data", "socket"]


def test_a_pid_file_whose_number_belongs_to_another_program_is_no_obstacle(used_dir):
    cluster = locate(used_dir)
    with subprocess.Popen(["sleep", "600"], **find_account(cluster.data).identity) as stranger:
        pid_file = cluster.data / "postmaster.pid"
        pid_file.write_text(f"{stranger.pid}\n{cluster.data}\n")
        find_account(cluster.data).take(pid_file)

        with hold_services(used_dir):
            assert ask(used_dir, "SELECT 1") == 1

        assert stranger.poll() is None
        stranger.kill()


def test_a_cluster_of_another_version_is_refused_in_words_and_untouched(used_dir):
    (locate(used_dir).data / "PG_VERSION").write_text("16\n")

    with (
        pytest.raises(ConsoleError, match="PostgreSQL 16 made the database") as refusal,
        hold_services(used_dir),
    ):
        pass

    assert refusal.value.code == "cluster_version"
    assert (locate(used_dir).data / "base").is_dir()


def test_a_start_that_fails_names_the_log_with_the_reason(used_dir):
    (locate(used_dir).data / "pg_hba.conf").write_text("nonsense\n")

    with pytest.raises(ConsoleError, match=r"logs/database\.log") as refusal, hold_services(used_dir):
        pass

    assert refusal.value.code == "database_failed"
    assert "pg_hba.conf" in (used_dir / "logs" / "database.log").read_text()


def test_a_path_may_hold_any_character(data_dir):
    odd = data_dir / 'a, "b"'
    odd.mkdir(parents=True)

    with hold_services(odd):
        assert ask(odd, "SELECT 1") == 1
    if not locate(odd).socket.is_relative_to(odd):
        shutil.rmtree(locate(odd).socket)


def test_a_long_path_gets_a_short_socket_elsewhere_which_is_kept_while_it_is_private(data_dir):
    deep = data_dir.joinpath(*["a-folder-with-a-rather-long-name"] * 4, "with a space")
    deep.mkdir(parents=True)
    assert not is_addressable(deep / "postgres" / "socket")

    with hold_services(deep):
        socket = locate(deep).socket
        assert is_addressable(socket)
        assert ask(deep, "SELECT 1") == 1
    with hold_services(deep):
        assert locate(deep).socket == socket

    socket.chmod(0o755)  # as if swept away and made again by somebody else
    with hold_services(deep):
        assert locate(deep).socket != socket
    shutil.rmtree(socket)
    shutil.rmtree(locate(deep).socket)


def test_settings_of_the_users_shell_do_not_reach_it(data_dir, monkeypatch):
    for name, value in {"PGDATA": "/nowhere", "PGPORT": "1", "LC_ALL": "xx_XX", "TZ": "Asia/Tokyo"}.items():
        monkeypatch.setenv(name, value)

    with hold_services(data_dir):
        assert ask(data_dir, "SHOW timezone") == "UTC"
        assert ask(data_dir, "SHOW port") == "5432"


def test_a_refused_statement_does_not_put_its_values_into_the_log(used_dir):
    with hold_services(used_dir), pytest.raises(psycopg.errors.InvalidTextRepresentation):
        ask(used_dir, "SELECT 'secret value'::int")

    assert "secret value" not in (used_dir / "logs" / "database.log").read_text()


def test_a_stop_that_is_not_heeded_ends_in_an_immediate_one(used_dir, monkeypatch):
    monkeypatch.setattr(postmaster, "STOP_LADDER", ((signal.SIGURG, 0.2), *postmaster.STOP_LADDER[1:]))

    with hold_services(used_dir):
        assert ask(used_dir, "SELECT 1") == 1

    assert find_processes("postgres", used_dir) == []
    assert "immediate shutdown" in (used_dir / "logs" / "database.log").read_text()


def test_the_address_is_known_before_there_is_a_cluster(data_dir):
    settings = read_database_url(get_url(data_dir))

    assert settings["HOST"] == str(data_dir / "postgres" / "socket")
    assert settings["NAME"] == settings["USER"] == "billing_console"
    assert not data_dir.exists()


def test_nothing_is_left_open_to_others(data_dir):
    with hold_services(data_dir):
        pass

    cluster = locate(data_dir)
    assert cluster.data.stat().st_mode & 0o777 == 0o700
    assert (data_dir / "logs").stat().st_mode & 0o777 == 0o700
    assert data_dir.stat().st_mode & 0o777 == (0o711 if os.geteuid() == 0 else 0o700)
