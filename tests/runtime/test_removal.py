"""A data directory is removed only on request, when it is one, and when nobody uses it."""

import pytest

from billing_console.runtime.cluster import locate
from billing_console.runtime.errors import ConsoleError
from billing_console.runtime.lease import hold_services
from billing_console.runtime.locks import get_lock
from billing_console.runtime.removal import remove_data_dir
from tests.runtime.watching import find_processes


def test_removing_stops_a_leftover_server_first(used_dir):
    from billing_console.runtime.lease import describe_database

    describe_database(used_dir).start()

    remove_data_dir(used_dir)

    assert not used_dir.exists()
    assert find_processes("postgres", used_dir) == []


def test_a_folder_that_no_console_has_used_is_refused(tmp_path):
    (tmp_path / "letters").mkdir()

    with pytest.raises(ConsoleError, match="nothing is removed") as refusal:
        remove_data_dir(tmp_path)

    assert refusal.value.code == "not_ours"
    assert (tmp_path / "letters").is_dir()


def test_a_running_console_is_refused(data_dir):
    data_dir.mkdir()
    console = get_lock(data_dir, "console")
    console.acquire()

    with pytest.raises(ConsoleError) as refusal:
        remove_data_dir(data_dir)

    assert refusal.value.code == "already_running"
    console.release()


def test_a_command_that_uses_the_database_is_refused(used_dir):
    with hold_services(used_dir):
        with pytest.raises(ConsoleError) as refusal:
            remove_data_dir(used_dir)

        assert refusal.value.code == "in_use"
        assert locate(used_dir).data.is_dir()
