"""Root never runs PostgreSQL as root, wherever its data directory is; an ordinary user runs it as is."""

import multiprocessing
import os
import pwd
import shutil
import tempfile
import traceback
from pathlib import Path

import psycopg
import pytest

from billing_console.runtime import postmaster
from billing_console.runtime.cluster import get_url, locate
from billing_console.runtime.errors import ConsoleError
from billing_console.runtime.lease import hold_services
from billing_console.runtime.removal import remove_data_dir
from tests import needs


def collect_modes(folder):
    return {path: path.stat().st_mode for path in [folder, *folder.parents]}


def run_as(name, function, *arguments):
    """Runs a function as another user in a child of its own, and fails with what it raised."""

    def target(sender):
        entry = pwd.getpwnam(name)
        os.setgroups([])
        os.setgid(entry.pw_gid)
        os.setuid(entry.pw_uid)
        try:
            function(*arguments)
            sender.send(None)
        except BaseException:
            sender.send(traceback.format_exc())

    receiver, sender = multiprocessing.Pipe(duplex=False)
    # A fork has the interpreter loaded already, which another user may not be able to reach.
    child = multiprocessing.get_context("fork").Process(target=target, args=(sender,))
    child.start()
    child.join(60)
    assert receiver.poll(), "The child ended without a word."
    failure = receiver.recv()
    assert failure is None, failure


def use_database(data_dir):
    with hold_services(data_dir), psycopg.connect(get_url(data_dir)) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS visit (at timestamptz)")


@pytest.fixture
def closed_folder():
    """A folder that only root may enter, as root's own home is."""
    folder = Path(tempfile.mkdtemp(prefix="closed-")).resolve()
    yield folder
    shutil.rmtree(folder)


def test_root_runs_the_server_as_an_unprivileged_user(data_dir):
    needs.root()

    with hold_services(data_dir):
        server = postmaster.find_postmaster(locate(data_dir))
        assert 0 not in server.uids()
        assert 0 not in server.gids()
        assert locate(data_dir).data.stat().st_uid == server.uids().real


def test_a_data_directory_that_only_root_can_enter_has_its_cluster_outside_and_keeps_its_modes(closed_folder):
    needs.root()
    data_dir = closed_folder / "data"
    data_dir.mkdir(mode=0o700)
    before = collect_modes(data_dir)

    use_database(data_dir)
    home = locate(data_dir).home
    use_database(data_dir)

    assert (data_dir / "postgres").readlink() == home
    assert not home.is_relative_to(data_dir)
    assert (home.stat().st_uid, home.stat().st_mode & 0o777) == (0, 0o711)
    assert collect_modes(data_dir) == before

    remove_data_dir(data_dir)
    assert not home.exists()
    assert not data_dir.exists()


def test_programs_that_the_user_cannot_reach_are_copied_once_beside_the_cluster(
    data_dir, closed_folder, monkeypatch
):
    needs.root()
    from billing_console.runtime import binaries

    site = binaries.find_site()
    for name in (binaries.PACKAGE, f"{binaries.PACKAGE}.libs"):
        (closed_folder / name).symlink_to(site / name)
    monkeypatch.setattr(binaries, "find_site", lambda: closed_folder)

    use_database(data_dir)
    (copy,) = locate(data_dir).home.glob("programs-*")
    made = copy.stat().st_mtime_ns
    use_database(data_dir)

    assert copy.stat().st_mtime_ns == made
    assert copy.stat().st_uid == 0
    with hold_services(data_dir):
        server = postmaster.find_postmaster(locate(data_dir))
        assert Path(server.exe()).is_relative_to(copy)


def test_an_ordinary_user_runs_the_server_as_itself(data_dir):
    needs.root()
    data_dir.parent.chmod(0o777)

    run_as("nobody", use_database, data_dir)

    owner = pwd.getpwnam("nobody").pw_uid
    assert {path.stat().st_uid for path in (data_dir, locate(data_dir).data)} == {owner}
    assert data_dir.stat().st_mode & 0o777 == 0o700


def test_root_runs_an_ordinary_users_cluster_as_that_user(data_dir):
    needs.root()
    data_dir.parent.chmod(0o777)
    run_as("daemon", use_database, data_dir)

    with hold_services(data_dir):
        server = postmaster.find_postmaster(locate(data_dir))
        assert server.uids().real == pwd.getpwnam("daemon").pw_uid


def test_another_users_data_directory_is_refused_in_words(used_dir):
    needs.root()

    def refuse():
        with pytest.raises(ConsoleError, match="cannot be written: Permission denied"):
            use_database(used_dir)

    run_as("nobody", refuse)


def test_a_home_outside_that_is_gone_is_said_in_words(closed_folder):
    needs.root()
    data_dir = closed_folder / "data"
    data_dir.mkdir(mode=0o700)
    use_database(data_dir)
    shutil.rmtree(locate(data_dir).home)

    with pytest.raises(ConsoleError, match="which is gone") as refusal:
        use_database(data_dir)

    assert refusal.value.code == "home_gone"
