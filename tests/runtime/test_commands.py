"""Which services a management command finds up."""

import pytest

from billing_console.runtime import commands
from billing_console.runtime.commands import hold_for


@pytest.fixture
def held(monkeypatch, tmp_path):
    """What was asked of the leases, instead of servers."""
    from contextlib import contextmanager

    asked = []

    @contextmanager
    def hold_services(data_dir, *, has_database, has_odoo):
        asked.append((data_dir, has_database, has_odoo))
        yield

    monkeypatch.setattr(commands, "hold_services", hold_services)
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("ODOO_URL", raising=False)
    return asked


@pytest.mark.parametrize("command", ["migrate", "shell", "reconcile", "create_api_key"])
def test_a_command_finds_the_database_up(held, tmp_path, command):
    with hold_for(["manage.py", command]):
        assert held == [(tmp_path, True, False)]


@pytest.mark.parametrize("command", ["sync_odoo", "push_usage", "fetch_odoo_amounts", "load_demo"])
def test_a_command_that_talks_to_odoo_finds_the_demos_odoo_up(held, tmp_path, command):
    with hold_for(["manage.py", command]):
        assert held == [(tmp_path, True, True)]


def test_a_real_odoo_and_a_database_of_ones_own_are_left_alone(held, tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://127.0.0.1/console")
    monkeypatch.setenv("ODOO_URL", "https://odoo.example")

    with hold_for(["manage.py", "push_usage"]):
        assert held == [(tmp_path, False, False)]


@pytest.mark.parametrize(
    "arguments",
    [[], ["help"], ["check"], ["makemigrations", "--check"], ["collectstatic"], ["migrate", "--help"]],
)
def test_what_looks_at_code_alone_starts_nothing_even_with_a_wrong_setting(held, monkeypatch, arguments):
    monkeypatch.setenv("PORT", "eighty")

    with hold_for(["manage.py", *arguments]):
        assert held == []
